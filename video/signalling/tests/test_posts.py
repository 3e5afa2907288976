"""At most one socket for each member; who has no box is told nothing and misses nothing."""

import asyncio
from pathlib import Path

from video.signalling.clock import Clock
from video.signalling.posts import Posts
from video.signalling.tests.consult import Consult
from video.signalling.tests.test_routes import within

KEY = ("room", "pt")


def test_who_never_asked_has_no_box() -> None:
    posts = Posts(Clock())
    posts.tell(KEY, "chat", {})
    first = posts.box(KEY).n
    posts.tell(KEY, "chat", {})
    assert posts.box(KEY).n == first + 1
    posts.forget("room")
    assert posts.box(KEY).after(first + 1) in (None, [])
    assert len(posts) == 0


def test_many_sockets_of_one_member_leave_one(tmp_path: Path) -> None:
    async def visit(there: Consult) -> None:
        page = await there.arrive("pt")
        sockets = await asyncio.gather(*(page.http.ws_connect("/visit/events") for _ in range(5)))
        await page.when(lambda: page.closed == 4001)
        assert len(there.service.visits.posts) == 1
        assert there.service.visits.rooms["room"].members["pt"].socket
        for socket in sockets:
            await socket.close()

    within(tmp_path, visit)
