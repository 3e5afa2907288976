"""Connectivity checks: only what an owner's password signs opens anything; any bytes are dropped and counted."""

from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from video.media.counters import Counters, Dropped
from video.media.ice import Address, Agent
from video.media.sdp import Credentials

OWN = Credentials("0123456789abcdef", "0123456789abcdef0123456789abcdef")
ADDRESS = ("192.0.2.9", 4000)


class Owner:
    def __init__(self, *addresses: Address) -> None:
        self.checks, self.strange, self.addresses = 3, 5, list(addresses)


def request(user: str, password: str, **more: object) -> bytes:
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes={"USERNAME": user, **more})
    message.add_message_integrity(password.encode())
    return bytes(message)


def agent(*met: Address) -> tuple[Agent, Counters]:
    counters = Counters()
    made = Agent(counters)
    made.add(Owner(*met), OWN)
    return made, counters


def test_a_signed_check_is_answered_and_signed() -> None:
    made, _ = agent()
    check = made.check(request(f"{OWN.ufrag}:page", OWN.password, **{"USE-CANDIDATE": None}), ADDRESS)
    assert check is not None and check.nominated
    answer = stun.parse_message(check.answer)
    assert answer.check_message_integrity(OWN.password.encode())
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == ADDRESS


def test_other_passwords_and_floods_are_dropped() -> None:
    made, counters = agent()
    for user, password in (("nobody:page", OWN.password), (f"{OWN.ufrag}:page", "x" * 32)):
        assert made.check(request(user, password), ADDRESS) is None
    assert (counters[Dropped.STUN], counters[Dropped.INTEGRITY]) == (1, 1)
    good = [made.check(request(f"{OWN.ufrag}:p", OWN.password), ADDRESS) is not None for _ in range(4)]
    assert good == [True, True, True, False]
    assert counters[Dropped.FLOOD] == 1


def test_a_stranger_who_knows_the_name_takes_nothing_from_its_owner() -> None:
    made, counters = agent(ADDRESS)
    forged, signed = (request(f"{OWN.ufrag}:p", password) for password in ("x" * 32, OWN.password))
    assert [made.check(forged, ("198.51.100.1", port)) for port in range(50)] == [None] * 50
    assert (counters[Dropped.INTEGRITY], counters[Dropped.FLOOD]) == (5, 45)
    assert made.check(signed, ("198.51.100.1", 1)) is None
    assert made.check(signed, ADDRESS) is not None


def test_two_controlled_agents_do_not_meet() -> None:
    made, _ = agent()
    check = made.check(request(f"{OWN.ufrag}:page", OWN.password, **{"ICE-CONTROLLED": 5}), ADDRESS)
    assert check is not None
    assert stun.parse_message(check.answer).error_code == 487


@given(st.binary(max_size=200) | st.binary(max_size=80).map(lambda b: b"\0\1\0\x20\x21\x12\xa4\x42" + b))
def test_any_bytes_are_dropped(datagram: bytes) -> None:
    made, counters = agent()
    assert made.check(datagram, ADDRESS) is None
    assert sum(counters.values()) == 1


@given(st.data())
def test_a_changed_check_is_dropped(data: st.DataObject) -> None:
    made, _ = agent()
    good = request(f"{OWN.ufrag}:page", OWN.password)
    at = data.draw(st.integers(0, len(good) - 9))
    changed = good[:at] + bytes([good[at] ^ data.draw(st.integers(1, 255))]) + good[at + 1 :]
    assert made.check(changed, ADDRESS) is None
