"""The page over HTTP."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from video.page.rendering import digest
from video.page.routes import routes


def asked(path: str, then: Callable[[ClientResponse], Awaitable[None]]) -> None:
    async def run() -> None:
        application = web.Application()
        application.add_routes(routes())
        async with TestClient(TestServer(application)) as client:
            await then(await client.get(path))

    asyncio.run(run())


def test_the_page() -> None:
    async def then(answer: ClientResponse) -> None:
        assert answer.status == 200 and answer.content_type == "text/html"
        assert answer.headers["Cache-Control"] == "no-store" and answer.headers["Referrer-Policy"] == "no-referrer"
        assert "camera=(self)" in answer.headers["Permissions-Policy"]
        assert "<h1" in await answer.text()

    asked("/visit", then)


def test_a_static_is_kept_for_ever_under_its_digest() -> None:
    async def then(answer: ClientResponse) -> None:
        assert answer.status == 200 and answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert "immutable" in answer.headers["Cache-Control"]

    asked(f"/visit/static/{digest()}/main.js", then)


def test_a_page_of_before_gets_what_is_there_now_and_keeps_it_not() -> None:
    async def then(answer: ClientResponse) -> None:
        assert answer.status == 200 and answer.headers["Cache-Control"] == "no-store"

    asked("/visit/static/0123456789abcdef/main.js", then)


def test_nothing_else_is_served() -> None:
    async def then(answer: ClientResponse) -> None:
        assert answer.status == 404

    asked(f"/visit/static/{digest()}/..%2Frendering.py", then)
