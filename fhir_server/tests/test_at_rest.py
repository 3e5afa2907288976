"""Tests of documents at rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.at_rest import ENVELOPE, PLAIN, Envelope, PatientKey, PlainSealer
from fhir_server.keys import KeyName, Keyring, MasterKey, SealedKey
from resources.errors import Gone, Unavailable


class KeyRows:
    def __init__(self):
        self.rows: dict[tuple[str, int], SealedKey] = {}

    def all_keys(self):
        return list(self.rows.values())

    def add_key(self, row):
        return self.rows.setdefault((row.name, row.id), row) is row


class PatientRows:
    """Table ``patient_key`` in memory, with one transaction at a time."""

    def __init__(self):
        self.rows = {}
        self.before = None
        self.asked = 0

    def by_id(self, id):
        return next((row for row in self.rows.values() if row.id == id), None)

    def by_subject(self, tenant, subject):
        self.asked += 1
        return self.rows.get((tenant, subject))

    def add(self, row):
        self.rows.setdefault((row.tenant, row.subject), row)

    def destroy(self, tenant, subject, id):
        known = self.rows.get((tenant, subject))
        self.rows[tenant, subject] = PatientKey(known.id if known else id, tenant, subject, b"")

    def in_transaction(self):
        return self.before is not None

    def begin(self):
        self.before = dict(self.rows)

    def rollback(self):
        self.rows, self.before = self.before, None

    def commit(self):
        self.before = None


@pytest.fixture
def keyring():
    return Keyring(MasterKey(b"m" * 32), KeyRows())


@pytest.fixture
def rows():
    return PatientRows()


@pytest.fixture
def envelope(keyring, rows):
    return Envelope(keyring, rows)


@given(st.binary())
def test_plain_documents_keep_their_bytes(doc):
    stored = PlainSealer().seal(doc, "Patient/1")
    assert stored[0] == PLAIN and PlainSealer().open(stored) == doc


def test_sealed_documents_come_back(envelope, keyring, rows):
    doc = b'{"resourceType":"Patient"}'
    stored = envelope.seal(doc, "Patient/1")
    assert stored[0] == ENVELOPE and len(stored) == len(doc) + 37 and b"Patient" not in stored
    assert envelope.open(stored) == doc
    assert Envelope(keyring, rows).open(stored) == doc
    assert envelope.seal(doc, "Patient/1") != stored


def test_patients_tenants_and_the_rest_have_different_keys(envelope, rows):
    for subject, tenant in (("Patient/1", 0), ("Patient/2", 0), ("Patient/1", 1), ("", 0)):
        envelope.seal(b"x", subject, tenant)
        envelope.seal(b"x", subject, tenant)
    assert len({row.id for row in rows.rows.values()}) == len({row.sealed for row in rows.rows.values()}) == 4


def test_a_known_key_is_not_looked_up_again(envelope, rows):
    envelope.seal(b"x", "Patient/1")
    asked = rows.asked
    envelope.seal(b"x", "Patient/1")
    assert rows.asked == asked


def test_mixed_stores_are_read(envelope, keyring, rows):
    plain, sealed = PlainSealer().seal(b"a", ""), envelope.seal(b"b", "")
    reader = Envelope(keyring, rows, encrypt=False)
    assert (reader.open(plain), reader.open(sealed)) == (b"a", b"b")
    assert reader.seal(b"c", "Patient/1")[0] == PLAIN
    with pytest.raises(Unavailable):
        PlainSealer().open(sealed)


def test_a_destroyed_key_is_gone_for_good(envelope, keyring, rows):
    stored, other = envelope.seal(b"x", "Patient/1"), envelope.seal(b"y", "Patient/2")
    envelope.destroy(0, "Patient/1")
    for sealer in (envelope, Envelope(keyring, rows)):
        with pytest.raises(Gone):
            sealer.open(stored)
        with pytest.raises(Gone):
            sealer.seal(b"new", "Patient/1")
        assert sealer.open(other) == b"y"
    envelope.destroy(0, "Patient/3")
    with pytest.raises(Gone):
        envelope.seal(b"new", "Patient/3")


def test_another_process_learns_of_the_erasure(envelope, keyring, rows):
    other = Envelope(keyring, rows, ttl=-1)
    stored = envelope.seal(b"x", "Patient/1")
    assert other.open(stored) == b"x"
    envelope.destroy(0, "Patient/1")
    with pytest.raises(Gone):
        other.open(stored)


def test_a_key_that_was_rolled_back_seals_nothing(envelope, keyring, rows):
    rows.begin()
    envelope.seal(b"x", "Patient/1")
    envelope.seal(b"y", "Patient/1")
    rows.rollback()
    rows.begin()
    stored = envelope.seal(b"z", "Patient/1")
    rows.commit()
    assert Envelope(keyring, rows).open(stored) == b"z"
    assert Envelope(keyring, rows).open(envelope.seal(b"z", "Patient/1")) == b"z"


def test_keys_are_made_in_one_order_whoever_asks(envelope, rows):
    subjects = ["Patient/2", "", "Patient/1", "Patient/3"]
    rows.begin()
    envelope.ready(subjects[:2])
    envelope.ready(reversed(subjects), tenant=1)
    assert list(rows.rows) == [(0, ""), (0, "Patient/2"), *((1, subject) for subject in sorted(subjects))]
    rows.commit()


def test_a_committed_key_is_cached_outside_of_the_transaction(envelope, rows):
    rows.begin()
    envelope.seal(b"x", "Patient/1")
    rows.commit()
    envelope.seal(b"x", "Patient/1")
    asked = rows.asked
    envelope.seal(b"x", "Patient/1")
    assert rows.asked == asked


def test_the_at_rest_key_may_be_rotated(envelope, keyring, rows):
    old = envelope.seal(b"x", "Patient/1")
    keyring.rotate(KeyName.AT_REST)
    new = envelope.seal(b"y", "Patient/2")
    fresh = Envelope(keyring, rows)
    assert (fresh.open(old), fresh.open(new)) == (b"x", b"y")


@given(place=st.integers(0, 60), bit=st.integers(0, 7))
def test_a_damaged_document_is_refused(place, bit):
    envelope = Envelope(Keyring(MasterKey(b"m" * 32), KeyRows()), PatientRows())
    stored = bytearray(envelope.seal(b"0123456789" * 3, "Patient/1"))
    stored[place % len(stored)] ^= 1 << bit
    if stored[0] != PLAIN:
        with pytest.raises(Unavailable):
            envelope.open(bytes(stored))


def test_a_data_key_is_bound_to_its_patient(envelope, keyring, rows):
    envelope.seal(b"x", "Patient/1")
    row = rows.rows[0, "Patient/1"]
    rows.rows[0, "Patient/2"] = PatientKey(row.id, 0, "Patient/2", row.sealed)
    with pytest.raises(Unavailable):
        Envelope(keyring, rows).seal(b"y", "Patient/2")


def test_the_cache_is_bounded(keyring, rows):
    envelope = Envelope(keyring, rows, limit=10)
    stored = [envelope.seal(b"x", f"Patient/{n}") for n in range(50)]
    assert [envelope.open(one) for one in stored] == [b"x"] * 50
    assert len(envelope._by_id._items) <= 10
