"""Whole visits over loopback: waiting room, talk, reload, kill, drain."""

import asyncio
import sqlite3
from pathlib import Path

from video.ports import MediaState, MediaStats, Role, Source
from video.room.model import Rules
from video.signalling.sessions import cookie_of
from video.signalling.tests.consult import Consult, consult


def test_an_ordinary_visit(tmp_path: Path) -> None:
    async def visit() -> None:
        async with consult(tmp_path) as there:
            doctor, patient = await there.talking()
            assert there.backend.permitted["room"] == {"dr", "pt"}
            assert (await patient.hear("slots"))["slots"] == [{"slot": 0, "member": "dr"}]
            assert (await patient.do("chat", text="  good\x07 morning "))["done"]
            told = await doctor.hear("chat")
            assert (told["from"], told["text"]) == ("pt", "good morning")
            await doctor.do("end")
            await patient.hear("ended", reason="ended")
            await patient.when(lambda: patient.closed == 4000)
            await there.recorded("quality", 2)
            assert there.spool.kinds()[:7] == ["joined", "joined", "waiting", "admitted", "started", "chat", "ended"]
            assert [fact.number for fact in there.spool.facts] == list(range(1, 10))
            assert (await patient.http.get("/visit/session")).status == 410

    asyncio.run(visit())


def test_before_admission_no_media_no_names_no_chat(tmp_path: Path) -> None:
    async def visit() -> None:
        async with consult(tmp_path) as there:
            doctor, patient = await there.arrive("dr", Role.PRACTITIONER), await there.arrive("pt")
            assert (await patient.offer()).status == 409
            assert (await patient.do("chat", text="hello"))["refused"] == "not-now"
            await patient.do("ready")
            await doctor.do("chat", text="between us")
            assert (await patient.offer()).status == 201
            assert (await patient.do("state"))["done"]
            state = await patient.hear("state")
            assert state["own"]["standing"] == "waiting" and state["own"]["clinician"] is True
            assert {told["event"] for told in patient.events} <= {"checking", "waiting", "state"}
            assert "Name of dr" not in str(patient.events) + str(patient.seat) and "'dr'" not in str(patient.events)
            assert there.backend.permitted["room"] == {"dr"}
            assert "record" not in patient.seat and doctor.seat["record"]["encounter"] == "Encounter/1"

    asyncio.run(visit())


def test_a_reload_resumes(tmp_path: Path) -> None:
    async def visit() -> None:
        async with consult(tmp_path) as there:
            doctor, patient = await there.talking()
            await patient.do("chat", text="before the reload")
            await patient.hear("chat")
            seen = patient.events[-1]["n"]
            await patient.socket.close()
            await doctor.do("chat", text="are you there?")
            seat = await (await patient.http.get("/visit/session")).json()
            assert seat["state"]["own"]["standing"] == "admitted"
            assert {entry["name"] for entry in seat["state"]["members"]} == {"Name of dr", "Name of pt"}
            assert [said["text"] for said in seat["state"]["chat"]] == ["before the reload", "are you there?"]
            patient.events.clear()
            await patient.connect(after=seen)
            assert (await patient.hear("chat"))["text"] == "are you there?"
            assert [told["n"] for told in patient.events] == sorted(told["n"] for told in patient.events)
            assert patient.heard("state") == []
            await patient.send_media()
            assert "left" not in there.spool.kinds() and "away" not in there.spool.kinds()

    asyncio.run(visit())


def test_who_missed_too_much_gets_the_whole_picture(tmp_path: Path) -> None:
    async def visit() -> None:
        async with consult(tmp_path) as there:
            _, patient = await there.talking()
            await patient.socket.close()
            for number in range(300):
                there.service.visits.posts.tell(("room", "pt"), "quality", {"of": {"dr": str(number)}})
            patient.events.clear()
            await patient.connect(after=patient.seat["events"])
            assert (await patient.hear("state"))["visit"]["phase"] == "running"
            assert len(patient.events) < 10

    asyncio.run(visit())


def test_the_newer_socket_takes_over(tmp_path: Path) -> None:
    async def visit() -> None:
        async with consult(tmp_path) as there:
            patient = await there.arrive("pt")
            second = there.page()
            second.http.cookie_jar.update_cookies({cookie_of("room"): there.cookie_of(patient)})
            await second.connect()
            await patient.when(lambda: patient.closed == 4001)
            assert (await second.do("ready"))["done"]
            assert there.service.visits.rooms["room"].members["pt"].socket

    asyncio.run(visit())


def test_killed_and_started_again_everybody_resumes(tmp_path: Path) -> None:
    async def visit() -> None:
        async with consult(tmp_path) as there:
            doctor, patient = await there.talking()
            await there.kill()
            before = there.spool.kinds()
            next_one = Consult(tmp_path)
            next_one.spool = there.spool
            await next_one.start()
            there.service, there.backend = next_one.service, next_one.backend
            for page in (doctor, patient):
                await page.http.close()
                again = next_one.page()
                cookie = there.cookie_of(page)
                again.http.cookie_jar.update_cookies({cookie_of("room"): cookie})
                seat = await (await again.http.get("/visit/session")).json()
                assert seat["state"]["own"]["standing"] == "admitted"
                await again.connect(after=page.events[-1]["n"])
                await again.hear("state")
                await again.send_media()
            assert next_one.backend.permitted["room"] == {"dr", "pt"}
            assert "left" not in there.spool.kinds()
            assert there.spool.kinds()[: len(before)] == before
            assert there.service.visits.rooms["room"].phase == "running"
            for page in next_one.pages:
                await page.close()

    asyncio.run(visit())


def test_a_stop_tells_everybody_and_ends_nothing(tmp_path: Path) -> None:
    async def visit() -> None:
        async with consult(tmp_path) as there:
            doctor, patient = await there.talking()
            await there.service.stop()
            for page in (doctor, patient):
                await page.when(lambda page=page: page.closed == 1012)
                assert page.heard("draining") and not page.heard("ended")
            assert "ended" not in there.spool.kinds()
            await there.start()
            again = there.page()
            again.http.cookie_jar.update_cookies({cookie_of("room"): there.cookie_of(patient)})
            seat = await (await again.http.get("/visit/session")).json()
            assert seat["state"]["visit"]["phase"] == "running"

    asyncio.run(visit())


def test_a_screen_is_seen_when_its_packets_are(tmp_path: Path) -> None:
    async def visit() -> None:
        async with consult(tmp_path) as there:
            doctor, patient = await there.talking()
            assert there.backend.silenced["pt"] == {Source.SCREEN}
            await patient.do("share")
            assert there.backend.silenced["pt"] == frozenset() and doctor.heard("share") == []
            there.backend.see(patient.session, MediaState.SENDING, Source.SCREEN)
            await doctor.hear("share", member="pt", on=True)
            await doctor.do("unshare", member="pt")
            await doctor.hear("share", member="pt", on=False)
            await patient.hear("may-share", on=False)
            await there.recorded("share-ended")

    asyncio.run(visit())


def test_hold_takes_the_media_away_and_gives_them_back(tmp_path: Path) -> None:
    async def visit() -> None:
        async with consult(tmp_path) as there:
            doctor, patient = await there.talking()
            await doctor.do("hold", member="pt")
            await patient.hear("hold", held="practitioner")
            await patient.hear("slots", slots=[])
            assert there.backend.permitted["room"] == {"dr"}
            assert (await patient.do("unhold"))["refused"] == "held"
            await doctor.do("unhold", member="pt")
            assert there.backend.permitted["room"] == {"dr", "pt"}

    asyncio.run(visit())


def test_who_is_lost_is_away_and_an_empty_room_expires(tmp_path: Path) -> None:
    async def visit() -> None:
        async with consult(tmp_path) as there:
            doctor, patient = await there.talking()
            there.service.visits._rules = Rules(grace=50, expiry=100)
            for page in (patient, doctor):
                await page.socket.close()
                there.backend.see(page.session, MediaState.LOST)
            await there.recorded("ended")
            kinds = there.spool.kinds()
            assert kinds.count("left") == 2 and "away" in kinds
            assert [f.detail for f in there.spool.facts if f.kind == "ended"] == [{"reason": "expired"}]

    asyncio.run(visit())


def test_denied_is_out(tmp_path: Path) -> None:
    async def visit() -> None:
        async with consult(tmp_path) as there:
            doctor, patient = await there.arrive("dr", Role.PRACTITIONER), await there.arrive("pt")
            await doctor.do("deny", member="pt")
            await patient.hear("denied")
            await patient.when(lambda: patient.closed == 4003)
            assert (await patient.http.get("/visit/events", headers={"Upgrade": "websocket"})).status == 403
            assert (await patient.offer()).status == 409

    asyncio.run(visit())


def test_a_spool_that_is_broken_holds_up_nothing_and_gets_everything_later(tmp_path: Path) -> None:
    async def visit() -> None:
        async with consult(tmp_path) as there:
            there.spool.broken = True
            await there.talking()
            assert there.spool.facts == []
            there.spool.broken = False
            await there.recorded("started")
            assert [fact.number for fact in there.spool.facts] == [1, 2, 3, 4, 5]

    asyncio.run(visit())


def test_a_command_that_is_sent_again_is_done_once(tmp_path: Path) -> None:
    async def visit() -> None:
        async with consult(tmp_path) as there:
            doctor, patient = await there.talking()
            for _ in range(2):
                assert (await patient.send({"id": "once", "do": "chat", "text": "hello"}))["done"]
            await patient.do("chat", text="again")
            await doctor.hear("chat", text="again")
            assert [told["text"] for told in doctor.heard("chat")] == ["hello", "again"]

    asyncio.run(visit())


def test_quality_in_words(tmp_path: Path) -> None:
    async def visit() -> None:
        async with consult(tmp_path) as there:
            doctor, _ = await there.talking()
            there.backend.measures["pt"] = MediaStats(lost=20.0)
            there.service._calls.look()
            assert (await doctor.hear("quality"))["of"] == {"dr": "good", "pt": "poor"}

    asyncio.run(visit())


def test_nothing_of_anybody_lies_in_clear(tmp_path: Path) -> None:
    async def visit() -> None:
        async with consult(tmp_path) as there:
            there.spool.broken = True
            _, patient = await there.talking()
            await patient.do("chat", text="something private")
            there.service._ledger.checkpoint()
            there.spool.broken = False

    asyncio.run(visit())
    raw = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for secret in (b"Name of", b"private", b"Patient/1", b"Encounter/1", b"Actor/"):
        assert secret not in raw
    assert sqlite3.connect(tmp_path / "visits.sqlite").execute("SELECT count(*) FROM session").fetchone() == (2,)


def test_a_media_server_that_fails_keeps_nobody_from_hearing(tmp_path: Path) -> None:
    def broken(room: str, members: frozenset[str]) -> None:
        raise RuntimeError("media server gone")

    async def visit() -> None:
        async with consult(tmp_path) as there:
            doctor, patient = await there.talking()
            there.backend.permit = broken  # type: ignore[method-assign]
            await doctor.do("end")
            await patient.hear("ended")
            await there.recorded("ended")

    asyncio.run(visit())
