"""``hearth reindex`` mends the index of a store, and says what it did."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fhir_server import wiring
from fhir_server.cli import main
from fhir_server.preparation import prepare
from fhir_server.settings import load
from fhir_server.store import open_store
from fhir_server.store.fill import waiting
from fhir_server.store.rebuild import rebuild
from fhir_server.store.tests.stored_parameters import WHOEVER, parameter, patient, put
from resources.repository import Put


def test_the_index_is_mended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "patients.ndjson"
    source.write_text("\n".join(json.dumps({"resourceType": "Patient", "id": f"p{n}"}) for n in range(3)))
    folder = ["--data-dir", str(tmp_path / "data"), "--open"]
    assert main(["load", str(source), "--quiet", *folder]) == 0
    store = open_store(f"sqlite:///{tmp_path / 'data' / 'hearth.sqlite'}")
    before = sorted(store.session().query("SELECT h, o FROM post"))
    store.session().query("DELETE FROM post")
    assert main(["reindex", "--quiet", "--type", "Patient", *folder]) == 0
    assert "3 resources examined, 3 put right" in capsys.readouterr().err
    assert before
    assert sorted(store.session().query("SELECT h, o FROM post")) == before
    store.close()


def test_a_type_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reindex", "--type", "Pateint", "--data-dir", str(tmp_path), "--open"]) != 0
    assert "Pateint is no resource type" in capsys.readouterr().err


def _process(url: str, folder: Path, *options: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "fhir_server.cli", "reindex", "--quiet", "--open", "--data-dir", str(folder)]
    return subprocess.Popen([*command, "--database", url, *options], stderr=subprocess.PIPE)


def test_the_index_of_a_parameter_is_right_after_kill_9(database_url: str, tmp_path: Path) -> None:
    settings = load({"DATABASE": database_url, "DATA_DIR": str(tmp_path), "OPEN": True}, {})
    prepare(settings)
    with wiring.Process(settings) as process:
        made = process.repository(WHOEVER)
        made.commit([Put(patient(n, "red"), "Patient", f"p{n}") for n in range(400)])
        put(made, parameter())
        walking = _process(database_url, tmp_path, "--parameter", "https://h.example/colour", "--slice", "1")
        while process.store.parameters.states()[0].done < 3 and walking.poll() is None:
            time.sleep(0.001)
        walking.kill()
        walking.communicate()
        [state] = waiting(process.store)
        assert 0 < state.done < 400
        again = _process(database_url, tmp_path, "--parameter", "https://h.example/colour")
        _, said = again.communicate()
        assert b"400 resources are in the index" in said
        assert not waiting(process.store)
        assert list(rebuild(process.store))[-1].repaired == 0


def test_a_parameter_that_is_not_stored_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ["--data-dir", str(tmp_path), "--open"]
    assert main(["migrate", *folder]) == 0
    assert main(["reindex", "--parameter", "https://h.example/none", *folder]) != 0
    assert "those are none" in capsys.readouterr().err
