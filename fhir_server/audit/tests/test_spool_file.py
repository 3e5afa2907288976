"""Tests of one spool file."""

import os

import pytest

from fhir_server.audit.record import Interaction, event
from fhir_server.audit.spool_file import FRAME, HEADER, DamagedSpool, SpoolFile
from fhir_server.keys import Key, KeyName
from resources.repository import Caller

KEY = Key("audit-spool", 1, b"s" * 32)
RECORDS = [event(Caller(f"Practitioner/{n}"), Interaction.READ, entity="Patient/1") for n in range(5)]


@pytest.fixture(params=[None, KEY], ids=["plain", "sealed"])
def key(request):
    return request.param


def records(file):
    return [record for record, _ in file.read(0, 0, file.size)]


def reopened(file):
    file.close()
    return SpoolFile.adopt(file.path, lambda id: KEY)


def test_what_is_appended_is_read_back(tmp_path, key):
    file = SpoolFile.create(tmp_path, key)
    assert file.append(RECORDS[:2]) + file.append(RECORDS[2:], sync=True) == file.size - HEADER.size
    assert records(file) == RECORDS
    assert records(reopened(file)) == RECORDS


def test_only_the_owner_may_look(tmp_path, key):
    file = SpoolFile.create(tmp_path, key)
    file.append(RECORDS)
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert (b"Practitioner/1" in file.path.read_bytes()) == (key is None)


def test_reading_goes_on_anywhere(tmp_path, key):
    file = SpoolFile.create(tmp_path, key)
    file.append(RECORDS)
    offset = file.position(0, 3)
    assert [record for record, _ in file.read(offset, 3, file.size)] == RECORDS[3:]
    assert file.position(offset, 2) == file.size
    with pytest.raises(DamagedSpool):
        file.position(0, 6)


def test_a_live_file_is_not_adopted(tmp_path, key):
    file = SpoolFile.create(tmp_path, key)
    assert SpoolFile.adopt(file.path, lambda id: KEY) is None
    assert SpoolFile.adopt(tmp_path / "0000000000000001-0.spool", lambda id: KEY) is None


def test_a_torn_frame_ends_the_file(tmp_path, key):
    file = SpoolFile.create(tmp_path, key)
    file.append(RECORDS)
    for cut in range(file.position(0, 4), file.size):
        os.truncate(file.path, cut)
        file = reopened(file)
        assert records(file) == RECORDS[:4]
        break
    os.truncate(file.path, HEADER.size - 3)
    assert records(reopened(file)) == []


def test_every_flipped_bit_of_a_payload_is_noticed(tmp_path, key):
    file = SpoolFile.create(tmp_path, key)
    file.append(RECORDS[:2])
    whole = file.path.read_bytes()
    for place in range(HEADER.size + FRAME.size, file.position(0, 1)):
        with open(file.path, "r+b") as raw:
            raw.write(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(DamagedSpool):
            records(file)


def test_sealed_frames_cannot_change_places(tmp_path):
    file = SpoolFile.create(tmp_path, KEY)
    file.append([RECORDS[0]])
    middle = file.size
    file.append([RECORDS[0]])
    whole = file.path.read_bytes()
    with open(file.path, "r+b") as raw:
        raw.write(whole[: HEADER.size] + whole[middle:] + whole[HEADER.size : middle])
    with pytest.raises(DamagedSpool):
        records(file)


def test_a_new_chain_is_one_rename(tmp_path, key):
    file = SpoolFile.create(tmp_path, key)
    file.append(RECORDS)
    old = file.chain
    file.rechain(2)
    file = reopened(file)
    assert file.skip == 2 and file.chain != old
    assert records(file) == RECORDS


def test_a_disk_that_takes_half_a_frame_leaves_none(tmp_path, key, monkeypatch):
    file = SpoolFile.create(tmp_path, key)
    file.append(RECORDS[:2])
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, bytes(data)[:10]))
    with pytest.raises(OSError, match="full"):
        file.append(RECORDS[2:3])
    monkeypatch.undo()
    file.append(RECORDS[3:])
    assert records(file) == RECORDS[:2] + RECORDS[3:]


def test_a_foreign_file_is_refused(tmp_path):
    path = tmp_path / "0000000000000001-0.spool"
    path.write_bytes(b"x" * 100)
    with pytest.raises(DamagedSpool):
        SpoolFile.adopt(path, lambda id: KEY)


def test_names_of_the_keys():
    assert KEY.name == KeyName.AUDIT_SPOOL
