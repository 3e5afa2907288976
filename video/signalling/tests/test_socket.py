"""The WebSocket: what is no command, too many of them, sizes; who may what."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from video.ports import Role
from video.signalling.commands import COMMANDS, LONGEST_CHAT
from video.signalling.limits import LIMITS, Limit
from video.signalling.sessions import cookie_of
from video.signalling.tests.consult import Consult
from video.signalling.tests.test_routes import within


def test_what_is_no_command_is_refused_and_the_socket_stays(tmp_path: Path) -> None:
    async def visit(there: Consult) -> None:
        page = await there.arrive("pt")
        for text in ("", "{", "[]", '{"do": "ready"}', '{"id": "", "do": "ready"}', '{"id": 1, "do": "x"}', "[" * 9000):
            await page.socket.send_str(text)
            answer = await page.when(lambda: page.answers.pop("", None))
            assert answer["refused"] == "malformed"
        assert (await page.do("fly"))["refused"] == "unknown"
        assert (await page.send({"id": "x" * 65, "do": "ready"} | {"id": "y" * 64}))["done"]
        assert set(there.watch.words) == {"malformed"}

    within(tmp_path, visit)


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "empty"), (" \x00\n ", "empty"), ("x" * (LONGEST_CHAT + 1), "too-long")],
    ids=["none", "nothing-left", "too-much"],
)
def test_chat_has_bounds(tmp_path: Path, text: str, code: str) -> None:
    async def visit(there: Consult) -> None:
        doctor = await there.arrive("dr", Role.PRACTITIONER)
        assert (await doctor.do("chat", text=text))["refused"] == code
        assert (await doctor.do("chat", text="ü" * LONGEST_CHAT))["done"]

    within(tmp_path, visit)


def test_a_flood_is_slowed_and_then_cut(tmp_path: Path) -> None:
    async def visit(there: Consult) -> None:
        doctor = await there.arrive("dr", Role.PRACTITIONER)
        for number in range(60):
            await doctor.socket.send_json({"id": f"f{number}", "do": "chat", "text": "x"})
        await doctor.when(lambda: doctor.closed == 4008)
        await there.recorded("chat", 3)
        assert there.spool.kinds().count("chat") == 3
        assert there.watch.words.count("too-often") > 50

    within(tmp_path, visit, limits=LIMITS | {"chat": Limit(3, 0.001)})


def test_large_and_binary_messages_close_the_socket(tmp_path: Path) -> None:
    async def visit(there: Consult) -> None:
        page = await there.arrive("pt")
        await page.socket.send_str("x" * 20_000)
        await page.when(lambda: page.closed == 1009)
        again = await page.connect()
        await again.socket.send_bytes(b"x")
        await page.when(lambda: page.closed is not None)

    within(tmp_path, visit)


OWN = {"ready", "leave", "off", "chat", "pass", "share", "hold", "unhold", "unshare", "agree", "withdraw"}


@pytest.mark.parametrize("do", sorted(set(COMMANDS) - OWN))
def test_a_patient_commands_nobody(tmp_path: Path, do: str) -> None:
    async def visit(there: Consult) -> None:
        _, patient = await there.talking()
        for member in ("dr", "pt", "nobody"):
            assert (await patient.do(do, member=member))["refused"] == "not-yours"
        assert there.service.visits.rooms["room"].phase == "running"

    within(tmp_path, visit)


def test_asked_to_mute(tmp_path: Path) -> None:
    async def visit(there: Consult) -> None:
        doctor, patient = await there.talking()
        assert (await doctor.do("ask-mute", member="pt"))["done"]
        assert (await patient.hear("mute-asked"))["by"] == "dr"

    within(tmp_path, visit)


def test_who_left_comes_back_through_the_waiting_room(tmp_path: Path) -> None:
    async def visit(there: Consult) -> None:
        _, patient = await there.talking()
        await patient.do("leave")
        await patient.when(lambda: patient.closed == 4002)
        assert patient.session not in there.backend.sessions
        await patient.connect()
        assert (await patient.hear("state", own={"standing": "waiting"} | _since(there)))["draining"] is False

    within(tmp_path, visit)


def _since(there: Consult) -> dict[str, Any]:
    member = there.service.visits.rooms["room"].members["pt"]
    return {"since": member.since, "clinician": True}


def test_no_socket_for_nonsense_numbers_but_the_whole_picture(tmp_path: Path) -> None:
    async def visit(there: Consult) -> None:
        page = await there.arrive("pt")
        for after in ("-1", "x", "9" * 15, "9" * 400, "١٢"):
            await page.socket.close()
            page.events.clear()
            page.socket = await page.http.ws_connect("/visit/events", params={"after": after})
            page._reader = asyncio.create_task(page._read())
            await page.hear("state")

    within(tmp_path, visit)


def test_a_page_that_reads_nothing_holds_up_nobody(tmp_path: Path) -> None:
    async def visit(there: Consult) -> None:
        doctor, patient = await there.talking()
        deaf = there.page()
        deaf.http.cookie_jar.update_cookies({cookie_of("room"): there.cookie_of(patient)})
        socket = await deaf.http.ws_connect("/visit/events")
        assert isinstance(socket, aiohttp.ClientWebSocketResponse)
        for number in range(2000):
            there.service.visits.posts.tell(("room", "pt"), "quality", {"of": {"dr": "x" * 5000 + str(number)}})
        assert (await doctor.do("chat", text="still here"))["done"]
        await socket.close()

    within(tmp_path, visit)
