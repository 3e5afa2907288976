"""The doors: tickets and sessions of strangers, other origins, large and malformed bodies, too many of them."""

import asyncio
import json
import re
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from video.ports import Role
from video.signalling.limits import LIMITS, Limit
from video.signalling.sessions import cookie_of
from video.signalling.tests.consult import AesSealer, Consult, consult
from video.signalling.tickets import new_ticket, seal_ticket

SDP = {"Content-Type": "application/sdp"}


def within(tmp_path: Path, visit: Any, **options: Any) -> None:
    async def run() -> None:
        async with consult(tmp_path, **options) as there:
            await visit(there)

    asyncio.run(run())


async def said(answer: aiohttp.ClientResponse) -> tuple[int, str]:
    """Status and body, without the headers that differ anyway."""
    return answer.status, await answer.text()


def test_every_bad_ticket_hears_the_same(tmp_path: Path) -> None:
    async def visit(there: Consult) -> None:
        page, good = there.page(), there.sealed("pt")
        assert (await page.join(good)).status == 200
        old = seal_ticket(there.sealer, new_ticket("room", "x", Role.PATIENT, "X", int(time.time()) - 601))
        late = there.ticket("x")
        foreign_key = seal_ticket(AesSealer(b"f" * 32), there.ticket("x"))
        bad = {
            "ticket-replayed": good,
            "ticket-forged": good[:-4] + ("aaaa" if good[-4:] != "aaaa" else "bbbb"),
            "ticket-expired": old,
            "ticket-foreign": there.sealed("x", encounter="Encounter/2"),
        }
        answers = [await said(await there.page().join(ticket)) for ticket in bad.values()]
        answers += [await said(await there.page().join(t)) for t in (foreign_key, "", "ä", "x" * 5000, "A", "....")]
        too_long = type(late)(**{f: getattr(late, f) for f in late.__struct_fields__} | {"expires": late.expires + 90})
        answers.append(await said(await there.page().join(seal_ticket(there.sealer, too_long))))
        assert len(set(answers)) == 1 and answers[0][0] == 403
        assert set(bad) <= set(there.watch.words) and len(there.watch.words) == len(answers)
        assert all("visit/session" not in str(p.http.cookie_jar) for p in there.pages[1:])

    within(tmp_path, visit)


def test_a_ticket_is_used_once_also_over_a_kill(tmp_path: Path) -> None:
    async def visit(there: Consult) -> None:
        ticket = there.sealed("pt")
        assert (await there.page().join(ticket)).status == 200
        await there.kill()
        await there.start()
        assert (await there.page().join(ticket)).status == 403

    within(tmp_path, visit)


def test_a_ticket_that_the_room_refuses_is_not_used_up(tmp_path: Path) -> None:
    async def visit(there: Consult) -> None:
        for number in range(6):
            assert (await there.page().join(there.sealed(f"m{number}", Role.GUEST))).status == 200
        ticket = there.sealed("pt")
        assert (await there.page().join(ticket)).status == 409
        await there.pages[0].connect()
        await there.pages[0].do("leave")
        assert (await there.page().join(ticket)).status == 200

    within(tmp_path, visit)


def test_two_who_use_one_ticket_at_once(tmp_path: Path) -> None:
    async def visit(there: Consult) -> None:
        ticket = there.sealed("pt")
        pages = [there.page() for _ in range(8)]
        answers = await asyncio.gather(*(page.join(ticket) for page in pages))
        assert sorted(answer.status for answer in answers) == [200] + [403] * 7

    within(tmp_path, visit)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/visit/session"),
        ("GET", "/visit/events"),
        ("POST", "/visit/media"),
        ("PATCH", "/visit/media/x"),
        ("DELETE", "/visit/media/x"),
    ],
)
def test_nothing_without_a_session(tmp_path: Path, method: str, path: str) -> None:
    async def visit(there: Consult) -> None:
        for cookie in ("", "guessed", "x" * 4000):
            page = there.page()
            page.http.cookie_jar.update_cookies({cookie_of("room"): cookie} if cookie else {})
            answer = await page.http.request(method, path, data=b"v=0")
            assert answer.status == 401 and (await answer.json())["refused"] == "session"
        assert set(there.watch.words) == {"session-unknown"}

    within(tmp_path, visit)


def test_the_session_is_kept_from_scripts_and_other_sites(tmp_path: Path) -> None:
    async def visit(there: Consult) -> None:
        answer = await there.page().join(there.sealed("pt"))
        cookie = answer.headers["Set-Cookie"]
        for word in ("HttpOnly", "SameSite=Strict", "Path=/visit", "Max-Age=14400", "Secure"):
            assert word in cookie
        assert answer.headers["Strict-Transport-Security"]
        stored = (tmp_path / "visits.sqlite-wal").read_bytes() + (tmp_path / "visits.sqlite").read_bytes()
        assert re.search(r"hearth_visit_\w+=([^;]+)", cookie)[1].encode() not in stored  # type: ignore[index]

    within(tmp_path, visit, secure=True)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://127.0.0.1:1", "http://127.0.0.1"])
def test_pages_of_other_origins_change_nothing_and_get_no_socket(tmp_path: Path, origin: str) -> None:
    async def visit(there: Consult) -> None:
        page = await there.arrive("pt")
        asked = [
            page.http.post("/visit/join", json={"ticket": there.sealed("x")}, headers={"Origin": origin}),
            page.http.post("/visit/media", data=b"v=0", headers=SDP | {"Origin": origin}),
            page.http.delete("/visit/media/x", headers={"Origin": origin}),
        ]
        for request in asked:
            answer = await request
            assert answer.status == 403 and (await answer.json())["refused"] == "origin"
            assert not any(name.startswith("Access-Control") for name in answer.headers)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await page.http.ws_connect("/visit/events", headers={"Origin": origin})
        assert refused.value.status == 403

    within(tmp_path, visit)


def test_origins_that_are_named_are_the_only_ones(tmp_path: Path) -> None:
    async def visit(there: Consult) -> None:
        assert (await there.page().join(there.sealed("pt"))).status == 403
        answer = await there.page().http.post(
            "/visit/join", json={"ticket": there.sealed("pt")}, headers={"Origin": "https://visit.example"}
        )
        assert answer.status == 200

    within(tmp_path, visit, origins=("https://visit.example",))


def test_bodies_are_bounded_and_of_the_right_kind(tmp_path: Path) -> None:
    async def visit(there: Consult) -> None:
        page = await there.arrive("pt")
        await page.do("ready")

        async def status(method: str, path: str, data: bytes, kind: str) -> int:
            return (await page.http.request(method, path, data=data, headers={"Content-Type": kind})).status

        assert await status("POST", "/visit/media", b"v=0" + b"x" * 70_000, "application/sdp") == 413
        assert await status("POST", "/visit/media", b"v=0", "text/plain") == 415
        assert await status("POST", "/visit/media", b"\xff\xfe", "application/sdp") == 400
        assert await status("POST", "/visit/media", b"nonsense", "application/sdp") == 400
        assert await status("POST", "/visit/join", b'{"ticket": 1}', "application/json") == 400
        assert await status("POST", "/visit/join", b"[" * 60_000, "application/json") == 400
        assert await status("POST", "/visit/join", b"x" * 70_000, "application/json") == 413
        assert await status("POST", "/visit/join", b"{}", "text/plain") == 415
        assert "too-large" in there.watch.words

    within(tmp_path, visit)


def test_the_media_session_is_the_members_own(tmp_path: Path) -> None:
    async def visit(there: Consult) -> None:
        doctor, patient = await there.talking()
        fragment = {"data": b"a=ice-ufrag:y\r\n", "headers": {"Content-Type": "application/trickle-ice-sdpfrag"}}
        assert (await doctor.http.patch(f"/visit/media/{patient.session}", **fragment)).status == 404
        assert (await doctor.http.delete(f"/visit/media/{patient.session}")).status == 404
        answer = await patient.http.patch(f"/visit/media/{patient.session}", **fragment)
        assert (answer.status, answer.content_type) == (200, "application/trickle-ice-sdpfrag")
        assert there.backend.restarts == [(patient.session, "a=ice-ufrag:y\r\n")]
        assert (await patient.http.delete(f"/visit/media/{patient.session}")).status == 200
        assert patient.session not in there.backend.sessions
        await there.recorded("quality")
        assert (await patient.http.delete(f"/visit/media/{patient.session}")).status == 404

    within(tmp_path, visit)


def test_another_offer_ends_the_session_before_it(tmp_path: Path) -> None:
    async def visit(there: Consult) -> None:
        _, patient = await there.talking()
        first = patient.session
        answers = await asyncio.gather(*(patient.offer() for _ in range(3)))
        assert [answer.status for answer in answers] == [201] * 3
        assert first not in there.backend.sessions and len(there.backend.sessions) == 2
        member = there.service.visits.rooms["room"].members["pt"]
        assert there.backend.sessions[member.session] == ("room", "pt")

    within(tmp_path, visit)


def test_too_often_says_when_to_try_again(tmp_path: Path) -> None:
    limits = LIMITS | {"failure": Limit(3, 0.1), "session": Limit(2, 0.1), "offer": Limit(1, 0.1)}

    async def visit(there: Consult) -> None:
        page = await there.arrive("pt")
        await page.do("ready")
        assert [(await page.http.get("/visit/session")).status for _ in range(3)] == [200, 200, 429]
        assert [(await page.offer()).status for _ in range(2)] == [201, 429]
        stranger = there.page()
        answers = [await stranger.join("guess") for _ in range(5)]
        assert [answer.status for answer in answers] == [403, 403, 403, 429, 429]
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 10
        assert (await stranger.join(there.sealed("dr", Role.PRACTITIONER))).status == 200
        assert "too-often" in there.watch.words

    within(tmp_path, visit, limits=limits)


def test_headers_on_every_answer(tmp_path: Path) -> None:
    async def visit(there: Consult) -> None:
        page = there.page()
        answers = [await page.http.get(path) for path in ("/visit/health", "/visit/session", "/nothing")]
        answers.append(await page.http.delete("/visit/join"))
        assert [answer.status for answer in answers] == [200, 401, 404, 405]
        for answer in answers:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "'unsafe" not in policy
            assert f"ws://127.0.0.1:{there.service.port}" in policy and "https://fhir.example" in policy
            assert "camera=(self), microphone=(self)" in answer.headers["Permissions-Policy"]
            assert answer.headers["Cache-Control"] == "no-store"
            assert "text" in json.loads(await answer.text()) or answer.status == 200

    within(tmp_path, visit, connect=("https://fhir.example",))


def test_health_and_draining(tmp_path: Path) -> None:
    async def visit(there: Consult) -> None:
        patient = await there.arrive("pt")
        health = await patient.http.get("/visit/health")
        assert (health.status, await health.json()) == (200, {"status": "up"})
        there.service.visits.drain()
        await patient.hear("draining")
        assert (await patient.http.get("/visit/health")).status == 503
        assert (await there.page().join(there.sealed("x", room="another"))).status == 503
        assert (await there.page().join(there.sealed("dr", Role.PRACTITIONER))).status == 200

    within(tmp_path, visit)


def test_a_room_that_is_over_is_over(tmp_path: Path) -> None:
    async def visit(there: Consult) -> None:
        doctor = await there.arrive("dr", Role.PRACTITIONER)
        cookie = there.cookie_of(doctor)
        await doctor.do("end")
        await doctor.when(lambda: doctor.closed)
        for _ in range(2):
            assert (await there.page().join(there.sealed("pt"))).status == 410
            over = await doctor.http.get("/visit/session", params={"room": "room"})
            assert (over.status, over.headers["Set-Cookie"].split(";")[0]) == (410, f'{cookie_of("room")}=""')
            doctor.http.cookie_jar.update_cookies({cookie_of("room"): cookie})
            there.service.visits._forget("room")
        assert there.service.visits.room("room").members == {}

    within(tmp_path, visit)


def test_rooms_do_not_see_each_other(tmp_path: Path) -> None:
    async def visit(there: Consult) -> None:
        first, second = (
            await there.arrive("dr", Role.PRACTITIONER, "one"),
            await there.arrive("dr", Role.PRACTITIONER, "two"),
        )
        assert (await first.do("admit", member="pt"))["refused"] == "not-now"
        await first.do("chat", text="for one")
        await first.hear("chat")
        assert second.heard("chat") == []

    within(tmp_path, visit)


def test_a_clinician_in_two_visits_never_takes_one_for_the_other(tmp_path: Path) -> None:
    async def visit(there: Consult) -> None:
        doctor = await there.arrive("dr", Role.PRACTITIONER, "one")
        assert (await doctor.http.get("/visit/session")).status == 200
        assert (await doctor.join(there.sealed("dr", Role.PRACTITIONER, "two", encounter="Encounter/2"))).status == 200
        assert (await doctor.http.get("/visit/session")).status == 409
        for room in ("one", "two"):
            seat = await (await doctor.http.get("/visit/session", params={"room": room})).json()
            assert seat["room"] == room
            answer = await doctor.http.post("/visit/media", params={"room": room}, data=b"v=0", headers=SDP)
            assert answer.headers["Location"].endswith(f"?room={room}")
            assert (await doctor.http.delete(answer.headers["Location"])).status == 200
        assert (await doctor.http.get("/visit/session", params={"room": "three"})).status == 401

    within(tmp_path, visit)


def test_a_page_keeps_headers_of_its_own_and_the_clinician_gets_the_chart(tmp_path: Path) -> None:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text="page", headers={"Cache-Control": "max-age=9", "Content-Security-Policy": "own"})

    async def visit(there: Consult) -> None:
        answer = await there.page().http.get("/visit")
        assert answer.headers.getall("Cache-Control") == ["max-age=9"]
        assert answer.headers.getall("Content-Security-Policy") == ["own"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        doctor, patient = await there.arrive("dr", Role.PRACTITIONER), await there.arrive("pt")
        assert doctor.seat["chart"] == "https://chart.example/Encounter/1" and "chart" not in patient.seat

    def chart(record: Mapping[str, str]) -> str:
        return f"https://chart.example/{record['encounter']}"

    within(tmp_path, visit, pages=lambda made: made.router.add_get("/visit", page), chart=chart)


def test_over_tls(tmp_path: Path) -> None:
    server, client = _contexts(tmp_path)

    async def visit(there: Consult) -> None:
        assert there.url.startswith("https:")
        connector = aiohttp.TCPConnector(ssl=client)
        async with aiohttp.ClientSession(
            base_url=there.url, headers={"Origin": there.url}, connector=connector
        ) as http:
            answer = await http.post("/visit/join", json={"ticket": there.sealed("pt")})
            assert answer.status == 200 and "Secure" in answer.headers["Set-Cookie"]
            assert f"wss://127.0.0.1:{there.service.port}" in answer.headers["Content-Security-Policy"]
            cookie = answer.headers["Set-Cookie"].split(";")[0]
            async with http.ws_connect("/visit/events", headers={"Cookie": cookie}) as socket:
                assert (await socket.receive_json())["event"] == "state"

    within(tmp_path / "ledger", visit, tls=server)


def _contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "visit")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1))
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = made.add_extension(alternative, critical=False).sign(key, hashes.SHA256())
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "both.pem").write_bytes(private + pem)
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cadata=pem.decode())
    server.load_cert_chain(folder / "both.pem")
    return server, client
