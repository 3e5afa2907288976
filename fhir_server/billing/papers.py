"""The ChargeItem, the Claim and the Provenance that are written here.

FHIR R4 ChargeItem (https://hl7.org/fhir/R4/chargeitem.html), Claim (https://hl7.org/fhir/R4/claim.html), Provenance.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from hashlib import blake2b
from math import ceil
from typing import Any

import msgspec

from fhir_server.billing.facts import practitioners_of
from fhir_server.billing.tariff import Modality, Row, Tariff
from fhir_server.visits.people import patient_of
from resources.instant import instant

Json = dict[str, Any]

CHARGE = "urn:x-hearth:charge"
"""Identifier system of what was made here; the value is the Encounter's id."""
INFORMATION = "urn:x-hearth:claim-information"
_HL7 = "http://terminology.hl7.org/CodeSystem"
_CONFIDENTIALITY = f"{_HL7}/v3-Confidentiality"
_BY_SOFTWARE = "Charged by software, from what the record says of the visit."
_UNCHECKED = "Draft by software, from what the record says of the visit; checked by nobody yet."


class Visit(msgspec.Struct, frozen=True):
    """What a charge is made of. ``place`` and ``provider`` may be ''; ``diagnosed`` are Conditions and ``coverages``
    references in their order; ``by`` is who asked, ``at`` now (ms since 1970 UTC)."""

    encounter: Json
    minutes: Decimal
    modality: Modality
    place: str
    provider: str
    account: str
    diagnosed: Sequence[Json]
    coverages: Sequence[str]
    by: str
    at: int

    @property
    def reference(self) -> str:
        return f"Encounter/{self.encounter['id']}"

    @property
    def conditions(self) -> list[str]:
        return [f"Condition/{one['id']}" for one in self.diagnosed]


def names(encounter: str) -> dict[str, str]:
    """Type to id of what is made for the Encounter with the id ``encounter``: known before, so that it is made once."""
    digest = blake2b(encounter.encode(), digest_size=16).hexdigest()
    return {"ChargeItem": f"charge-{digest}", "Claim": f"claim-{digest}"}


def charge_item(visit: Visit, tariff: Tariff, row: Row) -> Json:
    """What is to be paid for."""
    encounter, people = visit.encounter, practitioners_of(visit.encounter)
    made: Json = {
        "resourceType": "ChargeItem",
        "id": names(encounter["id"])["ChargeItem"],
        "identifier": [{"system": CHARGE, "value": encounter["id"]}],
        "status": "billable",
        "code": tariff.concept(row),
        "subject": {"reference": patient_of(encounter)},
        "context": {"reference": visit.reference},
        "performer": [{"actor": {"reference": who}} for who in people],
        "performingOrganization": encounter.get("serviceProvider"),
        "quantity": {"value": quantity(visit.minutes, row)},
        "enterer": {"reference": visit.by} if "/" in visit.by else None,
        "enteredDate": instant(visit.at),
        "occurrencePeriod": encounter.get("period"),
        "account": [{"reference": visit.account}] if visit.account else None,
        "note": [{"time": instant(visit.at), "text": f"{visit.minutes.normalize():f} minutes. {_BY_SOFTWARE}"}],
    }
    return labelled(_told(made), [encounter])


def claim(visit: Visit, tariff: Tariff, charge: Json) -> Json:
    """The draft of what a payer would be asked, for ``charge`` and each of the coverages. There is a provider."""
    encounter, people = visit.encounter, practitioners_of(visit.encounter)
    item = _item(visit, tariff, charge, len(people))
    made: Json = {
        "resourceType": "Claim",
        "id": names(encounter["id"])["Claim"],
        "identifier": [{"system": CHARGE, "value": encounter["id"]}],
        "status": "draft",
        "type": _coded("claim-type", "professional"),
        "use": "claim",
        "patient": charge["subject"],
        "billablePeriod": encounter.get("period"),
        "created": instant(visit.at),
        "enterer": {"reference": visit.by} if visit.by.startswith("Practitioner") else None,
        "provider": {"reference": visit.provider},
        "priority": _coded("processpriority", "normal"),
        "careTeam": [_member(n, who) for n, who in enumerate(people, 1)],
        "supportingInfo": _information(visit, charge),
        "diagnosis": diagnoses(visit.conditions),
        "insurance": [
            {"sequence": n, "focal": n == 1, "coverage": {"reference": one}} for n, one in enumerate(visit.coverages, 1)
        ],
        "item": [item],
        "total": item.get("net"),
    }
    return labelled(_told(made), [encounter, *visit.diagnosed])


def labelled(made: Json, sources: Iterable[Json]) -> Json:
    """``made`` as confidential as what it was made of: a claim tells what a restricted Condition says."""
    labels = [label for one in (made, *sources) for label in one.get("meta", {}).get("security", ())]
    kept = {label.get("code"): label for label in labels if label.get("system") == _CONFIDENTIALITY}
    own = [one for one in made.get("meta", {}).get("security", ()) if one.get("system") != _CONFIDENTIALITY]
    return made | {"meta": made.get("meta", {}) | {"security": [*own, *kept.values()]}} if kept else made


def diagnoses(conditions: Sequence[str]) -> list[Json]:
    return [{"sequence": n, "diagnosisReference": {"reference": one}} for n, one in enumerate(conditions, 1)]


def priced(item: Json, tariff: Tariff, row: Row | None) -> Json:
    """``item`` of a claim with the price of ``row``: none without one."""
    rest = {name: value for name, value in item.items() if name not in ("unitPrice", "net")}
    if row is None or row.price is None:
        return rest
    count = Decimal(str(item.get("quantity", {}).get("value", 1)))
    amounts = (("unitPrice", row.price), ("net", row.price * count))
    money = {name: {"value": amount, "currency": tariff.currency.upper()} for name, amount in amounts}
    return rest | money


def quantity(minutes: Decimal, row: Row) -> int:
    """How many of ``row``: one, or one for each ``every`` minutes begun."""
    return max(1, ceil(minutes / row.every)) if row.every else 1


def provenance(visit: Visit, targets: Sequence[str]) -> Json:
    """That this software made ``targets`` from the visit, for who asked."""
    asked = {"reference": visit.by} if "/" in visit.by else {"display": "Nobody is logged in"}
    agents = (("assembler", {"type": "Device", "display": "Hearth, charges of visits"}), ("enterer", asked))
    return {
        "resourceType": "Provenance",
        "target": [{"reference": target} for target in targets],
        "recorded": instant(visit.at),
        "activity": {"coding": [{"system": f"{_HL7}/v3-DataOperation", "code": "CREATE"}], "text": _UNCHECKED},
        "agent": [{"type": _coded("provenance-participant-type", role), "who": who} for role, who in agents],
        "entity": [{"role": "source", "what": {"reference": visit.reference}}],
    }


def _item(visit: Visit, tariff: Tariff, charge: Json, people: int) -> Json:
    modifier = tariff.modifiers.get(visit.modality, "")
    made: Json = {
        "sequence": 1,
        "careTeamSequence": list(range(1, people + 1)),
        "diagnosisSequence": list(range(1, len(visit.conditions) + 1)),
        "informationSequence": [1, 2],
        "productOrService": charge["code"],
        "modifier": [tariff.modifier(modifier)] if modifier else None,
        "servicedPeriod": visit.encounter.get("period"),
        "locationCodeableConcept": tariff.place(visit.place) if visit.place else None,
        "quantity": charge.get("quantity"),
        "encounter": [{"reference": visit.reference}],
    }
    return priced(_told(made), tariff, tariff.coded(charge["code"].get("coding", [{}])[0].get("code", "")))


def _information(visit: Visit, charge: Json) -> list[Json]:
    """How long the visit was, and the charge."""
    minutes = {"value": visit.minutes, "unit": "min", "system": "http://unitsofmeasure.org", "code": "min"}
    values: dict[str, Json] = {
        "minutes": {"valueQuantity": minutes},
        "charge": {"valueReference": {"reference": f"ChargeItem/{charge['id']}"}},
    }
    return [
        {"sequence": n, "category": {"coding": [{"system": INFORMATION, "code": code}]}, **value}
        for n, (code, value) in enumerate(values.items(), 1)
    ]


def _member(number: int, who: str) -> Json:
    return {"sequence": number, "provider": {"reference": who}, "responsible": number == 1}


def _coded(system: str, code: str) -> Json:
    return {"coding": [{"system": f"{_HL7}/{system}", "code": code}]}


def _told(made: Json) -> Json:
    """Without what nobody said."""
    return {name: value for name, value in made.items() if value not in (None, [], {})}
