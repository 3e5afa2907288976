"""FHIR to HL7 v2 and back: of what the maps cover nothing is lost, whatever the texts hold.

The strategies are the list of what is covered. Not covered, because v2 has no field for it: ``intent`` (RXO reads as
original-order, RXE as filler-order), ``substitution.allowedBoolean`` (reads as its code of table 0161 or 0167),
identifiers of other types than placer's and filler's, authors of notes, second reasons and types of an appointment.
"""

from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hl7_bridge.outbound.events import Outgoing
from hl7_bridge.outbound.tests.record import APPOINTMENT, NOTE, ORDER, PRESCRIPTION, Json
from hl7_bridge.outbound.tests.round_trip import (
    Comparison,
    amounts,
    concepts,
    identifiers,
    moments,
    quantities,
    some,
    texts,
    there_and_back,
)

OMP, RDE = Outgoing("OMP", "O09", "OMP_O09", "NW"), Outgoing("RDE", "O11", "RDE_O11", "NW")
OML = Outgoing("OML", "O21", "OML_O21", "NW")
MDM = Outgoing("MDM", "T02", "MDM_T02")
CONTROLS = {"active": "NW", "on-hold": "HD", "cancelled": "CA", "stopped": "DC"}
EVENTS = {"cancelled": "S15", "noshow": "S26", "entered-in-error": "S17"}
SLOW = settings(max_examples=60, deadline=None, phases=(Phase.explicit, Phase.generate))


def lost(resource: Json, outgoing: Outgoing, pick: Any = None, more: Json | None = None) -> list[str]:
    """What of ``resource`` does not come back; ``pick`` makes what is compared of it."""
    found = there_and_back(resource, outgoing, more)
    got = [each.resource for each in found.entries if each.resource["resourceType"] == resource["resourceType"]]
    covered = {name: value for name, value in resource.items() if name not in ("resourceType", "id", "intent")}
    assert len(got) == 1
    return Comparison(found, more).lost(pick(covered) if pick else covered, got[0])


# --- prescriptions

_rhythms = st.one_of(
    st.builds(lambda n: {"frequency": n, "period": 1, "periodUnit": "d"}, st.integers(1, 9)),
    st.builds(
        lambda n, unit: {"frequency": 1, "period": n, "periodUnit": unit},
        st.integers(1, 48),
        st.sampled_from(["s", "min", "h", "d", "wk", "mo", "a"]),
    ),
    st.just({"frequency": 3, "period": 2, "periodUnit": "wk"}),
    st.just({"frequency": 1, "period": 1, "periodUnit": "wk", "dayOfWeek": ["mon", "thu"]}),
    st.just({"when": ["ACM", "HS"]}),
    st.just({"when": ["PC"], "offset": 30}),
    st.just({"timeOfDay": ["08:00:00", "20:30:15"]}),
)
_ucum = st.builds(
    lambda value: {"value": value, "unit": "days", "system": "http://unitsofmeasure.org", "code": "d"}, amounts
)
_bounds = st.one_of(
    st.just({}),
    st.builds(lambda start: {"boundsPeriod": {"start": start}}, moments),
    st.builds(lambda found: {"boundsDuration": found}, _ucum),
)
_timings = st.builds(
    lambda rhythm, bounds, count, code: {"repeat": {**rhythm, **bounds, **count}, **code},
    _rhythms,
    _bounds,
    st.sampled_from([{}, {"count": 12}, {"duration": 90, "durationUnit": "min"}]),
    st.one_of(st.just({}), st.builds(lambda text: {"code": {"text": "x" + text}}, texts)),
)
_per_day = {"value": 1, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}
_hour = {"value": 1, "unit": "h", "system": "http://unitsofmeasure.org", "code": "h"}


def _x(value: Any) -> Json:
    return {"value": value, "unit": "x"}


_doses = st.one_of(
    st.builds(lambda dose: {"doseQuantity": dose}, quantities),
    st.builds(lambda low, more: {"doseRange": {"low": _x(low), "high": _x(low + 1 + more)}}, amounts, amounts),
    st.builds(lambda rate: {"rateQuantity": {"value": rate, "unit": "mL/h"}}, amounts),
    st.builds(lambda rate: {"rateRatio": {"numerator": {"value": rate, "unit": "mL"}, "denominator": _hour}}, amounts),
)
_dosages = some(
    text=texts,
    patientInstruction=texts,
    additionalInstruction=st.one_of(
        st.builds(lambda text: [{"text": text}], texts),
        st.builds(lambda found: [{"coding": [{"system": "http://snomed.info/sct", **found}]}], st.just({"code": "1"})),
    ),
    timing=_timings,
    route=concepts,
    site=concepts,
    method=concepts,
    doseAndRate=st.builds(lambda dose: [dose], _doses),
    maxDosePerPeriod=st.builds(lambda most: {"numerator": most, "denominator": _per_day}, quantities),
)
_needs = st.one_of(
    st.just({}),
    st.just({"asNeededBoolean": True}),
    st.builds(lambda text: {"asNeededCodeableConcept": {"text": text}}, texts),
    st.just({"asNeededCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "2"}]}}),
)
_single = st.builds(lambda dosage, need: [{**dosage, **need}] if dosage or need else [], _dosages, _needs)
_several = st.lists(
    st.builds(
        lambda text, timing, dose: {"text": text, "timing": timing, "doseAndRate": [{"doseQuantity": dose}]},
        texts,
        _timings,
        quantities,
    ),
    min_size=2,
    max_size=3,
).map(lambda found: [{"sequence": n, **each} for n, each in enumerate(found, 1)])

_CARBON = {"coding": [{"system": "http://snomed.info/sct", "code": "7", "display": "Drug"}]}
_ingredients = st.one_of(
    st.builds(
        lambda item, strength: [{"itemCodeableConcept": item, "isActive": True, "strength": strength}],
        concepts,
        st.builds(lambda one, per: {"numerator": one, "denominator": per}, quantities, quantities),
    ),
    st.builds(
        lambda one: [{"itemCodeableConcept": _CARBON, "strength": {"numerator": one, "denominator": {"value": 1}}}],
        quantities,
    ),
)
_medications = st.builds(
    lambda found: {"resourceType": "Medication", "id": "m", "code": _CARBON, **found},
    st.one_of(
        st.builds(lambda form: {"form": form}, concepts),
        st.builds(lambda form, parts: {"form": form, "ingredient": parts}, concepts, _ingredients),
    ),
)
_base = {"resourceType": "MedicationRequest", "id": "rx", "intent": "order", "subject": {"reference": "Patient/ada"}}


def _prescriptions(table: str) -> st.SearchStrategy[Json]:
    substitution = {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/v2-{table}", "code": "G"}]}
    elements = some(
        priority=st.sampled_from(["routine", "urgent", "asap", "stat"]),
        encounter=st.just({"reference": "Encounter/visit"}),
        requester=st.just({"reference": "Practitioner/doc"}),
        authoredOn=moments,
        groupIdentifier=identifiers("PGN"),
        reasonCode=st.lists(concepts, min_size=1, max_size=2),
        note=st.lists(st.builds(lambda text: {"text": text}, texts), min_size=1, max_size=2),
        dosageInstruction=st.one_of(_single, _several).filter(bool),
        dispenseRequest=some(quantity=quantities, numberOfRepeatsAllowed=st.integers(0, 99)).filter(bool),
        substitution=st.just({"allowedCodeableConcept": substitution}),
    )
    return st.builds(
        lambda found, status, drug: {**_base, "status": status, "medicationCodeableConcept": drug, **found},
        elements,
        st.sampled_from(sorted(CONTROLS)),
        concepts,
    )


@SLOW
@given(_prescriptions("0161"), identifiers("PLAC"), st.integers(1, 90))
def test_an_order_of_drugs_comes_back(request: Json, number: Json, days: int) -> None:
    interval = {"value": days, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}
    supply = {**request.get("dispenseRequest", {}), "dispenseInterval": interval}
    sent = {**request, "identifier": [number], "dispenseRequest": supply}
    assert lost(sent, OMP._replace(control=CONTROLS[request["status"]])) == []


@SLOW
@given(_prescriptions("0167"), identifiers("PLAC"), identifiers("FILL"))
def test_an_encoded_order_comes_back_and_knows_the_order(request: Json, number: Json, filler: Json) -> None:
    def pick(covered: Json) -> Json:
        reference = {"identifier": {"system": number["system"], "value": number["value"]}}
        return {**covered, "identifier": [filler], "basedOn": [reference]}

    sent = {**request, "identifier": [number, filler]}
    assert lost(sent, RDE._replace(control=CONTROLS[request["status"]]), pick) == []


@SLOW
@given(_medications, st.sampled_from([OMP, RDE]))
def test_a_drug_with_form_strength_and_ingredients_comes_back(medication: Json, outgoing: Outgoing) -> None:
    reference = {"reference": "Medication/m"}
    request = {**_base, "status": "active", "medicationReference": reference}
    assert lost(request, outgoing, more={"Medication/m": medication}) == []


def test_what_has_no_number_comes_back_by_our_id() -> None:
    found = there_and_back({**PRESCRIPTION}, OMP)
    (entry,) = (each for each in found.entries if each.resource["resourceType"] == "MedicationRequest")
    assert tuple(entry.keys[0]) == ("urn:id:HEARTH", "rx")


# --- laboratory orders


@SLOW
@given(
    some(
        priority=st.sampled_from(["routine", "urgent", "asap", "stat"]),
        code=concepts,
        encounter=st.just({"reference": "Encounter/visit"}),
        requester=st.just({"reference": "Practitioner/doc"}),
        authoredOn=moments,
        reasonCode=st.lists(concepts, min_size=1, max_size=2),
        note=st.lists(st.builds(lambda text: {"text": text}, texts), min_size=1, max_size=2),
    ),
    identifiers("PLAC"),
)
def test_a_laboratory_order_comes_back(found: Json, number: Json) -> None:
    base = {name: ORDER[name] for name in ("resourceType", "id", "status", "intent", "subject")}
    assert lost({**base, **found, "identifier": [number]}, OML) == []


# --- appointments

_NUMBER = {"system": "urn:id:R", "value": "1"}
_ROOM = {"resourceType": "Location", "id": "room", "name": "Room | 1", "identifier": [_NUMBER]}
_people = st.builds(
    lambda actor, kind, status, period: {"actor": actor, "status": status, **kind, **period},
    st.sampled_from([{"reference": "Practitioner/doc"}, {"reference": "Location/room"}, {"display": "Pump ^ 7"}]),
    some(type=st.lists(concepts, min_size=1, max_size=1)),
    st.sampled_from(["accepted", "declined", "tentative", "needs-action"]),
    some(period=st.just({"start": "2026-02-01T09:00:00Z", "end": "2026-02-01T09:15:00Z"})),
)


@SLOW
@given(
    some(
        serviceType=st.lists(concepts, min_size=1, max_size=2),
        reasonCode=st.lists(concepts, min_size=1, max_size=1),
        appointmentType=concepts,
        minutesDuration=st.integers(1, 600),
        comment=texts,
        patientInstruction=texts,
        basedOn=st.just([{"reference": "ServiceRequest/order"}]),
    ),
    st.sampled_from([*EVENTS, "pending", "booked", "arrived", "checked-in", "fulfilled", "waitlist"]),
    st.lists(_people, max_size=3),
    st.lists(st.sampled_from(["PLAC", "FILL"]), min_size=1, max_size=2, unique=True),
    concepts,
    st.data(),
)
def test_an_appointment_comes_back(
    found: Json, status: str, people: list[Json], kinds: list[str], why: Json, data: st.DataObject
) -> None:
    patient = {"actor": {"reference": "Patient/ada"}, "status": "accepted"}
    times = {name: APPOINTMENT[name] for name in ("resourceType", "id", "start", "end")}
    sent = {**times, **found, "status": status, "participant": [patient, *people]}
    sent["identifier"] = [data.draw(identifiers(kind)) for kind in kinds]
    if status == "cancelled":
        sent["cancelationReason"] = why
    covered_ids = [each for each in sent["identifier"] if each["type"]["coding"][0]["code"] == "PLAC"]

    def pick(covered: Json) -> Json:
        return {**covered, "identifier": covered_ids or covered["identifier"]}

    outgoing = Outgoing("SIU", EVENTS.get(status, "S12"), "SIU_S12")
    assert lost(sent, outgoing, pick, {"Location/room": _ROOM}) == []


# --- documents

_attachments = st.one_of(
    st.builds(
        lambda kind, data, more: {"attachment": {"contentType": kind, "data": data, **more}},
        st.sampled_from(["application/pdf", "text/plain", "text/html", "image/png", "application/vnd.x+json"]),
        st.sampled_from(["JVBERi0=", "YWJj", "aGVsbG8gfCBecw=="]),
        some(title=texts, creation=moments),
    ),
    st.just({"attachment": {"contentType": "image/jpeg", "url": "https://example.org/a?b=1&c=^2"}}),
)


@SLOW
@given(
    some(
        type=concepts,
        author=st.just([{"reference": "Practitioner/doc"}]),
        authenticator=st.just({"reference": "Practitioner/doc"}),
        description=texts,
        date=moments,
        securityLabel=st.just([{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0272", "code": "R"}]}]),
        context=some(
            encounter=st.just([{"reference": "Encounter/visit"}]),
            period=st.builds(lambda start: {"start": start}, moments),
            related=st.just([{"reference": "ServiceRequest/order"}]),
        ).filter(bool),
        relatesTo=st.just([{"code": "appends", "target": {"reference": "DocumentReference/note"}}]),
    ),
    identifiers("PLAC"),
    st.sampled_from(["current", "superseded"]),
    st.lists(_attachments, min_size=1, max_size=2),
)
def test_a_document_comes_back(found: Json, number: Json, status: str, contents: list[Json]) -> None:
    base = {"resourceType": "DocumentReference", "id": "d", "subject": {"reference": "Patient/ada"}}
    master = {name: number[name] for name in ("system", "value")}
    sent = {**base, **found, "status": status, "docStatus": "final", "masterIdentifier": master, "content": contents}
    assert lost(sent, MDM) == []


@pytest.mark.parametrize(
    ("event", "state", "expected"),
    [("T08", "amended", "amended"), ("T08", "final", "amended"), ("T11", "entered-in-error", "entered-in-error")],
)
def test_what_became_of_a_document_comes_back(event: str, state: str, expected: str) -> None:
    status = "entered-in-error" if event == "T11" else "current"
    found = there_and_back({**NOTE, "docStatus": state, "status": status}, Outgoing("MDM", event, "MDM_T02"))
    (entry,) = (each for each in found.entries if each.resource["resourceType"] == "DocumentReference")
    assert (entry.resource["docStatus"], entry.resource["status"]) == (expected, status)
