"""The ICE-lite agent: it answers connectivity checks and does nothing else; what it answers opens the way for media.

RFC 8445 sections 2.5 and 7.3 (lite), RFC 8489 (STUN; RFC 5389 before it), RFC 7675 (consent).
"""

import struct
from typing import NamedTuple, Protocol

from aioice import stun

from video.media.counters import Counters, Dropped
from video.media.sdp import Credentials

Address = tuple[str, int] | tuple[str, int, int, int]
_COOKIE = stun.COOKIE.to_bytes(4, "big")
_ROLE_CONFLICT = (487, "Role Conflict")


class Checked(Protocol):
    """Who has credentials; ``addresses`` passed a check. What may still come this second: ``checks`` that are signed,
    and ``strange`` ones from elsewhere, signed or not: a stranger who knows the name uses up nothing of its owner's.
    """

    checks: int
    strange: int
    addresses: list[Address]


class Check(NamedTuple):
    """``answer`` goes back to where the check came from; ``nominated``: media goes there from now on."""

    owner: Checked
    ufrag: str
    answer: bytes
    nominated: bool


class Agent:
    """Who is who by user name fragment. A check that no owner's password signs leaves no trace but a count."""

    def __init__(self, counters: Counters) -> None:
        self._owners: dict[str, tuple[Checked, bytes]] = {}
        self._counters = counters

    def add(self, owner: Checked, credentials: Credentials) -> None:
        self._owners[credentials.ufrag] = (owner, credentials.password.encode())

    def remove(self, credentials: Credentials) -> None:
        self._owners.pop(credentials.ufrag, None)

    def check(self, datagram: bytes, address: Address) -> Check | None:
        """None for whatever is dropped and counted."""
        found = self._look(datagram, address)
        if isinstance(found, Check):
            return found
        self._counters[found] += 1
        return None

    def _look(self, datagram: bytes, address: Address) -> Check | Dropped:
        user = username(datagram)
        ufrag = user.partition(":")[0]
        known = self._owners.get(ufrag)
        if known is None:
            return Dropped.STUN
        owner, password = known
        if address not in owner.addresses:
            owner.strange -= 1
            if owner.strange < 0:
                return Dropped.FLOOD
        message = _message(datagram)
        if message is None or message.message_class is not stun.Class.REQUEST:
            return Dropped.STUN
        if not message.check_message_integrity(password):
            return Dropped.INTEGRITY
        owner.checks -= 1
        if owner.checks < 0:
            return Dropped.FLOOD
        return Check(owner, ufrag, _answer(message, password, address), "USE-CANDIDATE" in message.attributes)


def username(datagram: bytes) -> str:
    """USERNAME of a binding request, read without reading the rest; '' when there is none."""
    if len(datagram) < 20 or datagram[:2] != b"\0\1" or datagram[4:8] != _COOKIE:
        return ""
    at = 20
    while at + 4 <= len(datagram):
        kind, length = struct.unpack_from("!HH", datagram, at)
        if kind == 6:
            return datagram[at + 4 : at + 4 + length].decode("ascii", "replace")
        at += 4 + length + (-length & 3)
    return ""


def _message(datagram: bytes) -> stun.Message | None:
    try:
        return stun.parse_message(datagram)
    except (ValueError, struct.error, LookupError, TypeError):
        return None


def _answer(request: stun.Message, password: bytes, address: Address) -> bytes:
    """A lite agent is the controlled one; two of them cannot meet (RFC 8445 section 7.3.1.1)."""
    conflict = "ICE-CONTROLLED" in request.attributes
    message = stun.Message(
        message_method=stun.Method.BINDING,
        message_class=stun.Class.ERROR if conflict else stun.Class.RESPONSE,
        transaction_id=request.transaction_id,
        attributes={"ERROR-CODE": _ROLE_CONFLICT} if conflict else {"XOR-MAPPED-ADDRESS": address[:2]},
    )
    message.add_message_integrity(password)
    return bytes(message)
