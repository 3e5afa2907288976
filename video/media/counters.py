"""What the media server dropped and why; nothing here names anybody.

RFC 8445 section 19 and RFC 3550 section 9: what is not authentic is dropped in silence.
"""

from collections import Counter
from enum import StrEnum


class Dropped(StrEnum):
    """Why a datagram went no further."""

    UNKNOWN = "unknown"  # from an address that passed no check
    STUN = "stun"  # no STUN message, or not for us
    INTEGRITY = "integrity"  # a STUN check with another password
    FLOOD = "flood"  # more checks or handshake datagrams than anybody needs
    CAP = "cap"  # more packets than the room's share
    SRTP = "srtp"  # wrong keys, or a replay
    MALFORMED = "malformed"  # authentic, and yet no RTP or RTCP
    STRANGE = "strange"  # a stream that was not offered
    BLOCKED = "blocked"  # the socket would not take it
    CODEC = "codec"  # the receiver did not offer the codec
    SIZE = "size"  # larger than a datagram of media


Counters = Counter[Dropped]
