"""Fixtures of the protocol's tests."""

from collections.abc import Iterator

import pytest

from smart_auth.endpoints import pages_desk
from smart_auth.endpoints.tests.surroundings import CHEAP, Clock, PlainSealer
from smart_auth.oauth import client_authentication
from smart_auth.oauth.tests.rig import BASE, Chart, Rig
from smart_auth.records import SqlRecords
from smart_auth.revocations import RevocationList
from smart_auth.service import AuthService
from smart_auth.signing_keys import SigningKeys


@pytest.fixture
def rig(records: SqlRecords, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """Everything, on SQLite; Argon2 is the same code with parameters that cost nothing."""
    monkeypatch.setattr(pages_desk, "Passwords", lambda: CHEAP)
    monkeypatch.setattr(client_authentication, "Passwords", lambda: CHEAP)
    clock, told, sealer = Clock(), [], PlainSealer()
    revocations = RevocationList(records, clock)
    service = AuthService(
        base=BASE,
        records=records,
        chart=Chart(),
        sealer=sealer,
        note=told.append,
        now=clock,
        keys=SigningKeys(records, sealer, clock, bits=1024),  # quickly made
        revoked=revocations.revoked,
    )
    revocations.start()
    yield Rig(service, records, clock, told)
    revocations.stop()
