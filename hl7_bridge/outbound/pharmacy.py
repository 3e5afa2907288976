"""MedicationRequest to pharmacy orders: RDE^O11 (encoded), or OMP^O09 for receivers that encode themselves.

HL7 v2.5.1 sections 4.13.2 to 4.13.6 (OMP, RDE, RXO, RXE, RXR, RXC); no official map of RDE exists, RXO's is followed.
"""

from collections.abc import Sequence
from typing import Any

from hl7_bridge.er7.serializer import Field
from hl7_bridge.outbound.datatypes import Json, cq, cwe, dtm, first, number, unit
from hl7_bridge.outbound.orders import orc
from hl7_bridge.outbound.segments import Context, Segment, identified, notes, pid, pv1, timing_fields, urgency_of

_PATIENT = ("PI", "HEARTH")
"""CE-1 and CE-3 of an instruction that is for the patient."""
_PER = {"s": "S", "min": "M", "h": "H", "d": "D", "wk": "W", "mo": "L"}


def prescription(context: Context, request: Json, control: str, message: str) -> list[Segment]:
    """The segments after MSH of ``message`` (RDE^O11 or OMP^O09) for ``request`` under an order control code."""
    patient = context.patient(request.get("subject"))
    encoded = message == "RDE^O11"
    dosages = request.get("dosageInstruction", ())
    timings = _timings(request, dosages)
    described = _Drug(context, request)
    return [
        pid(context, patient),
        *pv1(context, context.follow(request.get("encounter"))),
        orc(context, request, control),
        *([] if encoded else timings),
        _segment(*(("RXE", _RXE) if encoded else ("RXO", _RXO)), _said(context, request, described)),
        *notes(request.get("note", ())),
        *(timings if encoded else []),
        *_routes(dosages),
        *described.components,
    ]


class _Drug:
    """``code``, ``form``, strength as (amount, unit) ``numerator`` and ``denominator``, and ``components``."""

    def __init__(self, context: Context, request: Json) -> None:
        reference = request.get("medicationReference", {})
        found = context.follow(reference) or {}
        own = request.get("medicationCodeableConcept")
        self.code = cwe(own or found.get("code") or {"text": reference.get("display", "")})
        self.form: Field = cwe(found["form"]) if "form" in found else ""
        ingredients = [each for each in found.get("ingredient", ()) if "itemCodeableConcept" in each]
        # One ingredient of the drug's own name is its strength, not a compound.
        is_plain = len(ingredients) == 1 and ingredients[0]["itemCodeableConcept"] == found.get("code")
        strength = ingredients[0].get("strength", {}) if is_plain and "isActive" not in ingredients[0] else {}
        self.numerator, self.denominator = strength.get("numerator", {}), _divisor(strength)
        self.components = [] if strength else [_rxc(each) for each in ingredients]

    @property
    def said(self) -> dict[str, Field]:
        """By the words of _RXE and _RXO."""
        strength, volume = self.numerator, self.denominator
        return {
            "code": self.code,
            "form": self.form,
            "strength": number(strength),
            "strength unit": unit(strength) if strength else "",
            "volume": number(volume),
            "volume unit": unit(volume) if volume else "",
        }


def _divisor(strength: Json) -> Json:
    """A denominator that says more than one of what is given."""
    found: Json = strength.get("denominator", {})
    return {} if dict(found) == {"value": 1} else found


def _timings(request: Json, dosages: Sequence[Json]) -> list[Segment]:
    """One TQ1 for each dosage; of several, each says its own dose and its words."""
    several = len(dosages) > 1
    found: list[Segment] = []
    for at, dosage in enumerate(dosages or ({},)):
        needed = dosage.get("asNeededCodeableConcept") or dosage.get("asNeededBoolean", False)
        words = [each["text"] for each in dosage.get("additionalInstruction", ()) if set(each) == {"text"}]
        dose = first(dosage.get("doseAndRate", ())).get("doseQuantity")
        fields = timing_fields(dosage.get("timing"), None, needed)
        fields[2] = cq(dose) if several and dose else ""
        fields[9] = "" if at else urgency_of(request)
        fields[10] = words[0] if words else ""
        fields[11] = dosage.get("text", "") if at else ""
        if several or any(fields.values()):
            found.append(("TQ1", {1: str(at + 1), **fields}))
    return found


def _amounts(dosage: Json) -> tuple[str, str, Field]:
    """Least and most of one dose, and their unit."""
    amounts = first(dosage.get("doseAndRate", ()))
    if "doseRange" in amounts:
        low, high = amounts["doseRange"].get("low", {}), amounts["doseRange"].get("high", {})
        return number(low), number(high), unit(low or high)
    quantity = amounts.get("doseQuantity", {})
    return number(quantity), "", unit(quantity) if quantity else ""


def _rate(dosage: Json) -> tuple[str, Field, str]:
    """Rate, its unit, and per which time."""
    amounts = first(dosage.get("doseAndRate", ()))
    ratio = amounts.get("rateRatio", {})
    rate, over = ratio.get("numerator") or amounts.get("rateQuantity", {}), ratio.get("denominator", {})
    letter = _PER.get(over.get("code", ""), "")
    return number(rate), unit(rate) if rate else "", f"{letter}{over.get('value', 1)}" if letter else ""


def _daily(dosage: Json) -> Field:
    """The most per day; of other periods there is no field."""
    most = dosage.get("maxDosePerPeriod", {})
    over = most.get("denominator", {})
    is_day = over.get("value") == 1 and over.get("code") == "d"
    return cq(most["numerator"]) if is_day and "numerator" in most else ""


def _instructions(dosages: Sequence[Json]) -> list[Any]:
    """What the first dosage says in words, and what is for the patient."""
    dosage = first(dosages)
    said: list[Any] = [("", dosage["text"])] if dosage.get("text") else []
    told = dosage.get("patientInstruction")
    return [*said, (_PATIENT[0], told, _PATIENT[1])] if told else said


def _supply(request: Json) -> tuple[str, Field, str]:
    """Amount to dispense, its unit, and refills."""
    asked = request.get("dispenseRequest", {})
    quantity = asked.get("quantity", {})
    repeats = asked.get("numberOfRepeatsAllowed")
    return number(quantity), unit(quantity) if quantity else "", "" if repeats is None else str(repeats)


def _interval(request: Json) -> str:
    """Days between dispenses."""
    found = request.get("dispenseRequest", {}).get("dispenseInterval", {})
    return number(found) if found.get("code") == "d" else ""


def _pharmacy(context: Context, request: Json) -> Field:
    """The organization that dispenses: its number, its name and the system of the number."""
    reference = request.get("dispenseRequest", {}).get("performer")
    found = context.follow(reference)
    if not found or found["resourceType"] != "Organization":
        return ("", (reference or {}).get("display", ""))
    own = first(identified(found))
    return (own.get("value", ""), found.get("name", ""), own.get("system", ""))


def _substitution(request: Json) -> str:
    """Table 0161, or 0167 whose codes have the same letters."""
    asked = request.get("substitution", {})
    code = first(asked.get("allowedCodeableConcept", {}).get("coding", ())).get("code", "")
    allowed = asked.get("allowedBoolean")
    return code or ("" if allowed is None else "G" if allowed else "N")


_RXE = {
    2: "code", 3: "least", 4: "most", 5: "units", 6: "form", 7: "instructions", 9: "substitution", 10: "amount",
    11: "amount unit", 12: "refills", 19: "daily", 22: "per", 23: "rate", 24: "rate unit", 25: "strength",
    26: "strength unit", 27: "reason", 32: "written", 33: "volume", 34: "volume unit", 40: "pharmacy",
}  # fmt: skip
_RXO = {
    1: "code", 2: "least", 3: "most", 4: "units", 5: "form", 7: "instructions", 9: "substitution", 11: "amount",
    12: "amount unit", 13: "refills", 17: "per", 18: "strength", 19: "strength unit", 20: "reason", 21: "rate",
    22: "rate unit", 23: "daily", 25: "volume", 26: "volume unit", 28: "interval", 32: "pharmacy",
}  # fmt: skip
"""Fields of sections 4.14.4 and 4.14.1 by what stands in them, see _said."""


def _segment(name: str, fields: dict[int, str], said: dict[str, Any]) -> Segment:
    return name, {field: said[what] for field, what in fields.items()}


def _said(context: Context, request: Json, drug: _Drug) -> dict[str, Any]:
    """What a prescription says besides how it is given, for RXE and RXO alike."""
    dosages = request.get("dosageInstruction", ())
    dosage = first(dosages)
    return {
        **dict(zip(("least", "most", "units"), _amounts(dosage), strict=True)),
        **dict(zip(("amount", "amount unit", "refills"), _supply(request), strict=True)),
        **dict(zip(("rate", "rate unit", "per"), _rate(dosage), strict=True)),
        **drug.said,
        "instructions": _instructions(dosages),
        "substitution": _substitution(request),
        "daily": _daily(dosage),
        "reason": _reason(request),
        "written": dtm(request.get("authoredOn", "")),
        "interval": _interval(request),
        "pharmacy": _pharmacy(context, request),
    }


def _reason(request: Json) -> list[Any]:
    return [cwe(each) for each in request.get("reasonCode", ())]


_WAYS = ("route", "site", "method")
_UNKNOWN = ("UNK", "unknown", "HL70162")


def _routes(dosages: Sequence[Json]) -> list[Segment]:
    """RXR of each dosage where one has a way to take it; a receiver must get one, so an unknown way is said as such."""
    routed = [each for each in dosages if any(name in each for name in _WAYS) or _routing(each)]
    if not routed:
        return [("RXR", {1: _UNKNOWN})]
    return [
        (
            "RXR",
            {
                1: cwe(each["route"]) if "route" in each else _UNKNOWN,
                2: cwe(each["site"]) if "site" in each else "",
                4: cwe(each["method"]) if "method" in each else "",
                5: _routing(each),
            },
        )
        for each in dosages
    ]


def _routing(dosage: Json) -> Field:
    """The first coded additional instruction."""
    coded = [each for each in dosage.get("additionalInstruction", ()) if set(each) != {"text"}]
    return cwe(coded[0]) if coded else ""


_ACTIVE = {True: "A", False: "B"}


def _rxc(ingredient: Json) -> Segment:
    strength = ingredient.get("strength", {})
    amount, over = strength.get("numerator", {}), _divisor(strength)
    return (
        "RXC",
        {
            1: _ACTIVE[ingredient.get("isActive", True)],
            2: cwe(ingredient["itemCodeableConcept"]),
            3: number(amount),
            4: unit(amount) if amount else "",
            8: number(over),
            9: unit(over) if over else "",
        },
    )
