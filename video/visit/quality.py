"""How well the connection of one participant was, as Observation: packets, loss, jitter, round trip, minutes.

FHIR R4 Observation (https://hl7.org/fhir/R4/observation.html), of RFC 3550 section 6.4 what the server measured.
"""

from decimal import Decimal
from typing import Any, NamedTuple

from resources.literal_reference import local
from video.ports import Fact
from video.visit.communication import about
from video.visit.moments import period

Json = dict[str, Any]

MEASURES = "urn:x-hearth:visit-quality"
_UCUM = "http://unitsofmeasure.org"
_PERFORMERS = frozenset({"Patient", "Practitioner", "PractitionerRole", "RelatedPerson"})


class _Measure(NamedTuple):
    text: str
    unit: str
    code: str


_ROWS: dict[str, _Measure] = {
    "seconds": _Measure("Time connected", "s", "s"),
    "lost": _Measure("Packets lost", "%", "%"),
    "jitter": _Measure("Jitter", "ms", "ms"),
    "round_trip": _Measure("Round trip", "ms", "ms"),
    "received": _Measure("Packets received", "packets", "{packets}"),
    "sent": _Measure("Packets sent", "packets", "{packets}"),
    "bytes_received": _Measure("Bytes received", "B", "By"),
    "bytes_sent": _Measure("Bytes sent", "B", "By"),
}


def measurement(fact: Fact) -> Json | None:
    """The Observation; None when nothing was measured."""
    parts = [_component(name, row, fact.detail[name]) for name, row in _ROWS.items() if name in fact.detail]
    if not parts:
        return None
    seconds = fact.detail.get("seconds", 0)
    lasted = round(float(seconds) * 1000) if isinstance(seconds, int | float) else 0
    code = {"coding": [{"system": MEASURES, "code": "connection"}], "text": "Quality of the connection of a visit"}
    made: Json = {"resourceType": "Observation", **about(fact), "status": "final", "code": code}
    made["effectivePeriod"] = period(fact.at - lasted, fact.at)
    performer = local(fact.actor)
    if performer is not None and performer.type in _PERFORMERS:
        made["performer"] = [{"reference": fact.actor}]
    made["component"] = parts
    return made


def _component(name: str, row: _Measure, value: object) -> Json:
    quantity = {"value": _number(value), "unit": row.unit, "system": _UCUM, "code": row.code}
    code = {"coding": [{"system": MEASURES, "code": name.replace("_", "-")}], "text": row.text}
    return {"code": code, "valueQuantity": quantity}


def _number(value: object) -> int | Decimal:
    return value if isinstance(value, int) else Decimal(str(value)).quantize(Decimal("0.01"))
