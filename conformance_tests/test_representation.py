"""Formats, Prefer, _pretty, _summary, _elements, gzip, CORS, and what the server tolerates."""

import gzip
import xml.etree.ElementTree as ElementTree

import pytest

from conformance_tests.client import FHIR_JSON, FHIR_XML, SYSTEM, Client, outcome_of, reference, resources_of
from conformance_tests.examples import coding, entry, patient

requirement = pytest.mark.requirement
NAMESPACE = "{http://hl7.org/fhir}"


# --- Formats ----------------------------------------------------------------------------------------------------------


@requirement("http.html#mime-type")
@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (FHIR_JSON, FHIR_JSON),
        (FHIR_XML, FHIR_XML),
        ("application/json", FHIR_JSON),
        ("application/xml", FHIR_XML),
        ("text/xml", FHIR_XML),
        ("*/*", FHIR_JSON),
        ("", FHIR_JSON),
        ("application/fhir+xml;q=0.5, application/fhir+json;q=0.9", FHIR_JSON),
        ("application/fhir+json;q=0.1, application/fhir+xml", FHIR_XML),
        ("text/turtle, application/fhir+xml;q=0.1", FHIR_XML),
        ("application/fhir+json; fhirVersion=4.0", FHIR_JSON),
        ("application/fhir+json;charset=utf-8", FHIR_JSON),
    ],
)
def test_accept_decides_the_format(fhir: Client, tag: str, accept: str, answered: str) -> None:
    made = fhir.create(patient(tag))
    assert fhir.get(reference(made), Accept=accept).headers["content-type"].startswith(answered)


@requirement("http.html#parameters")
@pytest.mark.parametrize(
    ("format", "answered"),
    [
        ("json", FHIR_JSON),
        ("xml", FHIR_XML),
        ("application/fhir+xml", FHIR_XML),
        ("application/json", FHIR_JSON),
        ("text/xml", FHIR_XML),
    ],
)
def test_format_overrules_accept(fhir: Client, tag: str, format: str, answered: str) -> None:
    made = fhir.create(patient(tag))
    other = FHIR_JSON if answered == FHIR_XML else FHIR_XML
    answer = fhir.get(reference(made), query={"_format": format}, Accept=other)
    assert answer.headers["content-type"].startswith(answered)
    found = fhir.get("Patient", query={"_id": made["id"], "_format": format}, Accept=other)
    assert found.headers["content-type"].startswith(answered)


@requirement("http.html#mime-type")
@pytest.mark.parametrize("accept", ["text/turtle", "application/fhir+turtle", "image/png", "application/fhir+json;q=0"])
def test_a_format_it_does_not_speak_is_406(fhir: Client, tag: str, accept: str) -> None:
    made = fhir.create(patient(tag))
    outcome_of(fhir.get(reference(made), Accept=accept, expect=406))


@requirement("http.html#parameters")
def test_an_unknown_format_parameter_is_406(fhir: Client) -> None:
    outcome_of(fhir.get("metadata", query={"_format": "ttl"}, expect=406))


@requirement("http.html#version-parameter")
def test_another_fhir_version_is_refused(fhir: Client, tag: str) -> None:
    outcome_of(fhir.get("metadata", Accept="application/fhir+json; fhirVersion=3.0", expect=406))
    answer = fhir.post("Patient", patient(tag), type=f"{FHIR_JSON}; fhirVersion=5.0", expect=(406, 415))
    outcome_of(answer)
    fhir.post("Patient", patient(tag), type=f"{FHIR_JSON}; fhirVersion=4.0", expect=201)


@requirement("http.html#mime-type")
@pytest.mark.parametrize("type", ["text/plain", "text/html", "application/octet-stream", "image/png", ""])
def test_a_body_of_another_content_type_is_415(fhir: Client, tag: str, type: str) -> None:
    outcome_of(fhir.post("Patient", patient(tag), type=type, expect=415))


@requirement("http.html#mime-type")
@pytest.mark.parametrize("type", ["application/json", "text/json", "application/fhir+json;charset=UTF-8"])
def test_json_under_other_names_is_taken(fhir: Client, tag: str, type: str) -> None:
    fhir.post("Patient", patient(tag), type=type, expect=201)


@requirement("json.html")
def test_a_byte_order_mark_is_tolerated(fhir: Client, tag: str) -> None:
    body = f'{{"resourceType":"Patient","identifier":[{{"system":"{SYSTEM}","value":"{tag}"}}]}}'
    fhir.post("Patient", b"\xef\xbb\xbf" + body.encode(), expect=201)
    xml = f'<?xml version="1.0"?><Patient xmlns="http://hl7.org/fhir"><id value="{tag}"/></Patient>'
    fhir.post("Patient", b"\xef\xbb\xbf" + xml.encode(), type=FHIR_XML, expect=201)


@requirement("xml.html")
def test_json_and_xml_are_the_same_resource(fhir: Client, tag: str) -> None:
    sent = (
        f'<Patient xmlns="http://hl7.org/fhir"><identifier><value value="{tag}"/></identifier>'
        '<name id="n1"><family value="Çelik &amp; Söhne"/><given value="A"/><given><extension url="http://example.org/x">'
        '<valueDecimal value="1.00"/></extension></given></name><multipleBirthInteger value="2"/></Patient>'
    )
    made = fhir.post("Patient", sent.encode(), type=FHIR_XML, expect=201)
    stored = fhir.get(f"Patient/{made.json()['id']}")
    name = stored.json()["name"][0]
    assert (name["id"], name["family"], name["given"]) == ("n1", "Çelik & Söhne", ["A", None])
    assert '"valueDecimal":1.00' in stored.text.replace(" ", "")
    assert stored.json()["multipleBirthInteger"] == 2
    root = ElementTree.fromstring(fhir.get(f"Patient/{made.json()['id']}", Accept=FHIR_XML).content)
    assert [child.tag.removeprefix(NAMESPACE) for child in root] == [
        "id",
        "meta",
        "identifier",
        "name",
        "multipleBirthInteger",
    ]
    decimal = root.find(f".//{NAMESPACE}valueDecimal")
    assert decimal is not None and decimal.get("value") == "1.00"


@requirement("http.html#mime-type")
def test_errors_come_in_the_format_asked_for(fhir: Client, tag: str) -> None:
    answer = fhir.get(f"Patient/{tag}", Accept=FHIR_XML, expect=404)
    assert answer.headers["content-type"].startswith(FHIR_XML)
    assert ElementTree.fromstring(answer.content).tag == f"{NAMESPACE}OperationOutcome"


@requirement("http.html#parameters")
def test_pretty_adds_white_space_only(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    pretty = fhir.get(reference(made), query={"_pretty": "true"})
    assert pretty.json() == made
    assert pretty.text.count("\n") > 5
    xml = fhir.get(reference(made), query={"_pretty": "true"}, Accept=FHIR_XML)
    assert xml.text.count("\n") > 5
    assert "\n  " not in fhir.get(reference(made), query={"_pretty": "false"}).text


# --- Prefer -----------------------------------------------------------------------------------------------------------


@requirement("http.html#return")
def test_prefer_return_on_create_and_update(fhir: Client, tag: str) -> None:
    minimal = fhir.post("Patient", patient(tag), Prefer="return=minimal", expect=201)
    assert minimal.content == b""
    assert minimal.headers["location"] and minimal.headers["etag"]
    whole = fhir.post("Patient", patient(tag), Prefer="return=representation", expect=201)
    assert whole.json()["resourceType"] == "Patient"
    made = whole.json()
    outcome_of(fhir.put(reference(made), made, Prefer="return=OperationOutcome"))
    assert fhir.put(reference(made), made, Prefer="return=minimal").content == b""
    assert fhir.put(reference(made), made, Prefer="return=representation").json()["meta"]["versionId"] == "4"


@requirement("search.html#errors")
def test_prefer_handling_of_an_unknown_parameter(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    query = {"_id": made["id"], "colour": "red"}
    fhir.refused("GET", "Patient", query=query, expect=400)
    fhir.refused("GET", "Patient", query=query, Prefer="handling=strict", expect=400)
    page = fhir.search("Patient", query, Prefer="handling=lenient")
    assert [each["id"] for each in resources_of(page)] == [made["id"]]
    assert "colour" not in page["link"][0]["url"]
    [outcome] = resources_of(page, "outcome")
    assert "colour" in str(outcome)


# --- _summary and _elements -------------------------------------------------------------------------------------------


SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">Okafor</div>'


def told(fhir: Client, tag: str) -> dict[str, object]:
    text = {"status": "generated", "div": DIV}
    contact = [{"name": {"family": "Kin"}}]
    return fhir.create(patient(tag, text=text, gender="male", contact=contact, meta={"tag": [coding(tag)]}))


@requirement("search.html#summary")
@pytest.mark.parametrize(
    ("code", "there", "absent"),
    [
        ("true", {"id", "meta", "identifier", "name", "gender"}, {"text", "contact"}),
        ("text", {"id", "meta", "text"}, {"name", "gender", "contact", "identifier"}),
        ("data", {"id", "meta", "identifier", "name", "gender", "contact"}, {"text"}),
        ("false", {"id", "meta", "text", "identifier", "name", "gender", "contact"}, set()),
    ],
)
@pytest.mark.parametrize("way", ["read", "search"])
def test_summary(fhir: Client, tag: str, way: str, code: str, there: set[str], absent: set[str]) -> None:
    made = told(fhir, tag)
    if way == "read":
        cut = fhir.get(f"Patient/{made['id']}", query={"_summary": code}).json()
    else:
        [cut] = resources_of(fhir.search("Patient", {"_id": made["id"], "_summary": code}))
    assert there <= cut.keys()
    assert not absent & cut.keys()
    marked = any(SUBSETTED.items() <= label.items() for label in cut["meta"]["tag"])
    assert marked == (code != "false")
    assert coding(tag) in cut["meta"]["tag"]


@requirement("search.html#summary")
def test_summary_count(fhir: Client, tag: str) -> None:
    told(fhir, tag)
    page = fhir.search("Patient", {"_tag": f"{SYSTEM}|{tag}", "_summary": "count"})
    assert page["total"] == 1
    assert "entry" not in page


@requirement("search.html#summary")
def test_an_unknown_summary_is_400(fhir: Client, tag: str) -> None:
    fhir.refused("GET", "Patient", query={"_summary": "brief"}, expect=400)


@requirement("search.html#elements")
@pytest.mark.parametrize("way", ["read", "search"])
def test_elements(fhir: Client, tag: str, way: str) -> None:
    made = told(fhir, tag)
    if way == "read":
        cut = fhir.get(f"Patient/{made['id']}", query={"_elements": "gender,name"}).json()
    else:
        [cut] = resources_of(fhir.search("Patient", {"_id": made["id"], "_elements": "gender,name"}))
    assert {"resourceType", "id", "meta", "gender", "name"} == cut.keys()
    assert any(SUBSETTED.items() <= label.items() for label in cut["meta"]["tag"])


@requirement("search.html#elements")
def test_mandatory_elements_always_come(fhir: Client, tag: str) -> None:
    body = {"resourceType": "Observation", "status": "final", "code": {"text": tag}, "valueInteger": 3}
    made = fhir.create(body)
    cut = fhir.get(reference(made), query={"_elements": "value"}).json()
    assert {"status", "code", "valueInteger"} <= cut.keys()


# --- gzip -------------------------------------------------------------------------------------------------------------


@requirement("RFC 9110#8.4.1.3")
def test_a_gzip_body_is_taken(fhir: Client, tag: str) -> None:
    body = f'{{"resourceType":"Patient","identifier":[{{"system":"{SYSTEM}","value":"{tag}"}}]}}'
    fhir.post("Patient", gzip.compress(body.encode()), Content_Encoding="gzip", expect=201)
    assert fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}"})


@requirement("RFC 9110#12.5.3")
def test_large_answers_are_packed_for_who_takes_it(fhir: Client) -> None:
    packed = fhir.get("metadata", Accept_Encoding="gzip")
    plain = fhir.get("metadata", Accept_Encoding="identity")
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json()["rest"] == plain.json()["rest"]
    assert "accept-encoding" in packed.headers["vary"].lower()
    assert "content-encoding" not in fhir.get("metadata", Accept_Encoding="gzip;q=0").headers


@requirement("RFC 9110#8.4")
@pytest.mark.parametrize(("coding", "status"), [("br", 415), ("gzip", 400)])
def test_a_body_it_cannot_unpack_is_refused(fhir: Client, tag: str, coding: str, status: int) -> None:
    outcome_of(fhir.post("Patient", b"not packed at all", Content_Encoding=coding, expect=status))


# --- CORS -------------------------------------------------------------------------------------------------------------


@requirement("security.html#cors")
def test_a_preflight_is_answered(fhir: Client) -> None:
    headers = {
        "Origin": "https://app.example",
        "Access_Control_Request_Method": "PUT",
        "Access_Control_Request_Headers": "authorization,content-type,if-match,prefer",
    }
    answer = fhir.request("OPTIONS", "Patient/1", expect=(200, 204), **headers)
    assert answer.headers["access-control-allow-origin"] in ("*", "https://app.example")
    assert "PUT" in answer.headers["access-control-allow-methods"]
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert all(name in allowed for name in ("authorization", "content-type", "if-match", "prefer"))


@requirement("security.html#cors")
def test_a_page_may_read_the_headers_it_needs(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    for path, status in ((reference(made), 200), (f"Patient/{tag}", 404)):
        answer = fhir.get(path, Origin="https://app.example", expect=status)
        assert answer.headers["access-control-allow-origin"] in ("*", "https://app.example")
        exposed = answer.headers["access-control-expose-headers"].lower()
        assert all(name in exposed for name in ("etag", "location", "last-modified"))


# --- Clinical data and caches -----------------------------------------------------------------------------------------


@requirement("security.html#http")
def test_no_cache_may_keep_an_answer(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    answer = fhir.get(reference(made))
    assert "no-store" in answer.headers["cache-control"] or "private" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@requirement("http.html#return")
def test_batch_entries_take_summary_and_elements(fhir: Client, tag: str) -> None:
    made = told(fhir, tag)
    answered = fhir.bundle("batch", entry("GET", f"Patient/{made['id']}?_elements=gender"))
    assert "name" not in answered["entry"][0]["resource"]
