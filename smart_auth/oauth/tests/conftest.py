"""Fixtures of the protocol's tests."""

from collections.abc import Iterator

import pytest

from smart_auth.endpoints import pages_desk
from smart_auth.endpoints.tests.surroundings import CHEAP, Clock, made_service
from smart_auth.model import Told
from smart_auth.oauth import client_authentication
from smart_auth.oauth.tests.rig import BASE, Chart, Rig
from smart_auth.records import SqlRecords
from smart_auth.revocations import RevocationList


@pytest.fixture
def rig(records: SqlRecords, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """Everything, on SQLite; Argon2 is the same code with parameters that cost nothing."""
    monkeypatch.setattr(pages_desk, "Passwords", lambda: CHEAP)
    monkeypatch.setattr(client_authentication, "Passwords", lambda: CHEAP)
    clock, told = Clock(), list[Told]()
    revocations = RevocationList(records, clock)
    service = made_service(records, clock, told.append, base=BASE, chart=Chart(), revoked=revocations.revoked)
    revocations.start()
    yield Rig(service, records, clock, told)
    revocations.stop()
