"""Entries as repository commands."""

from typing import Any

import pytest

from fhir_server.interactions.bundle_commands import command_of
from fhir_server.interactions.bundle_entries import parse_entry
from resources.errors import FhirError
from resources.repository import Command, Create, Delete, Find, Patch, Put, Read, SearchRequest

BASE = "https://h.example/fhir"
PATIENT = {"resourceType": "Patient", "id": "1"}
PARAMETERS = {"resourceType": "Parameters", "parameter": []}


def command(method: str, url: str, resource: Any = None, **conditions: str) -> Command | None:
    request = {"method": method, "url": url, **conditions}
    raw = {"request": request, "fullUrl": "urn:uuid:a", **({"resource": resource} if resource else {})}
    return command_of(parse_entry(3, raw, BASE))


def test_create() -> None:
    assert command("POST", "Patient", PATIENT) == Create(PATIENT, None, "urn:uuid:a")
    made = command("POST", "Patient", PATIENT, ifNoneExist="Patient?identifier=a|b")
    assert made == Create(PATIENT, "identifier=a|b", "urn:uuid:a")


def test_update() -> None:
    assert command("PUT", "Patient/1", PATIENT, ifMatch='W/"2"') == Put(
        PATIENT, "Patient", "1", None, 2, False, "urn:uuid:a"
    )
    made = command("PUT", "Patient?identifier=a%7Cb", PATIENT, ifNoneMatch="*")
    assert made == Put(PATIENT, "Patient", "", "identifier=a%7Cb", None, True, "urn:uuid:a")


def test_patch() -> None:
    made = command("PATCH", "Patient/1", PARAMETERS, ifMatch='W/"2"')
    assert isinstance(made, Patch)
    assert (made.type, made.id, made.criteria, made.if_match) == ("Patient", "1", None, 2)
    assert made.apply(PATIENT) == PATIENT
    conditional = command("PATCH", "Patient?active=true", PARAMETERS)
    assert isinstance(conditional, Patch)
    assert (conditional.id, conditional.criteria) == ("", "active=true")


def test_delete() -> None:
    assert command("DELETE", "Patient/1") == Delete("Patient", "1", None, None, "urn:uuid:a")
    assert command("DELETE", "Patient?active=true") == Delete("Patient", "", "active=true", None, "urn:uuid:a")


def test_reads() -> None:
    assert command("GET", "Patient/1") == Read("Patient", "1")
    assert command("HEAD", "Patient/1/_history/2") == Read("Patient", "1", 2)


@pytest.mark.parametrize(
    ("url", "request_"),
    [
        ("Patient?name=a&_format=json", SearchRequest("Patient", (("name", "a"),))),
        ("?_type=Patient", SearchRequest("", (("_type", "Patient"),))),
        ("Patient/1/Observation?code=a", SearchRequest("Observation", (("code", "a"),), ("Patient", "1"))),
        ("Patient/1/*", SearchRequest("", (), ("Patient", "1"))),
    ],
)
def test_searches(url: str, request_: SearchRequest) -> None:
    assert command("GET", url) == Find(request_)


@pytest.mark.parametrize("url", ["Patient/1/_history", "_history", "metadata", "Patient/1/$everything", "a/b/c/d/e"])
def test_others_are_no_commands(url: str) -> None:
    assert command("GET", url) is None


@pytest.mark.parametrize(
    ("method", "url", "resource", "status"),
    [
        ("POST", "Patients", PATIENT, 404),
        ("POST", "Group", PATIENT, 400),
        ("POST", "Patient/1", PATIENT, 400),
        ("PUT", "Patient/2", PATIENT, 400),
        ("PUT", "Patient/a b", PATIENT, 400),
        ("PUT", "Patient", PATIENT, 412),
        ("DELETE", "", None, 400),
        ("GET", "Patient/1/_history/x", None, 404),
        ("PATCH", "Patient/1", PATIENT, 400),
        ("PATCH", "Patient/1", {"resourceType": "Binary", "contentType": "text/plain"}, 415),
        (
            "PATCH",
            "Patient/1",
            {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": "é"},
            400,
        ),
    ],
)
def test_refusals_name_the_entry(method: str, url: str, resource: Any, status: int) -> None:
    with pytest.raises(FhirError) as caught:
        command(method, url, resource)
    assert caught.value.status == status
    assert all(issue.text.startswith("Bundle.entry[3]: ") for issue in caught.value.issues)
