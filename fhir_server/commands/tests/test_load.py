"""``hearth load`` from the command line: what is stored, what is told, the exit status."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from fhir_server.cli import main
from fhir_server.commands.load import varied
from fhir_server.settings import load as load_settings
from fhir_server.wiring import Process
from resources.repository import WHOLE_RECORD, Caller, SearchRequest

URL = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"


def entry(resource: dict[str, Any], **request: str) -> dict[str, Any]:
    return {
        "fullUrl": URL,
        "resource": resource,
        "request": {"method": "POST", "url": resource["resourceType"], **request},
    }


def bundle(*entries: dict[str, Any], type: str = "transaction") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": type, "entry": list(entries)}


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Any:
    options = ["--quiet", "--data-dir", str(tmp_path / "var"), "--database", database_url]
    return lambda *paths: main(["load", *options, *map(str, paths)])


@pytest.fixture
def found(database_url: str, tmp_path: Path) -> Any:
    def search(type: str, *params: tuple[str, str]) -> int:
        settings = load_settings({"DATA_DIR": str(tmp_path / "var"), "DATABASE": database_url}, {})
        with Process(settings) as process:
            return len(process.repository(Caller("test", grants=WHOLE_RECORD)).search(SearchRequest(type, params)).hits)

    return search


def test_infrastructure_goes_first_and_conditional_references_resolve(run: Any, found: Any, tmp_path: Path) -> None:
    practitioner = {"resourceType": "Practitioner", "identifier": [{"system": "urn:npi", "value": "1"}]}
    patient = {"resourceType": "Patient", "generalPractitioner": [{"reference": "Practitioner?identifier=urn:npi|1"}]}
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a_patient.json").write_text(json.dumps(bundle(entry(patient))))
    with gzip.open(folder / "z_practitioners.json.gz", "wt") as stream:
        json.dump(bundle(entry(practitioner, ifNoneExist="identifier=urn:npi|1")), stream)
    assert run(folder) == 0
    assert found("Patient", ("general-practitioner.identifier", "urn:npi|1")) == 1
    assert run(folder / "z_practitioners.json.gz") == 0 and found("Practitioner") == 1


def test_a_bundle_that_fails_stores_nothing_and_the_rest_goes_on(
    run: Any, found: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = {"resourceType": "Organization", "name": "Good"}
    (tmp_path / "bad.json").write_text(
        json.dumps(bundle(entry(good), {**entry({"resourceType": "Patient", "gender": "x"}), "fullUrl": "urn:uuid:b"}))
    )
    (tmp_path / "good.json").write_text(json.dumps(bundle(entry(good))))
    (tmp_path / "torn.json").write_text('{"resourceType": "Bundle", ')
    assert run(tmp_path / "bad.json", tmp_path / "good.json", tmp_path / "torn.json") == 1
    told = capsys.readouterr().err
    assert "bad.json" in told and "Bundle.entry[1]" in told and "torn.json" in told and "2 not loaded" in told
    assert found("Organization") == 1


def test_ndjson_keeps_ids_points_forwards_and_names_what_is_missing(
    run: Any, found: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        {"resourceType": "Basic", "id": "b1", "code": {"text": "x"}, "subject": {"reference": "Patient/p1"}},
        {"resourceType": "Basic", "id": "b2", "code": {"text": "x"}, "subject": {"reference": "Patient/absent"}},
        {"resourceType": "Patient", "id": "p1"},
    ]
    (tmp_path / "all.ndjson").write_text("\n".join(map(json.dumps, lines)) + "\nno json\n")
    assert run(tmp_path / "all.ndjson") == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "3 resources stored" in told and "line 4" in told and "Basic/b2 refers to Patient/absent" in told
    assert found("Basic", ("subject", "Patient/p1")) == 1


def test_nothing_to_load_is_an_error(run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "absent") == 2
    (tmp_path / "notes.txt").write_text("x")
    assert run(tmp_path / "notes.txt") == 2
    assert "is none of .json" in capsys.readouterr().err


def test_what_is_named_for_the_first_time_is_told_first() -> None:
    assert varied(["a: 'x'", "b: 'x'", "c: 'y'", "d", "e"]) == ["a: 'x'", "c: 'y'", "d", "e", "b: 'x'"]
