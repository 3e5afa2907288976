"""Small valid resources to send, and entries of Bundles that send them."""

from typing import Any

from conformance_tests.client import SYSTEM, Json


def patient(tag: str, **elements: Any) -> Json:
    """A Patient found by ``identifier=SYSTEM|tag``."""
    return {
        "resourceType": "Patient",
        "identifier": [identifier(tag)],
        "name": [{"family": f"Okafor-{tag}"}],
    } | elements


def observation(patient: str, tag: str = "", **elements: Any) -> Json:
    """A final body weight of the patient that ``patient`` refers to."""
    body: Json = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}], "text": "Body weight"},
        "subject": {"reference": patient},
    }
    if tag:
        body["identifier"] = [identifier(tag)]
    return body | elements


def encounter(subject: str, **elements: Any) -> Json:
    return {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR"},
        "subject": {"reference": subject},
    } | elements


def weight(value: float | str, unit: str = "kg") -> Json:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


def identifier(value: str) -> Json:
    return {"system": SYSTEM, "value": value}


def coding(code: str, system: str = SYSTEM) -> Json:
    return {"system": system, "code": code}


def entry(method: str, url: str, resource: Json | None = None, full_url: str = "", **conditions: str) -> Json:
    """An entry of a batch or transaction; ``conditions`` are ifMatch, ifNoneExist and so on."""
    made: Json = {"request": {"method": method, "url": url} | conditions}
    if resource is not None:
        made["resource"] = resource
    if full_url:
        made["fullUrl"] = full_url
    return made


def statuses(bundle: Json) -> list[str]:
    """The status codes of a response Bundle."""
    return [each["response"]["status"][:3] for each in bundle["entry"]]
