import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7_bridge.mllp import framing
from hl7_bridge.mllp.framing import Decoder, Frame, Noise, Oversize, Unfinished, encode

A, B = b"MSH|^~\\&|1\rPID|1\r", b"MSH|^~\\&|2\r"


def fed(*parts, end=False, **options):
    decoder = Decoder(**options)
    events = [event for part in parts for event in decoder.receive(part)]
    return events + (decoder.end() if end else [])


@pytest.mark.parametrize(
    ("parts", "events"),
    [
        ([encode(A)], [Frame(A)]),
        ([encode(A) + encode(B)], [Frame(A), Frame(B)]),
        ([encode(A)[:5], encode(A)[5:-1], b"\r"], [Frame(A)]),
        ([b"hello" + encode(A)], [Noise(5), Frame(A)]),
        ([b"\r\n" + encode(A) + b"\n" + encode(B)], [Frame(A), Frame(B)]),
        ([b"\x0b" + A + encode(B)], [Unfinished(A), Frame(B)]),
        ([b"\x0b" + A + b"\x1c" + encode(B)], [Frame(A), Frame(B)]),
        ([b"\x0b" + A + b"\x1c", encode(B)], [Frame(A), Frame(B)]),
        ([b"\x0bMSH|a\x1cb\r\x1c\r"], [Frame(b"MSH|a\x1cb\r")]),
        ([b"\x0bMSH|a\x0bb\r\x1c\r"], [Frame(b"MSH|a\x0bb\r")]),
        ([b"\x0b\x1c\r" + encode(A)], [Frame(b""), Frame(A)]),
        ([b"\x0b\x0b" + A + b"\x1c\r"], [Frame(A)]),
        ([b"GET / HTTP/1.1\r\n\r\n"], []),
    ],
)
def test_frames(parts, events):
    assert fed(*parts) == events


def test_what_the_end_of_a_connection_leaves():
    assert fed(b"\x0b" + A, end=True) == [Unfinished(A)]
    assert fed(b"\x0b" + A + b"\x1c", end=True) == [Frame(A)]
    assert fed(b"GET /", end=True) == [Noise(5)]
    assert fed(encode(A), end=True) == [Frame(A)]
    assert fed(end=True) == []


def test_a_pause_completes_a_frame_without_its_last_character():
    decoder = Decoder()
    assert decoder.receive(b"\x0b" + A) == []
    assert decoder.partial
    assert decoder.pause() == []
    assert decoder.receive(b"\x1c") == []
    assert decoder.pause() == [Frame(A)]
    assert not decoder.partial
    assert decoder.receive(b"\r" + encode(B)) == [Frame(B)]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_too_large_is_told_once_and_the_next_is_read(size):
    stream = b"\x0b" + A + b"x" * 5000 + b"\x1c\r" + encode(B)
    parts = [stream[n : n + size] for n in range(0, len(stream), size)]
    told = fed(*parts, frame_max=100)
    assert [type(event) for event in told] == [Oversize, Frame]
    assert told[0].head.startswith(A)
    assert told[1] == Frame(B)


def test_memory_of_a_message_above_the_cap_is_bounded():
    decoder = Decoder(frame_max=1000)
    decoder.receive(b"\x0bMSH")
    for _ in range(1000):
        decoder.receive(b"x" * 1000)
    assert len(decoder._buffer) <= 1000
    assert decoder.end() == []


def test_what_would_end_a_frame_is_not_sent():
    for raw in (b"a\x1c\rb", b"a\x0bb"):
        with pytest.raises(ValueError, match="block"):
            encode(raw)


messages = st.binary(min_size=1, max_size=40).map(
    lambda raw: b"MSH" + raw.replace(b"\x0b", b"v").replace(b"\x1c", b"f")
)


@given(st.lists(messages, max_size=6), st.lists(st.integers(1, 30), min_size=1))
def test_however_the_bytes_are_cut(sent, cuts):
    stream = b"".join(map(encode, sent))
    parts, at = [], 0
    while at < len(stream):
        size = cuts[len(parts) % len(cuts)]
        parts.append(stream[at : at + size])
        at += size
    assert fed(*parts, end=True) == [Frame(raw) for raw in sent]


@given(st.lists(st.binary(max_size=20)))
def test_any_bytes_are_taken(parts):
    told = fed(*parts, end=True, frame_max=30)
    assert all(len(event.raw) <= 30 for event in told if isinstance(event, Frame))


@pytest.mark.parametrize("size", [framing._LARGE - 1, framing._LARGE, 2 * framing._LARGE + 5])
@pytest.mark.parametrize("step", [framing._LARGE // 3, 4 * framing._LARGE])
def test_a_large_frame_comes_whole_and_so_does_what_follows(size: int, step: int) -> None:
    first = b"MSH|" + b"x" * (size - 5) + b"\x1c"
    sent = encode(first) + encode(b"MSH|second")
    decoder, events = Decoder(), []
    for at in range(0, len(sent), step):
        events += decoder.receive(sent[at : at + step])
    assert events == [Frame(first), Frame(b"MSH|second")]
    assert decoder.held == 0


def test_a_large_frame_that_is_too_large_or_ends_early_is_told_by_its_beginning() -> None:
    begun = b"\x0bMSH|1" + b"x" * framing._LARGE
    decoder = Decoder(2 * framing._LARGE)
    assert decoder.receive(begun) == [] and decoder.held == len(begun) - 1
    [oversize] = decoder.receive(b"y" * framing._LARGE)
    assert oversize == Oversize(begun[1 : framing.HEAD + 1]) and decoder.held == 0
    assert decoder.receive(b"more\x1c\r" + encode(b"MSH|next")) == [Frame(b"MSH|next")]
    decoder.receive(begun)
    assert decoder.end() == [Unfinished(begun[1 : framing.HEAD + 1])] and decoder.held == 0
