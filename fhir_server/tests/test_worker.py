"""The worker's round: what expired is forgotten, and a server without authentication has nothing to forget."""

from pathlib import Path

from fhir_server import worker
from fhir_server.preparation import prepare
from fhir_server.settings import load
from fhir_server.wiring import Process
from smart_auth.model import Approval


def test_expired_authorizations_are_deleted(database_url: str, tmp_path: Path) -> None:
    settings = load({"DATA_DIR": str(tmp_path / "var"), "DATABASE": database_url}, {})
    prepare(settings)
    with Process(settings) as process:
        records, now = process.authorization.service.records, process.authorization.service.now()
        records.put_approval(Approval(id="old", client="app", scopes="openid", created=1, last_used=1))
        records.put_approval(Approval(id="new", client="app", scopes="openid", created=now, last_used=now))
        worker._purge(process)
        assert records.approval("old") is None
        assert records.approval("new") is not None


def test_an_open_server_has_none(database_url: str, tmp_path: Path) -> None:
    settings = load({"DATA_DIR": str(tmp_path / "var"), "DATABASE": database_url, "OPEN": True}, {})
    prepare(settings)
    with Process(settings) as process:
        worker._purge(process)
        assert "authorization" not in process.__dict__
