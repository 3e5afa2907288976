"""The administration commands."""

from pathlib import Path

import pytest

from fhir_server.cli import main
from fhir_server.preparation import prepare
from fhir_server.settings import load
from fhir_server.store import open_store
from fhir_server.wiring import Process
from resources.repository import WHOLE_RECORD, Caller, Create


def options(database_url: str, tmp_path: Path) -> list[str]:
    return ["--data-dir", str(tmp_path / "var"), "--database", database_url]


def test_migrate_then_check(empty_database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = options(empty_database_url, tmp_path)
    assert main(["migrate", *given]) == 0 and "applied store 1" in capsys.readouterr().out
    assert main(["migrate", *given]) == 0 and "up to date" in capsys.readouterr().out
    assert main(["check", *given]) == 0 and "FAILED" not in capsys.readouterr().out


def test_check_tells_what_is_missing(
    empty_database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "var").mkdir()
    assert main(["check", *options(empty_database_url, tmp_path)]) == 1
    assert "schema: FAILED: run `hearth migrate`" in capsys.readouterr().out


def test_audit_verify_finds_a_changed_row(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load({"DATA_DIR": str(tmp_path / "var"), "DATABASE": database_url}, {})
    prepare(settings)
    with Process(settings) as process:
        repository = process.repository(Caller("test", grants=WHOLE_RECORD))
        [made] = repository.commit([Create({"resourceType": "Patient"})])
        assert made.version
        repository.read("Patient", made.version.id)
    command = ["audit", "verify", *options(database_url, tmp_path)]
    assert main(command) == 0
    assert "2 rows in 2 chains" in capsys.readouterr().out
    tamper(database_url)
    assert main(command) == 1
    assert "BAD chain" in capsys.readouterr().out


def tamper(database_url: str) -> None:
    """Change one row as only somebody with full rights on the database can."""
    store = open_store(database_url)
    session = store.session()
    if store.dialect == "postgresql":
        session.query("SET session_replication_role = replica")
    else:
        session.query("DROP TRIGGER audit_no_update")
    session.query("UPDATE audit SET who = 'nobody' WHERE interaction = 'create'")
    store.close()
