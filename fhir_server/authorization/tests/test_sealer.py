"""Sealed secrets: bound to their purpose, good after a rotation, useless to who has only the table."""

import pytest

from fhir_server.authorization.sealer import KeyringSealer
from fhir_server.keys import KeyName, KeyProblem
from fhir_server.wiring import Process

SECRET = b"a seed of twenty bytes"


def test_what_is_sealed_opens_for_its_purpose_alone(process: Process) -> None:
    sealer = KeyringSealer(process.keyring)
    sealed = sealer.seal("totp", SECRET)
    assert SECRET not in sealed and sealed != sealer.seal("totp", SECRET)
    assert sealer.open("totp", sealed) == SECRET
    with pytest.raises(KeyProblem):
        sealer.open("token-signing", sealed)


def test_what_was_sealed_before_a_rotation_still_opens(process: Process) -> None:
    sealer = KeyringSealer(process.keyring)
    before = sealer.seal("totp", SECRET)
    process.keyring.rotate(KeyName.AUTHORIZATION)
    after = sealer.seal("totp", SECRET)
    assert before[:4] != after[:4]
    assert sealer.open("totp", before) == sealer.open("totp", after) == SECRET


def test_what_was_changed_or_cut_is_refused(process: Process) -> None:
    sealer = KeyringSealer(process.keyring)
    sealed = sealer.seal("totp", SECRET)
    for broken in (b"", sealed[:3], sealed[:10], sealed[:-1], sealed[:-1] + b"\0", b"\0\0\0\x09" + sealed[4:]):
        with pytest.raises(KeyProblem):
            sealer.open("totp", broken)
