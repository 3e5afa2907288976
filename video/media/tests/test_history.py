"""The ring of packets and the stream in which they are sent again."""

from video.media.history import LAST, SIZE, History, unwrapped, wrapped
from video.media.rtp import HEADER


def packet(sequence: int, flags: int = 0x80, body: bytes = b"body") -> bytes:
    return HEADER.pack(flags, 0x80 | 97, sequence & 0xFFFF, 9, 11) + body


def test_the_last_packets_are_kept_and_no_more() -> None:
    history = History()
    for sequence in range(65000, 65000 + SIZE + 10):
        history.ring[sequence & LAST] = packet(sequence)
    assert history.get(65009) == b""
    assert history.get(65010) == packet(65010)
    assert history.get(65000 + SIZE + 9 & 0xFFFF) == packet(65000 + SIZE + 9)


def test_a_probe_of_padding_is_nothing() -> None:
    assert unwrapped(packet(7, 0xA0, bytes(9) + b"\x0a"), 97, 11) == b""


def test_extensions_and_the_end_of_a_picture_survive() -> None:
    extended = packet(7, 0x90, b"\xbe\xde\0\1\x22abc" + b"body")
    again = wrapped(extended, 98, 1, 12)
    assert (again[1], again[8:12]) == (0x80 | 98, (12).to_bytes(4, "big"))
    assert unwrapped(again, 97, 11) == extended
