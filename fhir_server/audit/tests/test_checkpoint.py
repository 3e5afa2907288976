"""Tests of the signed checkpoints."""

import msgspec
import pytest

from fhir_server.audit.chain import Chain
from fhir_server.audit.checkpoint import FIRST, Checkpoints, link, opened, read_witness, write_witness
from fhir_server.audit.record import Interaction, event
from fhir_server.keys import KeyName
from resources.errors import Unavailable
from resources.repository import Caller

RECORD = event(Caller("open"), Interaction.READ, entity="Patient/1")


def grown(trail, chain, count=1):
    trail.insert(chain.extend([RECORD] * count))
    chain.accept()


@pytest.fixture
def trail(memory_trail):
    return memory_trail()


@pytest.fixture
def chain(keyring):
    return Chain(keyring.current(KeyName.AUDIT_CHAIN).secret)


def test_only_moved_heads_are_signed(trail, chain, keyring):
    checkpoints = Checkpoints(keyring, lambda: trail)
    assert checkpoints.make(trail) is None
    grown(trail, chain, 3)
    first = checkpoints.make(trail)
    other = Chain(keyring.current(KeyName.AUDIT_CHAIN).secret)
    grown(trail, other)
    second = checkpoints.make(trail)
    assert checkpoints.make(trail) is None
    assert [(h.chain, h.n) for h in opened(first, keyring).heads] == [(chain.id, 3)]
    assert [(h.chain, h.n) for h in opened(second, keyring).heads] == [(other.id, 1)]
    assert opened(first, keyring).previous == FIRST
    assert opened(second, keyring).previous == link(first)


def test_another_process_goes_on_where_the_first_stopped(trail, chain, keyring):
    for _ in range(7):
        grown(trail, chain)
        Checkpoints(keyring, lambda: trail).make(trail)
    late = Checkpoints(keyring, lambda: trail)
    assert late.make(trail) is None
    assert [row.number for row in trail.checkpoints] == list(range(1, 8))


def test_of_two_processes_one_makes_the_checkpoint(trail, chain, keyring):
    grown(trail, chain)
    one, two = Checkpoints(keyring, lambda: trail), Checkpoints(keyring, lambda: trail)
    stale = trail.last_checkpoint()
    assert one.make(trail) is not None
    trail.last_checkpoint = lambda: stale
    assert two.make(trail) is None


def test_a_changed_checkpoint_does_not_open(trail, chain, keyring):
    grown(trail, chain)
    row = Checkpoints(keyring, lambda: trail).make(trail)
    assert opened(row, keyring)
    assert not opened(row._replace(recorded=row.recorded + 1), keyring)
    assert not opened(row._replace(body=row.body[:-1] + bytes([row.body[-1] ^ 1])), keyring)
    assert not opened(row._replace(signature=bytes(64)), keyring)
    assert not opened(row._replace(key=9), keyring)


def test_the_signing_key_may_be_rotated(trail, chain, keyring):
    grown(trail, chain)
    first = Checkpoints(keyring, lambda: trail).make(trail)
    keyring.rotate(KeyName.AUDIT_SIGNING)
    grown(trail, chain)
    second = Checkpoints(keyring, lambda: trail).make(trail)
    assert (first.key, second.key) == (1, 2)
    assert opened(first, keyring) and opened(second, keyring)


def test_due_after_a_period_whoever_made_the_last(trail, chain, keyring):
    grown(trail, chain)
    row = Checkpoints(keyring, lambda: trail).make(trail)
    recorded = row.recorded / 1e6
    assert not Checkpoints(keyring, lambda: trail, now=lambda: recorded + 59).due(trail)
    assert Checkpoints(keyring, lambda: trail, now=lambda: recorded + 60).due(trail)


def test_stop_signs_the_rest(trail, chain, keyring, tmp_path):
    checkpoints = Checkpoints(keyring, lambda: trail, witness=tmp_path / "audit" / "witness")
    checkpoints.start()
    grown(trail, chain)
    checkpoints.stop()
    assert read_witness(tmp_path / "audit" / "witness") == (1, link(trail.checkpoints[0]))


def test_the_witness_never_goes_back(trail, chain, keyring, tmp_path):
    path = tmp_path / "witness"
    assert read_witness(path) is None
    rows = []
    for _ in range(2):
        grown(trail, chain)
        rows.append(Checkpoints(keyring, lambda: trail).make(trail))
    write_witness(path, rows[1])
    write_witness(path, rows[0])
    assert read_witness(path) == (2, link(rows[1]))
    path.write_text("rubbish")
    with pytest.raises(Unavailable):
        read_witness(path)


def test_a_body_is_a_message_pack_array(trail, chain, keyring):
    grown(trail, chain)
    row = Checkpoints(keyring, lambda: trail).make(trail)
    form, number, recorded, previous, heads = msgspec.msgpack.decode(row.body)
    assert (form, number, recorded, previous) == (1, 1, row.recorded, FIRST)
    assert heads == [[chain.id, 1, trail.rows[-1].hash]]
