"""MedicationRequest to pharmacy orders: RDE^O11 (encoded), or OMP^O09 for receivers that encode themselves.

HL7 v2.5.1 sections 4.13.2 to 4.13.6 (OMP, RDE, RXO, RXE, RXR, RXC); no official map of RDE exists, RXO's is followed.
"""

from collections.abc import Iterable
from typing import Any

from hl7_bridge.er7.serializer import Field
from hl7_bridge.outbound.datatypes import Json, cwe, first, number, unit
from hl7_bridge.outbound.orders import orc
from hl7_bridge.outbound.segments import Context, Segment, notes, pid, priority, pv1, tq1


def prescription(context: Context, request: Json, control: str, message: str) -> list[Segment]:
    """The segments after MSH of ``message`` (RDE^O11 or OMP^O09) for ``request`` under an order control code."""
    patient = context.follow(request.get("subject")) or {}
    encoded = message == "RDE^O11"
    dosage = first(request.get("dosageInstruction", ()))
    return [
        pid(context, patient),
        *pv1(context, context.follow(request.get("encounter"))),
        orc(context, request, control),
        *tq1(dosage.get("timing"), None, priority(request)),
        (_rxe if encoded else _rxo)(context, request, dosage),
        *notes(request.get("note", ())),
        *_routes(request.get("dosageInstruction", ())),
        *_components(context, request),
    ]


def _drug(context: Context, request: Json) -> Field:
    if "medicationCodeableConcept" in request:
        return cwe(request["medicationCodeableConcept"])
    medication = context.follow(request.get("medicationReference"))
    return cwe((medication or {}).get("code") or {"text": request.get("medicationReference", {}).get("display", "")})


def _dose(dosage: Json) -> tuple[str, str, tuple[str, ...]]:
    """Least and most of one dose, and their unit."""
    amounts = first(dosage.get("doseAndRate", ()))
    if "doseRange" in amounts:
        low, high = amounts["doseRange"].get("low", {}), amounts["doseRange"].get("high", {})
        return number(low), number(high), unit(low or high)
    quantity = amounts.get("doseQuantity", {})
    return number(quantity), "", unit(quantity) if quantity else ()


def _instructions(request: Json) -> list[Any]:
    texts = (each.get("text", "") for each in request.get("dosageInstruction", ()))
    return [("", text) for text in texts if text]


def _patient_instructions(request: Json) -> list[Any]:
    texts = (each.get("patientInstruction", "") for each in request.get("dosageInstruction", ()))
    return [("", text) for text in texts if text]


def _supply(request: Json) -> tuple[str, Field, str]:
    """Amount to dispense, its unit, and refills."""
    asked = request.get("dispenseRequest", {})
    quantity = asked.get("quantity", {})
    repeats = asked.get("numberOfRepeatsAllowed")
    return number(quantity), unit(quantity) if quantity else "", "" if repeats is None else str(repeats)


def _substitution(request: Json) -> str:
    allowed = request.get("substitution", {}).get("allowedBoolean")
    return "" if allowed is None else "G" if allowed else "N"


def _as_needed(request: Json) -> str:
    return "Y" if any(each.get("asNeededBoolean") for each in request.get("dosageInstruction", ())) else ""


def _rxe(context: Context, request: Json, dosage: Json) -> Segment:
    least, most, units = _dose(dosage)
    amount, amount_unit, refills = _supply(request)
    rate = first(dosage.get("doseAndRate", ())).get("rateQuantity", {})
    return (
        "RXE",
        {
            2: _drug(context, request),
            3: least,
            4: most,
            5: units,
            7: [*_instructions(request), *_patient_instructions(request)],
            9: _substitution(request),
            10: amount,
            11: amount_unit,
            12: refills,
            23: number(rate),
            24: unit(rate) if rate else "",
            27: _reason(request),
        },
    )


def _rxo(context: Context, request: Json, dosage: Json) -> Segment:
    least, most, units = _dose(dosage)
    amount, amount_unit, refills = _supply(request)
    return (
        "RXO",
        {
            1: _drug(context, request),
            2: least,
            3: most,
            4: units,
            6: _patient_instructions(request),
            7: _instructions(request),
            9: _substitution(request),
            11: amount,
            12: amount_unit,
            13: refills,
            16: _as_needed(request),
            20: _reason(request),
        },
    )


def _reason(request: Json) -> list[Any]:
    return [cwe(each) for each in request.get("reasonCode", ())]


def _routes(dosages: Iterable[Json]) -> list[Segment]:
    """RXR of each way to take it; a receiver must get one, so that an unknown way is said as such."""
    found: list[Segment] = [
        ("RXR", {1: cwe(each.get("route")), 2: cwe(each["site"]) if "site" in each else "", 4: cwe(each.get("method"))})
        for each in dosages
        if "route" in each
    ]
    return found or [("RXR", {1: ("UNK", "unknown", "HL70162")})]


def _components(context: Context, request: Json) -> list[Segment]:
    """RXC of each ingredient of a compounded medication."""
    medication = context.follow(request.get("medicationReference")) or {}
    return [_rxc(each) for each in medication.get("ingredient", ()) if "itemCodeableConcept" in each]


def _rxc(ingredient: Json) -> Segment:
    strength = ingredient.get("strength", {}).get("numerator", {})
    kind = "A" if ingredient.get("isActive", True) else "B"
    return ("RXC", {1: kind, 2: cwe(ingredient["itemCodeableConcept"]), 3: number(strength), 4: unit(strength)})
