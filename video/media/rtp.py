"""RTP packets as bytes: headers, header extensions, the start of a picture.

RFC 3550 section 5.1, RFC 8285 (header extensions), RFC 7741 section 4 (VP8), RFC 6184 section 5 (H.264).
"""

from struct import Struct

HEADER = Struct("!BBHII")
"""Flags, marker and payload type, sequence number, timestamp, SSRC."""
WITH_TIME = Struct("!BBHIIHHI")
"""The same, and one extension: abs-send-time."""
SHORTEST = HEADER.size
_ONE_BYTE, _TWO_BYTE = 0xBEDE, 0x1000
_WORD = Struct("!HH")
_BEDE = _ONE_BYTE.to_bytes(2, "big")


class Malformed(ValueError):
    """Bytes that are no such packet; whoever catches it drops and counts them."""


def payload_start(packet: bytes) -> int:
    """Where the payload begins. Raises Malformed."""
    flags = packet[0] if packet else 0
    start = SHORTEST + 4 * (flags & 15)
    if flags & 0x10:
        if len(packet) < start + 4:
            raise Malformed("header extension")
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
    if flags >> 6 != 2 or len(packet) < start:
        raise Malformed("header")
    return start


def opened(packet: bytes, number: int) -> tuple[int, int]:
    """Where the payload begins, and the three octets of header extension ``number`` (-1: not there). Raises Malformed.

    For each packet: no more than both is read, and the usual one-byte elements are walked in place.
    """
    if packet[0] == 0x80:
        return SHORTEST, -1
    start = payload_start(packet)
    if not packet[0] & 0x10 or not number:
        return start, -1
    at = SHORTEST + 4 * (packet[0] & 15)
    if packet[at : at + 2] != _BEDE:
        found = extensions(packet).get(number, b"")
        return start, int.from_bytes(found, "big") if len(found) == 3 else -1
    at += 4
    while at < start:
        head = packet[at]
        if head >> 4 == number:
            fits = head & 15 == 2 and at + 4 <= start
            return start, int.from_bytes(packet[at + 1 : at + 4], "big") if fits else -1
        if head >> 4 == 15:
            break
        at += (head & 15) + 2 if head else 1
    return start, -1


def payload(packet: bytes, start: int) -> bytes:
    """Without padding. Raises Malformed."""
    if not packet[0] & 0x20:
        return packet[start:]
    padding = packet[-1]
    if not 0 < padding <= len(packet) - start:
        raise Malformed("padding")
    return packet[start : len(packet) - padding]


def extensions(packet: bytes) -> dict[int, bytes]:
    """Header extension elements by id (RFC 8285 sections 4.2 and 4.3). Raises Malformed."""
    if not packet[0] & 0x10:
        return {}
    end, begin = payload_start(packet), SHORTEST + 4 * (packet[0] & 15)
    profile, _ = _WORD.unpack_from(packet, begin)
    block = packet[begin + 4 : end]
    if profile == _ONE_BYTE:
        return _elements(block, 1)
    return _elements(block, 2) if profile & 0xFFF0 == _TWO_BYTE else {}


def _elements(block: bytes, head: int) -> dict[int, bytes]:
    found, at = {}, 0
    while at < len(block):
        if block[at] == 0:
            at += 1
            continue
        if head == 1:
            number, length = block[at] >> 4, (block[at] & 15) + 1
            if number == 15:
                break
        else:
            if at + 1 >= len(block):
                raise Malformed("extension element")
            number, length = block[at], block[at + 1]
        at += head
        if at + length > len(block):
            raise Malformed("extension element")
        found[number] = block[at : at + length]
        at += length
    return found


def starts_vp8_picture(packet: bytes, start: int) -> bool:
    """Whether a VP8 key frame begins here: partition 0 begins (S, PID 0) and the inverse key frame bit is 0."""
    size = len(packet)
    if size <= start or packet[start] & 0x17 != 0x10:
        return False
    at = start + vp8_descriptor(packet, start)
    return size > at and not packet[at] & 1


def vp8_descriptor(packet: bytes, start: int) -> int:
    """Length of the VP8 payload descriptor, which may be more than what is there."""
    if not packet[start] & 0x80 or len(packet) < start + 2:
        return 1
    parts, length = packet[start + 1], 2
    if parts & 0x80:
        length += 2 if len(packet) > start + 2 and packet[start + 2] & 0x80 else 1
    return length + bool(parts & 0x40) + bool(parts & 0x30)


def starts_h264_picture(packet: bytes, start: int) -> bool:
    """Whether an IDR slice or a sequence parameter set begins here: single NAL unit, STAP-A or FU-A."""
    if len(packet) < start + 2:
        return False
    kind = packet[start] & 31
    if kind == 28:
        return bool(packet[start + 1] & 0x80) and packet[start + 1] & 31 in (5, 7)
    if kind == 24:
        return len(packet) > start + 3 and packet[start + 3] & 31 in (5, 7)
    return kind in (5, 7)


STARTS_PICTURE = {"vp8": starts_vp8_picture, "h264": starts_h264_picture}
