"""A backup restores to the same record on both databases, and what is wrong with a backup is said."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_server.backup.rehearsal import rehearse
from fhir_server.cli import main
from fhir_server.preparation import prepare
from fhir_server.settings import Settings, load
from fhir_server.wiring import Process
from resources.repository import WHOLE_RECORD, Caller, Create, Delete, Put


@pytest.fixture
def settings(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Of a record with documents that are sealed, one of them changed and one deleted."""
    given = load({"DATA_DIR": str(tmp_path / "var"), "DATABASE": database_url, "AT_REST": "envelope"}, {})
    monkeypatch.setattr("fhir_server.backup.rehearsal.SETTLED", -60_000)  # nobody writes meanwhile
    prepare(given)
    with Process(given) as process:
        repository = process.repository(Caller("test", grants=WHOLE_RECORD))
        patient = {"resourceType": "Patient", "id": "p1", "name": [{"family": "Ökafor"}]}
        repository.commit([Create({**patient, "id": f"q{n}"}) for n in range(5)])
        for changed in (patient, {**patient, "active": True}):
            repository.commit([Put(changed, "Patient", "p1")])
        repository.commit([Put({"resourceType": "Basic", "id": "b1", "code": {"text": "x"}}, "Basic", "b1")])
        repository.commit([Delete("Basic", "b1")])
    (given.data / "hl7").mkdir()
    (given.data / "hl7" / "lab.toml").write_text("kept = true\n")
    yield given


def options(settings: Settings, data: Path | None = None) -> list[str]:
    return ["--data-dir", str(data or settings.data), "--database", settings.database, "--at-rest", "envelope"]


def test_the_copy_is_whole_and_is_served(settings: Settings) -> None:
    told: list[str] = []
    assert rehearse(settings, 50, told.append) == []
    text = "\n".join(told)
    assert "versions of resources: 9\n" in text and "9 versions opened with the keys, 9 equal" in text
    assert "server: 8 of 8 versions answered" in text and "the audit trail is whole" in text


def test_a_backup_that_changed_is_refused(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "backup"
    assert main(["backup", *options(settings), str(folder)]) == 0
    assert (folder / "data" / "hl7" / "lab.toml").exists() and not (folder / "data" / "keys").exists()
    assert main(["backup", *options(settings), str(folder)]) == 2 and "is not empty" in capsys.readouterr().err
    assert (
        main(["backup", *options(settings), str(settings.data / "b")]) == 2 and "elsewhere" in capsys.readouterr().err
    )
    place = ["--data-dir", str(tmp_path / "other"), "--database", settings.database]
    assert main(["restore", *place, str(folder)]) == 2
    assert "restored into" in capsys.readouterr().err  # the live database is not empty
    with (folder / "database").open("ab") as stream:
        stream.write(b"x")
    assert main(["restore", *place, str(folder)]) == 2 and "database changed" in capsys.readouterr().err
    assert main(["restore", *place, str(tmp_path)]) == 2 and "no whole backup" in capsys.readouterr().err
