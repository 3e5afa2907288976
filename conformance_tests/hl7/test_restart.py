"""What was acknowledged is there after the server was stopped, and after it was killed."""

import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from conformance_tests.client import Client
from conformance_tests.hl7.bridge import Bridge, bridged, found, until
from conformance_tests.hl7.messages import HOSPITAL, oru
from conformance_tests.hl7.wire import framed
from conformance_tests.process import postgresql

requirement = pytest.mark.requirement


@pytest.fixture(params=["sqlite", "postgresql"])
def own(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    """A bridge that nobody else uses."""
    with ExitStack() as opened:
        database = opened.enter_context(postgresql()) if request.param == "postgresql" else ""
        yield opened.enter_context(bridged(tmp_path_factory.mktemp("restart"), database))


def results(record: Client, patient: str) -> int:
    return len(found(record, "Observation", **{"patient.identifier": f"{HOSPITAL}|{patient}"}))


@requirement("hl7:2.9.2")
def test_what_was_acknowledged_outlives_the_server(own: Bridge) -> None:
    patient, ids = uuid.uuid4().hex[:12], [uuid.uuid4().hex[:16] for _ in range(40)]
    with own.wire() as wire:
        first = wire.ask(oru(ids[0], patient, app="LATER"))
        wire.send(framed(*(oru(id, patient, app="LATER") for id in ids[1:])))
        told = [wire.answer() for _ in ids[1:]]
        assert {answer.code for answer in [first, *told]} == {"AA"}
    own.stop()
    own.start()
    record = own.client()
    until(lambda: results(record, patient) == len(ids))
    with own.wire() as wire:
        # Answered when stored, and again when applied: a resend hears the latter.
        assert wire.ask(oru(ids[0], patient, app="LATER")).code == "AA"
    assert results(record, patient) == len(ids)


@requirement("hl7:2.9.2")
def test_what_was_acknowledged_outlives_a_kill(own: Bridge) -> None:
    patient, ids = uuid.uuid4().hex[:12], [uuid.uuid4().hex[:16] for _ in range(30)]
    with own.wire() as wire:
        wire.send(framed(*(oru(id, patient, app="LATER") for id in ids)))
        told = [wire.answer().id for _ in range(20)]
        for pid in _family(own):
            os.kill(pid, signal.SIGKILL)
        assert own.child is not None
        own.child.wait()
    own.start()
    kept = own.hl7("tail", "--count", "100")
    assert all(id in kept for id in told)
    with own.wire() as wire:
        for id in ids:
            assert wire.ask(oru(id, patient, app="LATER")).code == "AA"
    record = own.client()
    until(lambda: results(record, patient) == len(ids))


def _family(bridge: Bridge) -> list[int]:
    """The server's processes, the supervisor first so that it starts none again."""
    assert bridge.child is not None
    found, waiting = [], [bridge.child.pid]
    while waiting:
        found.append(waiting.pop(0))
        try:
            with open(f"/proc/{found[-1]}/task/{found[-1]}/children") as children:
                waiting += [int(each) for each in children.read().split()]
        except OSError:  # not Linux, or gone already: the children end by themselves
            continue
    return found
