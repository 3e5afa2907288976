"""patch: JSON Patch, XML Patch and FHIRPath Patch, by id and by criteria."""

import pytest

from conformance_tests.client import FHIR_XML, SYSTEM, Client, Json, reference, text_of
from conformance_tests.examples import patient

requirement = pytest.mark.requirement
JSON_PATCH = "application/json-patch+json"
XML_PATCH = "application/xml-patch+xml"
REPLACE_GENDER = [{"op": "replace", "path": "/gender", "value": "other"}]


def fhirpath_patch(*operations: Json) -> Json:
    """Parameters with one ``operation`` each: values are strings but for ``value``, which is a typed pair."""
    parameter = []
    for operation in operations:
        parts = [{"name": name, **part} for name, part in operation.items()]
        parameter.append({"name": "operation", "part": parts})
    return {"resourceType": "Parameters", "parameter": parameter}


SET_GENDER = fhirpath_patch(
    {"type": {"valueCode": "replace"}, "path": {"valueString": "Patient.gender"}, "value": {"valueCode": "other"}}
)


@requirement("http.html#patch")
def test_json_patch_changes_what_it_names(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag, gender="male"))
    operations = [
        {"op": "test", "path": "/gender", "value": "male"},
        *REPLACE_GENDER,
        {"op": "add", "path": "/name/0/given", "value": ["Ada"]},
        {"op": "add", "path": "/name/0/given/-", "value": "Byron"},
        {"op": "move", "from": "/name/0/given/1", "path": "/name/0/given/0"},
        {"op": "copy", "from": "/name/0", "path": "/name/1"},
        {"op": "remove", "path": "/name/1/given/1"},
    ]
    answer = fhir.patch(reference(made), operations, type=JSON_PATCH)
    patched = answer.json()
    assert answer.headers["etag"] == 'W/"2"'
    assert patched["gender"] == "other"
    assert [name["given"] for name in patched["name"]] == [["Byron", "Ada"], ["Byron"]]
    assert fhir.get(reference(made)).json() == patched


@requirement("http.html#patch")
def test_a_json_patch_whose_test_fails_changes_nothing(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag, gender="male"))
    operations = [{"op": "test", "path": "/gender", "value": "female"}, *REPLACE_GENDER]
    fhir.refused("PATCH", reference(made), operations, type=JSON_PATCH, expect=422)
    assert fhir.get(reference(made)).json() == made


@requirement("fhirpatch.html")
def test_fhirpath_patch_changes_what_it_names(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag, gender="male", birthDate="1970-01-01"))
    name = {"name": "value", "valueHumanName": {"family": "Second"}}
    patch = fhirpath_patch(
        {"type": {"valueCode": "replace"}, "path": {"valueString": "Patient.gender"}, "value": {"valueCode": "other"}},
        {"type": {"valueCode": "delete"}, "path": {"valueString": "Patient.birthDate"}},
        {
            "type": {"valueCode": "add"},
            "path": {"valueString": "Patient"},
            "name": {"valueString": "name"},
            "value": {"valueHumanName": name["valueHumanName"]},
        },
    )
    patched = fhir.patch(reference(made), patch).json()
    assert patched["gender"] == "other"
    assert "birthDate" not in patched
    assert patched["name"][1] == {"family": "Second"}


@requirement("fhirpatch.html")
def test_fhirpath_patch_may_be_sent_as_xml(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag, gender="male"))
    body = (
        '<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/>'
        '<part><name value="type"/><valueCode value="replace"/></part>'
        '<part><name value="path"/><valueString value="Patient.gender"/></part>'
        '<part><name value="value"/><valueCode value="other"/></part></parameter></Parameters>'
    )
    assert fhir.patch(reference(made), body, type=FHIR_XML).json()["gender"] == "other"


@requirement("http.html#patch")
def test_xml_patch_changes_what_it_names(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag, gender="male"))
    body = (
        '<diff xmlns:f="http://hl7.org/fhir"><replace sel="f:Patient/f:gender/@value">other</replace>'
        '<add sel="f:Patient/f:name"><given xmlns="http://hl7.org/fhir" value="Ada"/></add></diff>'
    )
    patched = fhir.patch(reference(made), body, type=XML_PATCH).json()
    assert patched["gender"] == "other"
    assert patched["name"][0]["given"] == ["Ada"]


@requirement("http.html#patch")
@pytest.mark.parametrize(
    ("body", "type"),
    [
        ([{"op": "replace", "path": "/gender", "value": "none"}], JSON_PATCH),
        ([{"op": "add", "path": "/colour", "value": "red"}], JSON_PATCH),
        ([{"op": "replace", "path": "/id", "value": "another"}], JSON_PATCH),
        ([{"op": "replace", "path": "/resourceType", "value": "Group"}], JSON_PATCH),
        ([{"op": "remove", "path": "/contact/0"}], JSON_PATCH),
        ([{"op": "mend", "path": "/gender"}], JSON_PATCH),
        ({"op": "remove", "path": "/gender"}, JSON_PATCH),
        (b"[{", JSON_PATCH),
        (b"<diff>", XML_PATCH),
        (b"", JSON_PATCH),
        ({"resourceType": "Parameters", "parameter": [{"name": "operation"}]}, "application/fhir+json"),
        ({"resourceType": "Patient"}, "application/fhir+json"),
    ],
)
def test_a_patch_that_does_not_fit_changes_nothing(fhir: Client, tag: str, body: object, type: str) -> None:
    made = fhir.create(patient(tag, gender="male"))
    answer = fhir.request("PATCH", reference(made), body, type=type, expect=(400, 409, 422))
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert fhir.get(reference(made)).json() == made


@requirement("http.html#patch")
def test_an_unknown_patch_format_is_415(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    outcome = fhir.refused("PATCH", reference(made), b"gender=other", type="text/plain", expect=415)
    assert JSON_PATCH in text_of(outcome)


@requirement("http.html#patch")
def test_patch_of_what_is_absent_or_deleted(fhir: Client, tag: str) -> None:
    fhir.refused("PATCH", f"Patient/{tag}", REPLACE_GENDER, type=JSON_PATCH, expect=404)
    made = fhir.create(patient(tag, gender="male"))
    fhir.delete(reference(made))
    fhir.refused("PATCH", reference(made), REPLACE_GENDER, type=JSON_PATCH, expect=410)


@requirement("http.html#patch")
def test_patch_with_if_match(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag, gender="male"))
    fhir.refused("PATCH", reference(made), REPLACE_GENDER, type=JSON_PATCH, If_Match='W/"2"', expect=412)
    fhir.patch(reference(made), REPLACE_GENDER, type=JSON_PATCH, If_Match='W/"1"')


@requirement("http.html#patch")
@pytest.mark.parametrize(("body", "type"), [(REPLACE_GENDER, JSON_PATCH), (SET_GENDER, "application/fhir+json")])
def test_conditional_patch(fhir: Client, tag: str, body: object, type: str) -> None:
    query = {"identifier": f"{SYSTEM}|{tag}"}
    fhir.refused("PATCH", "Patient", body, type=type, query=query, expect=404)
    made = fhir.create(patient(tag, gender="male"))
    assert fhir.patch("Patient", body, type=type, query=query).json()["id"] == made["id"]
    assert fhir.get(reference(made)).json()["gender"] == "other"
    fhir.create(patient(tag, gender="male"))
    fhir.refused("PATCH", "Patient", body, type=type, query=query, expect=412)
