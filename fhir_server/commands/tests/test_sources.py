"""What `hearth load` reads, and in which order."""

import gzip
from pathlib import Path

import pytest

from fhir_server.commands import CommandError
from fhir_server.commands.sources import lines, resource, sources
from resources.errors import FhirError

PATIENT, DOCTOR = b'{"resourceType":"Patient","id":"p"}', b'{"resourceType":"Practitioner","id":"d"}'


def test_what_others_point_into_comes_first(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "a.json").write_bytes(PATIENT)
    (tmp_path / "below" / "b.xml").write_bytes(
        b'<Bundle xmlns="http://hl7.org/fhir"><Practitioner></Practitioner></Bundle>'
    )
    (tmp_path / "c.ndjson.gz").write_bytes(gzip.compress(b'{"resourceType":"Organization"}\n'))
    (tmp_path / "notes.txt").write_bytes(b"not loaded")
    found = sources([str(tmp_path)])
    assert [(source.path.name, source.format) for source in found] == [
        ("c.ndjson.gz", "ndjson"),
        ("b.xml", "xml"),
        ("a.json", "json"),
    ]


def test_what_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"")
    for path, words in (
        (tmp_path, "no .json"),
        (tmp_path / "notes.txt", "none of .json"),
        (tmp_path / "absent", "does not exist"),
    ):
        with pytest.raises(CommandError, match=words):
            sources([str(path)])


def test_one_resource_in_each_format(tmp_path: Path) -> None:
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(PATIENT))
    (tmp_path / "b.xml").write_bytes(b'<Patient xmlns="http://hl7.org/fhir"><id value="p"/></Patient>')
    assert [resource(source) for source in sources([str(tmp_path)])] == [{"resourceType": "Patient", "id": "p"}] * 2


def test_a_line_that_is_no_resource_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(b"\n".join((PATIENT, b"", b"{", DOCTOR)))
    [source] = sources([str(tmp_path)])
    found = list(lines(source))
    assert [number for number, _ in found] == [1, 3, 4]
    assert isinstance(found[1][1], FhirError)
    assert [each["id"] for _, each in found if isinstance(each, dict)] == ["p", "d"]
