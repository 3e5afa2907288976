"""The link of an invitation over HTTP."""

import asyncio

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application

from video.errors import Refused
from video.signalling.headers import refusals
from video.signalling.invitation import LIMITS, Invitations
from video.signalling.tests.consult import CountingWatch


def redeem(secret: str, address: str) -> dict[str, str]:
    if secret != "good":
        raise Refused("invitation", "No.", 403)
    return {"ticket": f"ticket for {address}"}


async def asked(*bodies: bytes, kind: str = "application/json") -> list[tuple[int, dict[str, str]]]:
    application = Application(middlewares=[refusals(CountingWatch())])
    Invitations(redeem, lambda request: "192.0.2.1").add_to(application)
    async with TestClient(TestServer(application)) as client:
        answers = [await client.post("/visit/invitation", data=body, headers={"Content-Type": kind}) for body in bodies]
        return [(answer.status, await answer.json()) for answer in answers]


def test_a_good_link_buys_a_ticket() -> None:
    [answer] = asyncio.run(asked(b'{"invitation": "good"}'))
    assert answer == (200, {"ticket": "ticket for 192.0.2.1"})


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"invitation": "bad"}', 403, "invitation"),
        (b'{"invitation": "%s"}' % (b"x" * 60_000), 403, "invitation"),
        (b'{"invitation": 1}', 400, "malformed"),
        (b"[" * 50_000, 400, "malformed"),
        (b"\xff", 400, "malformed"),
    ],
)
def test_what_is_refused(body: bytes, status: int, code: str) -> None:
    [(found, told)] = asyncio.run(asked(body))
    assert (found, told["refused"]) == (status, code)


def test_only_json() -> None:
    assert asyncio.run(asked(b"{}", kind="text/plain"))[0][0] == 415


def test_nobody_guesses_for_long() -> None:
    answers = asyncio.run(asked(*[b'{"invitation": "bad"}'] * (int(LIMITS["invitation"].burst) + 5)))
    assert answers[-1][0] == 429
