"""``hearth video``: what waits, and the TURN server's configuration."""

import json

from fhir_server.commands.tests.conftest import Run

TURN = ("--video-ice-servers", "turn:turn.example.org:3478", "--video-ice-secret", "shared")


def test_what_waits(run: Run) -> None:
    assert run("video", "waiting")[1].startswith("0 facts of visits are on their way to the record, 0 wait")
    assert run("video", "again", "--room", "none")[1] == "0 facts are tried again\n"


def test_the_configuration_of_coturn(run: Run) -> None:
    status, told, _ = run("video", "turn-config", *TURN, "--video-media-addresses", "192.0.2.1")[:3]
    assert status == 0
    assert {"static-auth-secret=shared", "allowed-peer-ip=192.0.2.1", "use-auth-secret"} <= set(told.splitlines())
    assert {"no-tls", "user-quota=30"} <= set(told.splitlines())
    assert "realm=127.0.0.1" in told.splitlines(), json.dumps(told)


def test_without_a_server_there_is_nothing_to_configure(run: Run) -> None:
    status, _, said = run("video", "turn-config")[:3]
    assert status == 2
    assert "VIDEO_ICE_SERVERS" in said
