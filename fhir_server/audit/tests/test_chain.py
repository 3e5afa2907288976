"""Tests of the hash chain."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.audit import chain as chains
from fhir_server.audit.chain import LIFETIME, Chain, born, genesis, new_chain_id, oldest_open, row_hash
from fhir_server.audit.record import AuditRecord, AuditRow, Interaction, Outcome, event
from resources.repository import Caller

KEY = b"k" * 32
RECORD = event(Caller("Practitioner/1"), Interaction.READ, entity="Patient/1", patient="Patient/1")


def follows(rows: list[AuditRow], key: bytes = KEY) -> bool:
    previous = genesis(key, rows[0].chain)
    for n, row in enumerate(rows, 1):
        if row.n != n or row.hash != row_hash(key, previous, row[:-1]):
            return False
        previous = row.hash
    return True


def test_accepted_rows_are_one_chain():
    chain = Chain(KEY)
    rows = chain.extend([RECORD, RECORD])
    chain.accept()
    rows += chain.extend([RECORD])
    assert follows(rows)
    assert {row.chain for row in rows} == {chain.id}
    assert not follows(rows, b"x" * 32)


def test_two_statements_of_one_transaction_follow_each_other():
    chain = Chain(KEY)
    rows = chain.extend([RECORD]) + chain.extend([RECORD])
    chain.accept()
    assert follows(rows + chain.extend([RECORD]))


def test_discarded_numbers_are_given_again():
    chain = Chain(KEY)
    chain.extend([RECORD, RECORD])
    chain.discard()
    assert follows(chain.extend([RECORD]))


def test_an_unknown_outcome_begins_a_new_chain():
    chain = Chain(KEY)
    first = chain.extend([RECORD])
    chain.renew()
    second = chain.extend([RECORD])
    assert first[0].chain != second[0].chain and second[0].n == 1


def test_an_old_chain_gives_way_but_never_inside_a_transaction(monkeypatch):
    chain = Chain(KEY)
    old = chain.extend([RECORD])[0].chain
    later = born(old) + LIFETIME + 2
    monkeypatch.setattr(chains, "time", lambda: later)
    assert chain.extend([RECORD])[0].chain == old
    chain.accept()
    assert chain.extend([RECORD])[0].chain != old


def test_ids_are_positive_and_sort_by_birth():
    assert 0 < new_chain_id(1_000) < new_chain_id(1_001) < 2**63
    assert born(new_chain_id(12345.6)) == 12345
    assert new_chain_id(10**9) > oldest_open(10**9 + LIFETIME)


@given(
    st.builds(
        AuditRecord,
        st.integers(0, 2**62),
        st.integers(0, 9),
        st.just(RECORD.action),
        st.just(RECORD.interaction),
        st.sampled_from(Outcome),
        *[st.text(st.characters())] * 8,
    )
)
def test_every_row_can_be_stored_and_hashes_the_same_when_read_back(record):
    row = Chain(KEY).extend([record])[0]
    assert not any("\0" in value for value in row if isinstance(value, str))
    assert all(type(value) in (int, str, bytes) for value in row)
    again = AuditRow._make(msgspec.msgpack.decode(msgspec.msgpack.encode(row)))
    assert follows([again])


def test_lone_surrogates_are_replaced():
    record = msgspec.structs.replace(RECORD, detail="a\ud800b\0c")
    assert Chain(KEY).extend([record])[0].detail.count("\ufffd") >= 2
