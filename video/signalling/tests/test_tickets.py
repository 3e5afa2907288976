"""Tickets: sealed, short-lived, used once; every other bytes are forged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video.ports import Role
from video.signalling.ledger import Ledger
from video.signalling.tests.consult import AesSealer
from video.signalling.tickets import LIFE, BadTicket, new_ticket, open_ticket, seal_ticket, use_ticket
from video.signalling.words import Word

NOW = 1_800_000_000
SEALER = AesSealer()


def test_there_and_back() -> None:
    ticket = new_ticket("room", "pt", Role.PATIENT, "Jörg", NOW, actor="Patient/1", life=99_999)
    assert open_ticket(SEALER, seal_ticket(SEALER, ticket), NOW) == ticket
    assert ticket.expires == NOW + LIFE


@pytest.mark.parametrize(
    ("at", "good"), [(-61, False), (-60, True), (0, True), (LIFE - 1, True), (LIFE, False), (10**9, False)]
)
def test_good_for_ten_minutes_at_most(at: int, good: bool) -> None:
    sealed = seal_ticket(SEALER, new_ticket("room", "pt", Role.PATIENT, "", NOW))
    if good:
        assert open_ticket(SEALER, sealed, NOW + at).room == "room"
        return
    with pytest.raises(BadTicket) as refused:
        open_ticket(SEALER, sealed, NOW + at)
    assert refused.value.word is Word.TICKET_EXPIRED


@given(st.one_of(st.text(max_size=200), st.binary(max_size=200).map(lambda raw: raw.hex()), st.just("x" * 10_000)))
def test_whatever_else_is_forged(sealed: str) -> None:
    with pytest.raises(BadTicket) as refused:
        open_ticket(SEALER, sealed, NOW)
    assert refused.value.word is Word.TICKET_FORGED


@given(st.data())
def test_not_a_character_may_differ(data: st.DataObject) -> None:
    sealed = seal_ticket(SEALER, new_ticket("room", "pt", Role.PATIENT, "name", NOW))
    place = data.draw(st.integers(0, len(sealed) - 2))  # the last one may hold bits that say nothing
    other = data.draw(st.sampled_from("ABCabc019-_").filter(lambda letter: letter != sealed[place]))
    with pytest.raises(BadTicket):
        open_ticket(SEALER, sealed[:place] + other + sealed[place + 1 :], NOW)


def test_what_is_sealed_for_something_else_is_no_ticket() -> None:
    sealed = seal_ticket(_Purpose(), new_ticket("room", "pt", Role.PATIENT, "", NOW))
    with pytest.raises(BadTicket):
        open_ticket(SEALER, sealed, NOW)


class _Purpose(AesSealer):
    def seal(self, purpose: str, secret: bytes) -> bytes:
        return super().seal("invitation", secret)


def test_used_once() -> None:
    ledger, ticket = Ledger(":memory:", SEALER), new_ticket("room", "pt", Role.PATIENT, "", NOW)
    use_ticket(ledger, ticket)
    with pytest.raises(BadTicket) as refused:
        use_ticket(ledger, ticket)
    assert refused.value.word is Word.TICKET_REPLAYED
