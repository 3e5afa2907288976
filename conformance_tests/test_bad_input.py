"""Malformed, hostile and oversized input: refused in bounded time, with a reason, and nothing stored."""

import gzip
import json
import time

import pytest

from conformance_tests.client import FHIR_XML, SYSTEM, Client, outcome_of, reference, text_of
from conformance_tests.examples import entry, patient

requirement = pytest.mark.requirement
_SECONDS = 20.0
"""Nobody's bar for speed: only that an answer comes at all."""


def start(tag: str) -> str:
    return f'{{"resourceType":"Patient","identifier":[{{"system":"{SYSTEM}","value":"{tag}"}}]'


def refused(
    fhir: Client, tag: str, body: str | bytes, *, type: str = "application/fhir+json", expect: object = 400
) -> str:
    """What the refusal says; nothing may have been stored, and soon."""
    began = time.monotonic()
    answer = fhir.post("Patient", body, type=type, expect=expect)
    assert time.monotonic() - began < _SECONDS
    assert fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}"}) == []
    return text_of(outcome_of(answer))


# --- JSON -------------------------------------------------------------------------------------------------------------


@requirement("json.html")
def test_malformed_json_names_line_and_column(fhir: Client, tag: str) -> None:
    said = refused(fhir, tag, start(tag) + ',\n  "gender": male}')
    assert "line 2" in said
    assert "column" in said


@requirement("json.html")
@pytest.mark.parametrize(
    "rest",
    [
        "",
        ",",
        ",}",
        '}{"a":1}',
        "} x",
        ",\"gender\":'male'}",
        ',"gender":"ma\nle"}',
        ',"gender":"\\x"}',
        ",/*c*/}",
        ',"a":01}',
    ],
)
def test_what_is_no_json_is_400(fhir: Client, tag: str, rest: str) -> None:
    assert "line" in refused(fhir, tag, start(tag) + rest)


@requirement("json.html")
@pytest.mark.parametrize(
    "body", ["[]", "null", '"Patient"', "7", "{}", '{"resourceType":7}', '{"resourceType":"Patiens"}']
)
def test_what_is_no_resource_is_400(fhir: Client, tag: str, body: str) -> None:
    refused(fhir, tag, body)


@requirement("json.html")
def test_an_unknown_element_names_the_nearest_one(fhir: Client, tag: str) -> None:
    said = refused(fhir, tag, start(tag) + ',"brithDate":"1970-01-01"}')
    assert "brithDate" in said
    assert "birthDate" in said


@requirement("json.html")
@pytest.mark.parametrize("rest", [',"gender":"male","gender":"female"}', ',"name":[{"family":"A","family":"B"}]}'])
def test_a_repeated_property_is_refused(fhir: Client, tag: str, rest: str) -> None:
    refused(fhir, tag, start(tag) + rest)


@requirement("json.html#primitive")
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1" * 200_000, "0." + "1" * 200_000, "1e999999999"])
def test_a_number_that_is_none_or_never_ends_is_refused(fhir: Client, tag: str, number: str) -> None:
    extension = f',"extension":[{{"url":"http://example.org/x","valueDecimal":{number}}}]}}'
    refused(fhir, tag, start(tag) + extension)


@requirement("datatypes.html#string")
@pytest.mark.parametrize("text", ["\\ud800", "\\udc00\\ud800", "a\\ud83d", "\\u0000", "\\u0007", ""])
def test_a_text_that_is_no_text_is_refused(fhir: Client, tag: str, text: str) -> None:
    refused(fhir, tag, start(tag) + f',"name":[{{"family":"{text}"}}]}}')


@requirement("json.html")
def test_bytes_that_are_no_utf8_are_refused(fhir: Client, tag: str) -> None:
    refused(fhir, tag, start(tag).encode() + b',"name":[{"family":"\xff\xfe"}]}')
    refused(fhir, tag, (start(tag) + "}").encode("utf-16"))


@requirement("json.html")
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('{"extension":[', "]}")])
def test_ten_thousand_levels_are_refused(fhir: Client, tag: str, opening: str, closing: str) -> None:
    deep = opening * 10_000 + "1" + closing * 10_000
    refused(fhir, tag, start(tag) + f',"extension":{deep}}}')
    refused(fhir, tag, deep)


@requirement("json.html#null")
@pytest.mark.parametrize("rest", [',"gender":null}', ',"name":[]}', ',"name":{}}', ',"name":[null]}', ',"name":[{}]}'])
def test_null_and_empty_are_refused(fhir: Client, tag: str, rest: str) -> None:
    refused(fhir, tag, start(tag) + rest)


@requirement("json.html")
@pytest.mark.parametrize(
    "rest", [',"active":"true"}', ',"birthDate":1970}', ',"name":{"family":"A"}}', ',"gender":["male"]}']
)
def test_a_wrong_type_is_refused(fhir: Client, tag: str, rest: str) -> None:
    refused(fhir, tag, start(tag) + rest)


# --- XML --------------------------------------------------------------------------------------------------------------


@requirement("xml.html")
@pytest.mark.parametrize(
    "body",
    [
        "<Patient",
        '<Patient xmlns="http://hl7.org/fhir"><gender value="male"></Patient>',
        '<Patient xmlns="urn:other"><gender value="male"/></Patient>',
        '<Patient xmlns="http://hl7.org/fhir"><brithDate value="1970"/></Patient>',
        '<Patient xmlns="http://hl7.org/fhir"><gender value="male" values="x"/></Patient>',
        '<Patient xmlns="http://hl7.org/fhir">loose text</Patient>',
        '<Patient xmlns="http://hl7.org/fhir"><birthDate value="1970"/><gender value="male"/></Patient>',
    ],
)
def test_malformed_xml_is_400(fhir: Client, tag: str, body: str) -> None:
    refused(fhir, tag, body, type=FHIR_XML)


@requirement("security.html#xml")
@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE p [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY x "&b;&b;&b;&b;&b;&b;">]>',
        '<!DOCTYPE p SYSTEM "http://127.0.0.1:1/x.dtd">',
    ],
)
def test_xml_entities_are_refused(fhir: Client, tag: str, declared: str) -> None:
    reference = "" if 'SYSTEM "http' in declared else "&x;"
    body = f'{declared}<Patient xmlns="http://hl7.org/fhir"><name><family value="a{reference}"/></name></Patient>'
    said = refused(fhir, tag, body, type=FHIR_XML)
    assert "root:" not in said and "haha" not in said


@requirement("xml.html")
def test_ten_thousand_levels_of_xml_are_refused(fhir: Client, tag: str) -> None:
    deep = '<extension url="http://x">' * 10_000 + "</extension>" * 10_000
    refused(fhir, tag, f'<Patient xmlns="http://hl7.org/fhir">{deep}</Patient>', type=FHIR_XML)


# --- Size -------------------------------------------------------------------------------------------------------------


@requirement("RFC 9110#15.5.14")
def test_a_gzip_bomb_is_413(fhir: Client, tag: str) -> None:
    bomb = gzip.compress(b" " * (100 << 20), 9)
    assert len(bomb) < 200_000
    began = time.monotonic()
    outcome_of(fhir.post("Patient", bomb, Content_Encoding="gzip", expect=413))
    assert time.monotonic() - began < _SECONDS


@requirement("RFC 9110#15.5.14")
def test_a_body_of_a_hundred_megabytes_is_413(fhir: Client) -> None:
    outcome_of(fhir.post("Patient", b" " * (100 << 20), expect=413))


@requirement("http.html#search")
def test_a_very_long_query_is_answered_or_refused(fhir: Client, tag: str) -> None:
    ids = ",".join(f"{tag}-{n}" for n in range(2000))
    fhir.post("Patient/_search", f"_id={ids}", type="application/x-www-form-urlencoded", expect=(200, 400))
    fhir.get("Patient", query={"_id": ids[:6000]}, expect=(200, 400, 414))


# --- Requests ---------------------------------------------------------------------------------------------------------


@requirement("RFC 9110#15.5.6")
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "", {"GET", "POST"}),
        ("POST", "Patient/1", {"GET", "PUT", "PATCH", "DELETE"}),
        ("DELETE", "metadata", {"GET"}),
        ("POST", "metadata", {"GET"}),
        ("PUT", "Patient/1/_history/1", {"GET"}),
        ("DELETE", "Patient/_history", {"GET"}),
        ("GET", "Patient/_search", {"POST"}),
        ("TRACE", "Patient/1", {"GET"}),
        ("FOO", "Patient", {"GET", "POST"}),
    ],
)
def test_a_wrong_method_is_405_and_names_the_right_ones(
    fhir: Client, method: str, path: str, allowed: set[str]
) -> None:
    answer = fhir.request(method, path, expect=405)
    assert allowed <= set(answer.headers["allow"].replace(" ", "").split(","))
    outcome_of(answer)


@requirement("http.html#mime-type")
def test_text_plain_is_415_and_turtle_is_406(fhir: Client, tag: str) -> None:
    outcome_of(fhir.post("Patient", patient(tag), type="text/plain", expect=415))
    outcome_of(fhir.get("Patient", Accept="text/turtle", expect=406))


@requirement("http.html#create")
@pytest.mark.parametrize("length", ["x", "-5"])
def test_a_wrong_content_length_is_no_500(fhir: Client, tag: str, length: str) -> None:
    import httpx

    headers = {"Content-Length": length, "Content-Type": "application/fhir+json"}
    headers |= {"Authorization": f"Bearer {fhir.bearer.token()}"}
    try:
        answer = httpx.post(f"{fhir.base}/Patient", headers=headers, content=b"{}", timeout=10)
    except httpx.HTTPError:
        return  # the connection was refused: as good
    assert answer.status_code == 400


@requirement("http.html#search")
@pytest.mark.parametrize(
    "query",
    [
        "_id=%00",
        "family=%ff%fe",
        "family=%ud800",
        "_id=" + "%27%20OR%201=1--",
        "family:exact=%27;DROP%20TABLE%20x",
        "%00=1",
        "=1",
        "&&",
        "_sort=%00",
    ],
)
def test_hostile_queries_are_no_500(fhir: Client, query: str) -> None:
    answer = fhir.get(f"{fhir.base}/Patient?{query}", expect=(200, 400))
    if answer.status_code == 400:
        outcome_of(answer)
    else:
        assert "entry" not in answer.json() or query in ("&&", "=1")


@requirement("http.html#transaction")
@pytest.mark.parametrize(
    "broken",
    [
        {"entry": {}},
        {"entry": [7]},
        {"entry": [{}]},
        {"entry": [{"request": {"method": "POST"}}]},
        {"entry": [{"request": {"method": "GET", "url": 7}}]},
        {"entry": [entry("POST", "Patient", {"resourceType": ["Patient"]})]},
        {"entry": [entry("PUT", "Patient/a/b/c", {"resourceType": "Patient", "id": "c"})]},
        {"entry": [entry("GET", "Patient?colour=red")]},
        {"entry": [entry("POST", "Patient", {"resourceType": "Patient"}, ifNoneExist="colour=red")]},
        {"entry": [entry("DELETE", "Patient")]},
        {"entry": [entry("PATCH", "Patient/1", {"resourceType": "Binary", "contentType": "text/plain", "data": "!"})]},
    ],
)
def test_a_broken_transaction_names_the_entry_and_stores_nothing(
    fhir: Client, tag: str, broken: dict[str, object]
) -> None:
    rows = broken["entry"]
    first = entry("POST", "Patient", patient(tag))
    body = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [first, *rows] if isinstance(rows, list) else rows,
    }
    answer = fhir.post("", body, expect=(400, 404, 412, 415, 422))
    if isinstance(rows, list):
        assert "Bundle.entry[1]" in text_of(outcome_of(answer))
    assert fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}"}) == []


@requirement("http.html#Status-Codes")
def test_an_error_shows_no_stack_and_has_a_request_id(fhir: Client, tag: str) -> None:
    answer = fhir.post("Patient", "{", expect=400)
    assert "Traceback" not in answer.text and ".py" not in answer.text
    assert answer.headers["x-request-id"]
    given = fhir.get(f"Patient/{tag}", X_Request_Id="mine-1", expect=404)
    assert given.headers["x-request-id"] == "mine-1"


@requirement("http.html#create")
def test_the_server_goes_on_after_all_that(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    assert json.loads(fhir.get(reference(made)).text) == made


@requirement("search.html#prefix")
@pytest.mark.parametrize("prefix", ["", "gt", "le", "ap", "ne", "sa"])
@pytest.mark.parametrize(
    ("type", "name", "value"),
    [
        ("Observation", "date", "9999-12-31T23:59:59.999Z"),
        ("Observation", "date", "0001-01-01"),
        ("Observation", "date", "0000"),
        ("Observation", "date", "9999-12-31T23:59:59-12:00"),
        ("Observation", "date", "0001-01-01T00:00:00+14:00"),
        ("Observation", "date", "2016-12-31T23:59:60Z"),
        ("Observation", "_lastUpdated", "9999-12-31T23:59:59-12:00"),
        ("Observation", "value-quantity", "1e400|http://unitsofmeasure.org|kg"),
        ("Observation", "value-quantity", "1e-400|http://unitsofmeasure.org|kg"),
        ("Observation", "value-quantity", "9" * 400),
        ("Observation", "value-quantity", "1|http://unitsofmeasure.org|10*999999998"),
        ("Observation", "value-quantity", "1|http://unitsofmeasure.org|[nonsense"),
        ("RiskAssessment", "probability", "1e999999999"),
        ("RiskAssessment", "probability", "-0.0"),
    ],
)
def test_values_at_the_edge_are_no_500(fhir: Client, prefix: str, type: str, name: str, value: str) -> None:
    began = time.monotonic()
    answer = fhir.get(type, query={name: prefix + value, "_count": "1"}, expect=(200, 400))
    assert time.monotonic() - began < _SECONDS
    if answer.status_code == 400:
        outcome_of(answer)


@requirement("datatypes.html#quantity")
@pytest.mark.parametrize(
    "rest",
    [
        '"effectiveDateTime":"9999-12-31T23:59:59-12:00"',
        '"effectiveDateTime":"0001-01-01T00:00:00+14:00"',
        '"effectiveDateTime":"2016-12-31T23:59:60Z"',
        '"effectivePeriod":{"start":"0001","end":"9999"}',
        '"valueQuantity":{"value":1e300,"system":"http://unitsofmeasure.org","code":"kg"}',
        '"valueQuantity":{"value":1e-300,"system":"http://unitsofmeasure.org","code":"[degF]"}',
        '"valueQuantity":{"value":1,"system":"http://unitsofmeasure.org","code":"((((((("}',
        '"valueQuantity":{"value":123456789012345678901234567890.123456789,"unit":"x"}',
        '"valueQuantity":{"value":1,"system":"http://unitsofmeasure.org","code":"10*999999999"}',
        '"valueQuantity":{"value":1,"system":"http://unitsofmeasure.org","code":"((m99)99)99"}',
        '"valueInteger":2147483647',
        f'"valueString":"{"x" * 100_000}"',
        f'"identifier":[{{"system":"urn:{"s" * 5000}","value":"{"v" * 5000}"}}]',
    ],
)
def test_elements_at_the_edge_are_stored_or_refused(fhir: Client, rest: str) -> None:
    body = '{"resourceType":"Observation","status":"final","code":{"text":"x"},' + rest + "}"
    began = time.monotonic()
    answer = fhir.post("Observation", body, expect=(201, 400))
    assert time.monotonic() - began < _SECONDS
    if answer.status_code == 201:
        assert fhir.get(reference(answer.json())).text == answer.text
        fhir.delete(reference(answer.json()))


@requirement("http.html#history")
@pytest.mark.parametrize("name", ["_since", "_at"])
@pytest.mark.parametrize("value", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "0000", "2020"])
def test_moments_at_the_edge_are_no_500(fhir: Client, name: str, value: str) -> None:
    fhir.get("Patient/_history", query={name: value, "_count": "1"}, expect=(200, 400))
    fhir.get("_history", query={name: value, "_count": "1"}, expect=(200, 400))
