"""Tests of the verifier: whatever is changed or removed is found, at the right place."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_server.audit import verify as verification
from fhir_server.audit.chain import Chain
from fhir_server.audit.checkpoint import Checkpoints, write_witness
from fhir_server.audit.record import Interaction, event
from fhir_server.audit.trail import CheckpointRow
from fhir_server.audit.verify import verify
from fhir_server.keys import KeyName, Keyring, MasterKey
from resources.repository import Caller


@pytest.fixture(scope="module")
def world():
    """A trail of three chains with three checkpoints and two rows after the last one."""
    from fhir_server.audit.tests.conftest import MemoryKeyRows, MemoryTrail

    keyring = Keyring(MasterKey(b"m" * 32), MemoryKeyRows())
    trail = MemoryTrail()
    chains = [Chain(keyring.current(KeyName.AUDIT_CHAIN).secret) for _ in range(3)]
    for turn in range(4):
        for chain in chains:
            for step in range(3 if turn < 3 else chain is chains[0] and 2):
                caller = Caller("Practitioner/1", address="::1")
                record = event(caller, Interaction.READ, entity=f"Patient/{turn}-{step}")
                trail.insert(chain.extend([record]))
                chain.accept()
        if turn < 3:
            Checkpoints(keyring, lambda: trail).make(trail)
    return keyring, trail, MemoryTrail


def flipped(value, bit):
    """``value`` of any column with one bit changed."""
    if isinstance(value, int):
        return value ^ 1 << bit % 62
    raw = bytearray(value.encode() if isinstance(value, str) else value) or bytearray(b"\0")
    raw[bit // 8 % len(raw)] ^= 1 << bit % 8
    return bytes(raw).decode("latin-1") if isinstance(value, str) else bytes(raw)


def test_a_whole_trail_is_good(world):
    keyring, trail, _ = world
    report = verify(trail, keyring)
    assert report.ok, report
    assert (report.rows, report.chains, report.checkpoints, report.unsigned) == (29, 3, 3, 2)


def test_pages_do_not_matter(world, monkeypatch):
    keyring, trail, _ = world
    monkeypatch.setattr(verification, "_PAGE", 1)
    assert verify(trail, keyring).rows == 29


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, 28), column=st.integers(0, 15), bit=st.integers(0, 400))
def test_one_flipped_bit_of_any_column_is_found(world, place, column, bit):
    keyring, trail, make = world
    row = trail.rows[place]
    bad = row._replace(**{row._fields[column]: flipped(row[column], bit)})
    if bad == row:
        return
    report = verify(make([*trail.rows[:place], bad, *trail.rows[place + 1 :]], trail.checkpoints), keyring)
    assert not report.ok
    if column > 1:
        assert (report.problems[0].chain, report.problems[0].n) == (row.chain, row.n)


@settings(max_examples=100, deadline=None)
@given(gone=st.sets(st.integers(0, 28), min_size=1))
def test_removed_rows_are_found_unless_they_are_the_unsigned_tail(world, gone):
    keyring, trail, make = world
    first = trail.rows[0].chain
    tail = {i for i, row in enumerate(trail.rows) if row.n > 9}
    report = verify(make([row for i, row in enumerate(trail.rows) if i not in gone], trail.checkpoints), keyring)
    only_the_tail = gone <= tail and (gone == tail or max(tail) in gone)
    assert report.ok == only_the_tail, (gone, first, report)


def test_a_removed_tail_and_a_removed_chain_are_named(world):
    keyring, trail, make = world
    short = [row for row in trail.rows if row.n < 9]
    problem = verify(make(short, trail.checkpoints), keyring).problems[0]
    assert (problem.n, "signed and are missing" in str(problem)) == (9, True)
    chain = trail.rows[0].chain
    problem = verify(make([r for r in trail.rows if r.chain != chain], trail.checkpoints), keyring).problems[0]
    assert (problem.chain, "whole chain" in problem.text) == (chain, True)


def test_a_row_stored_twice_is_found(world):
    keyring, trail, make = world
    twice = trail.rows[4]._replace(recorded=trail.rows[4].recorded + 1)
    assert not verify(make([*trail.rows, twice], trail.checkpoints), keyring).ok


def test_a_foreign_chain_is_found(world):
    keyring, trail, make = world
    forged = Chain(b"guessed" * 4).extend([event(Caller("nobody"), Interaction.READ)])
    report = verify(make([*trail.rows, *forged], trail.checkpoints), keyring)
    assert (report.problems[0].chain, report.problems[0].n) == (forged[0].chain, 1)


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 2), column=st.sampled_from(CheckpointRow._fields), bit=st.integers(0, 2000))
def test_a_forged_checkpoint_is_found(world, place, column, bit):
    keyring, trail, make = world
    row = trail.checkpoints[place]
    bad = row._replace(**{column: flipped(getattr(row, column), bit)})
    rows = [*trail.checkpoints[:place], bad, *trail.checkpoints[place + 1 :]]
    assert not verify(make(trail.rows, rows), keyring).ok


@pytest.mark.parametrize("place", [0, 1])
def test_a_missing_checkpoint_is_found(world, place):
    keyring, trail, make = world
    rows = trail.checkpoints[:place] + trail.checkpoints[place + 1 :]
    assert verify(make(trail.rows, rows), keyring).problems[0].n == place + 1


def test_a_database_set_back_is_found_by_the_witness(world, tmp_path):
    keyring, trail, make = world
    write_witness(tmp_path / "witness", trail.checkpoints[2])
    assert verify(trail, keyring, tmp_path / "witness").ok
    back = make([row for row in trail.rows if row.n <= 6], trail.checkpoints[:2])
    assert verify(back, keyring).ok
    assert verify(back, keyring, tmp_path / "witness").problems[0].n == 3


def test_the_chain_key_may_be_rotated(keyring, memory_trail):
    trail = memory_trail()
    for _ in range(2):
        chain = Chain(keyring.rotate(KeyName.AUDIT_CHAIN).secret)
        trail.insert(chain.extend([event(Caller("a"), Interaction.LOGIN)] * 3))
    assert verify(trail, keyring).ok


def test_problems_are_bounded(world):
    keyring, trail, make = world
    rows = [row._replace(who=str(random.random())) for row in trail.rows]
    assert len(verify(make(rows, trail.checkpoints), keyring, most=2).problems) == 2
