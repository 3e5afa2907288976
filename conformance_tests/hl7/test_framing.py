"""Frames: cut and run together, noise around them, ends that are missing, peers that are slow."""

import time
from collections.abc import Callable

import pytest

from conformance_tests.client import Client
from conformance_tests.hl7.bridge import Bridge, found
from conformance_tests.hl7.messages import HOSPITAL, msh, oru
from conformance_tests.hl7.wire import END, START, Wire, framed

requirement = pytest.mark.requirement
New = Callable[[], str]


@requirement("hl7:C.4.2")
def test_a_frame_is_answered_by_a_frame(wire: Wire, record: Client, new: New) -> None:
    id = new()
    answer = wire.ask(oru(id, id))
    assert (answer.code, answer.id) == ("AA", id)
    [result] = found(record, "Observation", **{"patient.identifier": f"{HOSPITAL}|{id}"})
    assert result["valueQuantity"]["value"] == 13.5


@requirement("hl7:C.4.2")
@pytest.mark.parametrize("pieces", [1, 7, 100])
def test_frames_cut_anywhere(wire: Wire, new: New, pieces: int) -> None:
    id = new()
    data = framed(oru(id, id))
    for start in range(0, len(data), pieces):
        wire.send(data[start : start + pieces])
    assert (wire.answer().code, wire.is_silent(0.3)) == ("AA", True)


@requirement("hl7:C.4.2")
def test_frames_run_together_are_answered_in_their_order(wire: Wire, new: New) -> None:
    ids = [new() for _ in range(25)]
    bad = set(ids[::4])
    wire.send(framed(*(oru(id, ids[0], processing="X" if id in bad else "P") for id in ids)))
    answers = [wire.answer() for _ in ids]
    assert [answer.id for answer in answers] == ids
    assert [answer.code for answer in answers] == ["AR" if id in bad else "AA" for id in ids]


@requirement("hl7:C.4.2")
def test_a_frame_and_a_half_then_the_rest(wire: Wire, new: New) -> None:
    first, second = new(), new()
    data = framed(oru(first, first), oru(second, second))
    wire.send(data[:-50])
    assert wire.answer().id == first
    wire.send(data[-50:])
    assert wire.answer().id == second


@requirement("hl7:C.4.2")
@pytest.mark.parametrize("noise", [b"\r\n", b"\x00\x00", b"GET / HTTP/1.1\r\n\r\n", END, b"\x1c\x1c\r\r"])
def test_noise_before_the_start_block(wire: Wire, new: New, noise: bytes) -> None:
    id = new()
    wire.send(noise + framed(oru(id, id)) + noise)
    assert wire.answer().id == id
    again = new()
    assert wire.ask(oru(again, id)).id == again


@requirement("hl7:C.4.2")
def test_a_frame_without_end_block_is_refused_when_the_next_begins(wire: Wire, new: New) -> None:
    lost, kept = new(), new()
    wire.send(START + oru(lost, lost).encode() + framed(oru(kept, kept)))
    first, second = wire.answer(), wire.answer()
    assert (first.code, first.id, first.problems[0].code) == ("AE", lost, "100")
    assert (second.code, second.id) == ("AA", kept)


@requirement("hl7:C.4.2")
def test_a_frame_without_end_block_is_not_taken_when_the_connection_ends(wire: Wire, record: Client, new: New) -> None:
    id = new()
    wire.send(START + oru(id, id).encode()[:-20])
    wire.finish()
    assert wire.answer().code == "AE"
    assert not found(record, "Patient", identifier=id)


@requirement("hl7:C.4.2")
def test_fs_without_cr_ends_a_frame_after_a_moment(wire: Wire, new: New) -> None:
    id = new()
    wire.send(START + oru(id, id).encode() + b"\x1c")
    assert wire.answer().id == id
    wire.send(b"\r")
    again = new()
    assert wire.ask(oru(again, id)).id == again


@requirement("hl7:C.4.2")
def test_fs_without_cr_before_the_next_frame(wire: Wire, new: New) -> None:
    first, second = new(), new()
    wire.send(START + oru(first, first).encode() + b"\x1c" + framed(oru(second, second)))
    assert [wire.answer().id, wire.answer().id] == [first, second]


@requirement("hl7:C.4.2")
@pytest.mark.parametrize("content", [b"", b"\r", b"hello", b"PID|1||5\r", b"\xff\xfe\x00", b"MSH", b"MSH|"])
def test_what_is_no_message_is_refused_and_the_connection_stays(wire: Wire, new: New, content: bytes) -> None:
    answer = wire.ask(content)
    assert answer.code == "AR"
    id = new()
    assert wire.ask(oru(id, id)).code == "AA"


@requirement("bridge:slow senders")
def test_a_sender_that_stalls_hinders_nobody_and_may_go_on(bridge: Bridge, new: New) -> None:
    id = new()
    data = framed(oru(id, id))
    with bridge.wire() as slow, bridge.wire() as quick:
        slow.send(data[:60])
        for _ in range(3):
            began = time.monotonic()
            other = new()
            assert quick.ask(oru(other, other)).id == other
            assert time.monotonic() - began < 5
            time.sleep(0.6)  # longer together than the silence after which a bare FS ends a frame
        slow.send(data[60:])
        assert slow.answer().id == id


@requirement("hl7:C.4.3")
def test_a_connection_serves_many_messages_and_errors(wire: Wire, new: New) -> None:
    for n in range(30):
        id = new()
        text = [oru(id, id), msh(id, "ORU^R01", processing="X"), msh("", "ORU^R01"), oru(id, "")][n % 4]
        wire.ask(text)
    id = new()
    assert wire.ask(oru(id, id)).code == "AA"


@requirement("bridge:slow senders")
def test_a_thousand_idle_connections_while_others_are_served(bridge: Bridge, new: New) -> None:
    idle = [bridge.wire() for _ in range(1000)]
    try:
        with bridge.wire() as wire:
            id = new()
            assert wire.ask(oru(id, id)).code == "AA"
        first = new()
        assert idle[0].ask(oru(first, first)).id == first
        last = new()
        assert idle[-1].ask(oru(last, last)).id == last
    finally:
        for each in idle:
            each.close()
