"""transaction: all entries or none, in the order the specification gives."""

import uuid

import pytest

from conformance_tests.client import FHIR_XML, SYSTEM, Client, Json, ids_of, reference, text_of
from conformance_tests.examples import encounter, entry, observation, patient, statuses

requirement = pytest.mark.requirement


def urn() -> str:
    return f"urn:uuid:{uuid.uuid4()}"


@requirement("http.html#transaction-response")
def test_the_answers_stand_in_the_order_of_the_entries(fhir: Client, tag: str) -> None:
    known = fhir.create(patient(tag))
    gone = fhir.create(patient(tag + "b"))
    answered = fhir.bundle(
        "transaction",
        entry("GET", reference(known)),
        entry("PUT", reference(known), known | {"gender": "male"}),
        entry("POST", "Patient", patient(tag + "c")),
        entry("DELETE", reference(gone)),
    )
    assert answered["type"] == "transaction-response"
    assert statuses(answered) == ["200", "200", "201", "204"]
    assert answered["entry"][1]["response"]["etag"] == 'W/"2"'
    location = answered["entry"][2]["response"]["location"]
    assert "/_history/1" in location
    assert answered["entry"][2]["response"]["lastModified"]


@requirement("http.html#trules")
def test_reads_see_what_the_transaction_wrote(fhir: Client, tag: str) -> None:
    known = fhir.create(patient(tag))
    answered = fhir.bundle(
        "transaction",
        entry("GET", f"Patient?identifier={SYSTEM}|{tag}b"),
        entry("GET", reference(known)),
        entry("POST", "Patient", patient(tag + "b")),
        entry("PUT", reference(known), known | {"gender": "male"}),
    )
    assert len(ids_of(answered["entry"][0]["resource"])) == 1
    assert answered["entry"][1]["resource"]["gender"] == "male"


@requirement("http.html#trules")
def test_deletes_come_before_creates(fhir: Client, tag: str) -> None:
    # Criteria of the create look at the state without what the same transaction deletes, or refuse to guess.
    known = fhir.create(patient(tag))
    answered = fhir.bundle(
        "transaction",
        entry("POST", "Patient", patient(tag + "b")),
        entry("DELETE", reference(known)),
        entry("GET", f"Patient?identifier={SYSTEM}|{tag}"),
    )
    assert statuses(answered) == ["201", "204", "200"]
    assert ids_of(answered["entry"][2]["resource"]) == []


@requirement("bundle.html#references")
def test_full_urls_are_replaced_everywhere(fhir: Client, tag: str) -> None:
    subject, visit = urn(), urn()
    html = f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{subject}">the patient</a></div>'
    weight = observation(subject, tag, encounter={"reference": visit}, text={"status": "generated", "div": html})
    answered = fhir.bundle(
        "transaction",
        entry("POST", "Observation", weight, urn()),
        entry("POST", "Encounter", encounter(subject), visit),
        entry("POST", "Patient", patient(tag), subject),
    )
    made = [each["response"]["location"].split("/fhir/")[-1].split("/_history")[0] for each in answered["entry"]]
    stored = fhir.get(made[0]).json()
    assert stored["subject"]["reference"] == made[2]
    assert stored["encounter"]["reference"] == made[1]
    assert f'href="{made[2]}"' in stored["text"]["div"] or made[2] in stored["text"]["div"]
    assert fhir.get(made[1]).json()["subject"]["reference"] == made[2]
    assert fhir.found("Observation", {"subject": made[2]}) == [stored["id"]]


@requirement("bundle.html#references")
def test_an_absolute_full_url_and_a_relative_reference(fhir: Client, tag: str) -> None:
    full = f"http://elsewhere.example/fhir/Patient/{tag}"
    visit = entry("POST", "Encounter", encounter(f"Patient/{tag}"), f"http://elsewhere.example/fhir/Encounter/{tag}")
    answered = fhir.bundle("transaction", entry("POST", "Patient", patient(tag), full), visit)
    person, met = (each["response"]["location"].split("/fhir/")[-1].split("/_history")[0] for each in answered["entry"])
    assert fhir.get(met).json()["subject"]["reference"] == person


@requirement("bundle.html#references")
def test_a_versioned_reference_keeps_its_version(fhir: Client, tag: str) -> None:
    known = fhir.create(patient(tag))
    versioned = f"{reference(known)}/_history/1"
    weight = observation(versioned, tag, derivedFrom=[])
    del weight["derivedFrom"]
    answered = fhir.bundle("transaction", entry("POST", "Observation", weight, urn()))
    made = answered["entry"][0]["response"]["location"].split("/fhir/")[-1].split("/_history")[0]
    assert fhir.get(made).json()["subject"]["reference"] == versioned


@requirement("http.html#trules")
def test_a_urn_that_no_entry_has_is_refused(fhir: Client, tag: str) -> None:
    outcome = fhir.refused(
        "POST",
        "",
        {"resourceType": "Bundle", "type": "transaction", "entry": [entry("POST", "Encounter", encounter(urn()))]},
        expect=(400, 404, 409, 412, 422),
    )
    assert "Bundle.entry[0]" in text_of(outcome)


@requirement("http.html#trules")
def test_a_conditional_reference_is_resolved(fhir: Client, tag: str) -> None:
    known = fhir.create(patient(tag))
    visit = encounter(f"Patient?identifier={SYSTEM}|{tag}")
    answered = fhir.bundle("transaction", entry("POST", "Encounter", visit, urn()))
    made = answered["entry"][0]["response"]["location"].split("/fhir/")[-1].split("/_history")[0]
    assert fhir.get(made).json()["subject"]["reference"] == reference(known)


@requirement("http.html#trules")
@pytest.mark.parametrize("matches", [0, 2])
def test_a_conditional_reference_without_exactly_one_match_fails_the_transaction(
    fhir: Client, tag: str, matches: int
) -> None:
    for _ in range(matches):
        fhir.create(patient(tag))
    body = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            entry("POST", "Patient", patient(tag + "b"), urn()),
            entry("POST", "Encounter", encounter(f"Patient?identifier={SYSTEM}|{tag}"), urn()),
        ],
    }
    outcome = fhir.refused("POST", "", body, expect=(400, 404, 412, 422))
    assert "Bundle.entry[1]" in text_of(outcome)
    assert tag in text_of(outcome)
    assert fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}b"}) == []


@requirement("http.html#trules")
def test_conditional_entries(fhir: Client, tag: str) -> None:
    known = fhir.create(patient(tag))
    gone = fhir.create(patient(tag + "b"))
    subject = urn()
    answered = fhir.bundle(
        "transaction",
        entry("POST", "Patient", patient(tag), subject, ifNoneExist=f"identifier={SYSTEM}|{tag}"),
        entry("PUT", f"Patient?identifier={SYSTEM}|{tag}c", patient(tag + "c"), urn()),
        entry("DELETE", f"Patient?identifier={SYSTEM}|{tag}b"),
        entry("POST", "Encounter", encounter(subject), urn()),
    )
    assert statuses(answered) == ["200", "201", "204", "201"]
    made = answered["entry"][3]["response"]["location"].split("/fhir/")[-1].split("/_history")[0]
    assert fhir.get(made).json()["subject"]["reference"] == reference(known)
    fhir.refused("GET", reference(gone), expect=410)


@requirement("http.html#trules")
def test_if_match_of_an_entry_fails_the_transaction(fhir: Client, tag: str) -> None:
    known = fhir.create(patient(tag))
    body = transaction(
        entry("POST", "Patient", patient(tag + "b")),
        entry("PUT", reference(known), known | {"gender": "male"}, ifMatch='W/"7"'),
    )
    outcome = fhir.refused("POST", "", body, expect=412)
    assert "Bundle.entry[1]" in text_of(outcome)
    assert fhir.get(reference(known)).headers["etag"] == 'W/"1"'
    assert fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}b"}) == []


def transaction(*entries: Json) -> Json:
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


@requirement("http.html#transaction")
def test_a_failing_transaction_names_its_entries_and_stores_nothing(fhir: Client, tag: str) -> None:
    known = fhir.create(patient(tag))
    body = transaction(
        entry("PUT", reference(known), known | {"gender": "male"}),
        entry("POST", "Patient", patient(tag + "b")),
        entry("POST", "Patient", patient(tag + "c", gender="none")),
        entry("POST", "Observation", {"resourceType": "Observation", "status": "final"}),
    )
    outcome = fhir.refused("POST", "", body, expect=400)
    places = {place for issue in outcome["issue"] for place in issue.get("expression", ())}
    assert any(place.startswith("Bundle.entry[2].resource") and "gender" in place for place in places), places
    assert any(place.startswith("Bundle.entry[3].resource") for place in places), places
    assert fhir.get(reference(known)).headers["etag"] == 'W/"1"'
    assert fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}b"}) == []


@requirement("http.html#trules")
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_resource_may_be_named_once(fhir: Client, tag: str, method: str) -> None:
    known = fhir.create(patient(tag))
    other = entry(method, reference(known), known if method == "PUT" else None)
    body = transaction(entry("PUT", reference(known), known | {"gender": "male"}), other)
    outcome = fhir.refused("POST", "", body, expect=400)
    assert "Bundle.entry[1]" in text_of(outcome)
    assert fhir.get(reference(known)).headers["etag"] == 'W/"1"'


@requirement("http.html#trules")
def test_a_resource_may_be_named_once_by_criteria_too(fhir: Client, tag: str) -> None:
    known = fhir.create(patient(tag))
    body = transaction(
        entry("PUT", reference(known), known),
        entry("PUT", f"Patient?identifier={SYSTEM}|{tag}", patient(tag)),
    )
    fhir.refused("POST", "", body, expect=400)
    assert fhir.get(reference(known)).headers["etag"] == 'W/"1"'


@requirement("http.html#patch")
def test_patches_in_a_transaction(fhir: Client, tag: str) -> None:
    first, second = fhir.create(patient(tag)), fhir.create(patient(tag + "b"))
    data = "W3sib3AiOiJhZGQiLCJwYXRoIjoiL2dlbmRlciIsInZhbHVlIjoibWFsZSJ9XQ=="
    json_patch = {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}
    part = [
        {"name": "type", "valueCode": "add"},
        {"name": "path", "valueString": "Patient"},
        {"name": "name", "valueString": "gender"},
        {"name": "value", "valueCode": "female"},
    ]
    fhirpath_patch = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]}
    answered = fhir.bundle(
        "transaction",
        entry("PATCH", reference(first), json_patch),
        entry("PATCH", reference(second), fhirpath_patch),
    )
    assert statuses(answered) == ["200", "200"]
    assert fhir.get(reference(first)).json()["gender"] == "male"
    assert fhir.get(reference(second)).json()["gender"] == "female"


@requirement("http.html#return")
def test_prefer_decides_what_a_transaction_returns(fhir: Client, tag: str) -> None:
    def sent(returning: str) -> Json:
        entries = entry("POST", "Patient", patient(tag), urn())
        answered: Json = fhir.bundle("transaction", entries, Prefer=f"return={returning}")["entry"][0]
        return answered

    assert "resource" not in sent("minimal")
    assert sent("representation")["resource"]["resourceType"] == "Patient"
    assert sent("OperationOutcome")["response"]["outcome"]["resourceType"] == "OperationOutcome"


@requirement("http.html#transaction")
def test_a_transaction_may_be_sent_and_answered_as_xml(fhir: Client, tag: str) -> None:
    body = (
        '<Bundle xmlns="http://hl7.org/fhir"><type value="transaction"/><entry><resource><Patient><identifier>'
        f'<system value="{SYSTEM}"/><value value="{tag}"/></identifier></Patient></resource>'
        '<request><method value="POST"/><url value="Patient"/></request></entry></Bundle>'
    )
    answer = fhir.post("", body, type=FHIR_XML, Accept=FHIR_XML)
    assert answer.headers["content-type"].startswith(FHIR_XML)
    assert '<status value="201' in answer.text
    assert len(fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}"})) == 1


@requirement("http.html#transaction")
def test_a_large_transaction_is_taken_whole(fhir: Client, tag: str) -> None:
    subject = urn()
    weights = [entry("POST", "Observation", observation(subject, f"{tag}-{n}"), urn()) for n in range(500)]
    answered = fhir.bundle("transaction", *weights, entry("POST", "Patient", patient(tag), subject))
    assert set(statuses(answered)) == {"201"}
    found = fhir.search("Observation", {"patient.identifier": f"{SYSTEM}|{tag}", "_summary": "count"})
    assert found["total"] == 500


@requirement("http.html#trules")
def test_circular_references_between_entries(fhir: Client, tag: str) -> None:
    one, two = urn(), urn()

    def linked(name: str, other: str) -> Json:
        return patient(name, link=[{"other": {"reference": other}, "type": "seealso"}])

    answered = fhir.bundle(
        "transaction",
        entry("POST", "Patient", linked(tag, two), one),
        entry("POST", "Patient", linked(tag + "b", one), two),
    )
    made = [each["response"]["location"].split("/fhir/")[-1].split("/_history")[0] for each in answered["entry"]]
    assert fhir.get(made[0]).json()["link"][0]["other"]["reference"] == made[1]
    assert fhir.get(made[1]).json()["link"][0]["other"]["reference"] == made[0]


def made_by(answered: Json) -> list[str]:
    """``Patient/1`` for each entry of a transaction response."""
    return [each["response"]["location"].split("/fhir/")[-1].split("/_history")[0] for each in answered["entry"]]


@requirement("bundle.html#references")
def test_a_version_or_fragment_behind_a_full_url_is_kept(fhir: Client, tag: str) -> None:
    full = f"http://elsewhere.example/fhir/Patient/{tag}"
    answered = fhir.bundle(
        "transaction",
        entry("POST", "Patient", patient(tag), full),
        entry("POST", "Observation", observation(f"{full}/_history/1"), urn()),
    )
    person, weight = made_by(answered)
    assert fhir.get(weight).json()["subject"]["reference"] == f"{person}/_history/1"


@requirement("http.html#trules")
def test_a_reference_to_what_the_transaction_puts(fhir: Client, tag: str) -> None:
    answered = fhir.bundle(
        "transaction",
        entry("POST", "Observation", observation(f"Patient/{tag}", tag)),
        entry("PUT", f"Patient/{tag}", patient(tag, id=tag)),
    )
    assert statuses(answered) == ["201", "201"]
    assert fhir.found("Observation", {"patient": tag, "identifier": f"{SYSTEM}|{tag}"})


@requirement("http.html#trules")
def test_two_conditional_creates_of_the_same_make_one_resource(fhir: Client, tag: str) -> None:
    one, two = urn(), urn()
    criteria = f"identifier={SYSTEM}|{tag}"
    answered = fhir.bundle(
        "transaction",
        entry("POST", "Patient", patient(tag), one, ifNoneExist=criteria),
        entry("POST", "Patient", patient(tag), two, ifNoneExist=criteria),
        entry("POST", "Encounter", encounter(one), urn()),
        entry("POST", "Encounter", encounter(two), urn()),
    )
    [only] = fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}"})
    for visit in made_by(answered)[2:]:
        assert fhir.get(visit).json()["subject"]["reference"] == f"Patient/{only}"


@requirement("http.html#trules")
def test_a_conditional_reference_may_mean_what_the_transaction_creates(fhir: Client, tag: str) -> None:
    # The specification resolves it against the record; to an entry of the same Bundle it is a conditional create's.
    fhir.create(patient(tag))
    answered = fhir.bundle(
        "transaction",
        entry("POST", "Patient", patient(tag), urn(), ifNoneExist=f"identifier={SYSTEM}|{tag}"),
        entry("POST", "Encounter", encounter(f"Patient?identifier={SYSTEM}|{tag}"), urn()),
    )
    person, visit = made_by(answered)
    assert fhir.get(visit).json()["subject"]["reference"] == person


@requirement("http.html#trules")
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_criteria_with_several_matches_fail_the_transaction(fhir: Client, tag: str, method: str) -> None:
    for _ in range(2):
        fhir.create(patient(tag))
    bodies = {"PUT": patient(tag), "PATCH": {"resourceType": "Parameters"}, "DELETE": None}
    body = transaction(
        entry("POST", "Patient", patient(tag + "b")),
        entry(method, f"Patient?identifier={SYSTEM}|{tag}", bodies[method]),
    )
    outcome = fhir.refused("POST", "", body, expect=412)
    assert "Bundle.entry[1]" in text_of(outcome)
    assert fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}b"}) == []


@requirement("http.html#trules")
def test_a_url_of_this_server_may_be_absolute(fhir: Client, tag: str) -> None:
    known = fhir.create(patient(tag))
    full = f"{fhir.base}/{reference(known)}"
    answered = fhir.bundle(
        "transaction",
        entry("PUT", full, known | {"gender": "male"}, full),
        entry("POST", f"{fhir.base}/Observation", observation(full, tag), urn()),
        entry("GET", f"{fhir.base}/Observation?patient={known['id']}"),
    )
    assert statuses(answered) == ["200", "201", "200"]
    assert ids_of(answered["entry"][2]["resource"])
