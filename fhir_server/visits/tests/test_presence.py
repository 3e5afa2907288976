"""Questions and answers over a real socket, sealed by one key or another."""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import msgspec
import pytest

from fhir_server.visits.presence import Presence, Question, answered
from video.errors import Refused
from video.ports import Role
from video.room.model import Member, Room, Standing
from video.signalling.tests.consult import AesSealer

NOW = 1_800_000_000_000
ADA = Member("m1", Role.PATIENT, "Ada Okafor", "Patient/ada", Standing.WAITING, NOW - 5000, socket=True)
GONE = Member("m2", Role.GUEST, "Carl", "", Standing.LEFT, NOW)
ROOM = Room("r1", "Encounter/1", "", "Patient/ada", members={"m1": ADA, "m2": GONE})


@contextmanager
def served(answer: Callable[[str], bytes]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answer(self.headers["Authorization"].removeprefix("Bearer "))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *of: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_who_is_before_the_door_is_told_sealed() -> None:
    sealer, bodies = AesSealer(), []

    def answer(question: str) -> bytes:
        bodies.append(answered(sealer, question, [ROOM], NOW))
        return bodies[-1]

    with served(answer) as url:
        [one] = Presence(url, sealer, lambda: NOW)() or []
    assert (one.encounter, one.name, one.standing, one.here) == ("Encounter/1", "Ada Okafor", "waiting", True)
    assert b"Ada" not in bodies[0]


def test_an_answer_of_another_key_or_to_another_question_is_none() -> None:
    ours, other = AesSealer(), AesSealer()
    old = urlsafe_b64encode(ours.seal("visit presence question", msgspec.msgpack.encode(Question("old", NOW)))).decode()
    for body in (b"", b"x" * 99, answered(ours, old, [ROOM], NOW)):
        with served(lambda question, body=body: body) as url:
            assert Presence(url, ours, lambda: NOW)() is None
            assert Presence(url, other, lambda: NOW)() is None
    assert Presence(url, ours, lambda: NOW)() is None  # nobody is there any more


@pytest.mark.parametrize("question", ["", "x", "AAAA", "\u00e4"])
def test_strangers_are_refused(question: str) -> None:
    with pytest.raises(Refused):
        answered(AesSealer(), question, [ROOM], NOW)


def test_an_old_question_is_refused() -> None:
    sealer = AesSealer()
    asked = urlsafe_b64encode(sealer.seal("visit presence question", msgspec.msgpack.encode(Question("q", NOW))))
    with pytest.raises(Refused):
        answered(sealer, asked.decode(), [ROOM], NOW + 61_000)
