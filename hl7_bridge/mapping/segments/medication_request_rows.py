"""Which field of RXO, RXE and RXG goes where in a MedicationRequest.

HL7 v2.5.1 sections 4.14.1 (RXO), 4.14.4 (RXE), 4.14.6 (RXG); official map RXO[MedicationRequest]; RXE and RXG are ours.
"""

from typing import Final

from hl7_bridge.er7 import Value
from hl7_bridge.mapping.code_tables.tables import v2_system
from hl7_bridge.mapping.datatypes.coded import coded, coding_from, concept
from hl7_bridge.mapping.datatypes.times import date_time
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.practitioners import practitioner
from hl7_bridge.mapping.model import Resource
from hl7_bridge.mapping.rows import OWN, Row, SegmentMap, ignored
from hl7_bridge.mapping.segments.dosage import Dose
from hl7_bridge.mapping.segments.medication import Fields

_substitution = coded("AllowSubstitution")


def _substituted(value: Value, draft: Draft) -> Resource | None:
    code = value.text(1).strip()
    return {"coding": [coding_from(v2_system("0167"), code)]} if code else None


_DOSE: Final = "dosageInstruction.doseAndRate"
_STRENGTH: Final = "Medication.ingredient.strength"

RXO: Final = SegmentMap(
    "RXO",
    "MedicationRequest",
    (
        Row(1, "medication[x]"),
        Row(2, f"{_DOSE}.doseQuantity"),
        Row(3, f"{_DOSE}.doseRange.high"),
        Row(4, f"{_DOSE}.doseQuantity"),
        Row(5, "Medication.form"),
        Row(6, "note.text", origin=OWN),
        Row(7, "dosageInstruction.text", origin=OWN),
        Row(9, "substitution.allowedCodeableConcept", _substitution),
        Row(11, "dispenseRequest.quantity"),
        Row(12, "dispenseRequest.quantity"),
        Row(13, "dispenseRequest.numberOfRepeatsAllowed"),
        Row(14, "requester"),
        Row(17, f"{_DOSE}.rateRatio.denominator", origin=OWN),
        Row(18, f"{_STRENGTH}.numerator"),
        Row(19, f"{_STRENGTH}.numerator"),
        Row(20, "reasonCode[]", concept, OWN),
        Row(21, f"{_DOSE}.rateQuantity", origin=OWN),
        Row(22, f"{_DOSE}.rateQuantity", origin=OWN),
        Row(23, "dosageInstruction.maxDosePerPeriod", origin=OWN),
        Row(25, f"{_STRENGTH}.denominator"),
        Row(26, f"{_STRENGTH}.denominator"),
        Row(28, "dispenseRequest.dispenseInterval", origin=OWN),
        Row(32, "dispenseRequest.performer", origin=OWN),
        Row(33, "Organization.address", origin=OWN),
        Row(36, "Organization.telecom", origin=OWN),
    ),
    official="RXO[MedicationRequest]",
)

RXE: Final = SegmentMap(
    "RXE",
    "MedicationRequest",
    (
        Row(1, "dosageInstruction.timing", origin=OWN),
        Row(2, "medication[x]", origin=OWN),
        Row(3, f"{_DOSE}.doseQuantity", origin=OWN),
        Row(4, f"{_DOSE}.doseRange.high", origin=OWN),
        Row(5, f"{_DOSE}.doseQuantity", origin=OWN),
        Row(6, "Medication.form", origin=OWN),
        Row(7, "dosageInstruction.text", origin=OWN),
        Row(9, "substitution.allowedCodeableConcept", _substituted, OWN),
        Row(10, "dispenseRequest.quantity", origin=OWN),
        Row(11, "dispenseRequest.quantity", origin=OWN),
        Row(12, "dispenseRequest.numberOfRepeatsAllowed", origin=OWN),
        Row(13, "requester", origin=OWN),
        Row(14, "recorder", practitioner, OWN),
        Row(15, "identifier", origin=OWN),
        Row(19, "dosageInstruction.maxDosePerPeriod", origin=OWN),
        Row(21, "note.text", origin=OWN),
        Row(22, f"{_DOSE}.rateRatio.denominator", origin=OWN),
        Row(23, f"{_DOSE}.rateQuantity", origin=OWN),
        Row(24, f"{_DOSE}.rateQuantity", origin=OWN),
        Row(25, f"{_STRENGTH}.numerator", origin=OWN),
        Row(26, f"{_STRENGTH}.numerator", origin=OWN),
        Row(27, "reasonCode[]", concept, OWN),
        Row(32, "authoredOn", date_time, OWN),
        Row(33, f"{_STRENGTH}.denominator", origin=OWN),
        Row(34, f"{_STRENGTH}.denominator", origin=OWN),
        Row(40, "dispenseRequest.performer", origin=OWN),
        Row(41, "Organization.address", origin=OWN),
        Row(45, "Organization.telecom", origin=OWN),
    ),
)

RXG: Final = SegmentMap(
    "RXG",
    "MedicationRequest",
    (
        Row(1, "identifier", origin=OWN),
        ignored(2, "Which dispense the give is of is said by the order's numbers."),
        Row(3, "dosageInstruction.timing", origin=OWN),
        Row(4, "medication[x]", origin=OWN),
        Row(5, f"{_DOSE}.doseQuantity", origin=OWN),
        Row(6, f"{_DOSE}.doseRange.high", origin=OWN),
        Row(7, f"{_DOSE}.doseQuantity", origin=OWN),
        Row(8, "Medication.form", origin=OWN),
        Row(9, "note.text", origin=OWN),
        Row(10, "substitution.allowedCodeableConcept", _substituted, OWN),
        Row(13, "dosageInstruction.text", origin=OWN),
        Row(14, f"{_DOSE}.rateRatio.denominator", origin=OWN),
        Row(15, f"{_DOSE}.rateQuantity", origin=OWN),
        Row(16, f"{_DOSE}.rateQuantity", origin=OWN),
        Row(17, f"{_STRENGTH}.numerator", origin=OWN),
        Row(18, f"{_STRENGTH}.numerator", origin=OWN),
        Row(19, "Medication.batch.lotNumber", origin=OWN),
        Row(20, "Medication.batch.expirationDate", origin=OWN),
        Row(21, "Medication.manufacturer", origin=OWN),
        Row(22, "reasonCode[]", concept, OWN),
        Row(23, f"{_STRENGTH}.denominator", origin=OWN),
        Row(24, f"{_STRENGTH}.denominator", origin=OWN),
    ),
)


class Kind:
    """Which fields of RXO, RXE and RXG say what; 0 where the segment has none."""

    def __init__(self, rows: SegmentMap, drug: Fields, dose: Dose, **fields: int) -> None:
        self.rows, self.drug, self.dose = rows, drug, dose
        self.notes, self.words, self.quantity, self.units, self.repeats = (
            fields.get(name, 0) for name in ("notes", "words", "quantity", "units", "repeats")
        )
        self.asked, self.pharmacy, self.address, self.telecom, self.timing = (
            fields.get(name, 0) for name in ("asked", "pharmacy", "address", "telecom", "timing")
        )
        self.interval = fields.get("interval", 0)


KINDS: Final = {
    "RXO": Kind(
        RXO,
        Fields(1, 5, 18, 19, 25, 26),
        Dose(2, 3, 4, 21, 22, 17, 23),
        notes=6, words=7, quantity=11, units=12, repeats=13, asked=14, pharmacy=32, address=33, telecom=36, interval=28,
    ),
    "RXE": Kind(
        RXE,
        Fields(2, 6, 25, 26, 33, 34),
        Dose(3, 4, 5, 23, 24, 22, 19),
        notes=21, words=7, quantity=10, units=11, repeats=12, asked=13, pharmacy=40, address=41, telecom=45, timing=1,
    ),
    "RXG": Kind(
        RXG,
        Fields(4, 8, 17, 18, 23, 24, 19, 20, 21),
        Dose(5, 6, 7, 15, 16, 14),
        notes=9, words=13, timing=3,
    ),
}  # fmt: skip
