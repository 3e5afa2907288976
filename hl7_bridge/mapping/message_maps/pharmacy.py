"""Pharmacy: OMP^O09, RDE^O11/O25/O01, RDS^O13/O01, RGV^O15/O01, RAS^O17/O01; ORM^O01 with RXO comes here, too.

HL7 v2.5.1 section 4.13; official segment maps RXO, RXR, TQ1; how orders, dispenses and administrations link is ours.
"""

from typing import Final

from hl7_bridge.mapping.datatypes.coded import concept
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.message_maps.subjects import subject
from hl7_bridge.mapping.model import Entry, Key, Policy, Resource
from hl7_bridge.mapping.orders import Order, subjects
from hl7_bridge.mapping.prescriptions import Part, Prescription, is_prescription, prescription
from hl7_bridge.mapping.segments.condition import condition
from hl7_bridge.mapping.segments.diagnostic_report import is_document
from hl7_bridge.mapping.segments.medication_administration import medication_administration, requested
from hl7_bridge.mapping.segments.medication_dispense import authorizing, medication_dispense
from hl7_bridge.mapping.segments.medication_request import (
    medication_request,
    original_of,
    pending,
    planned_give,
    timings,
)
from hl7_bridge.mapping.segments.observation import Scope, members, observation
from hl7_bridge.mapping.segments.pharmacy_order import Numbers, numbers, shared_numbers, waits_for
from hl7_bridge.mapping.segments.pharmacy_task import give, refill
from hl7_bridge.structure.walker import Group

GIVE: Final = "https://hearth.health/v2/planned-give"


def pharmacy(tree: Group, draft: Draft) -> None:
    """Everything the message says of drugs ordered, encoded, dispensed, planned or given."""
    for about in subjects(tree):
        subject(about, Policy.MENTION, draft)
        prescriptions(about.orders, draft)


def prescriptions(orders: list[Order], draft: Draft) -> None:
    """The drug orders among ``orders``."""
    found = [prescription(order) for order in orders if is_prescription(order)]
    shared = shared_numbers(found, draft)
    for each in found:
        _Ordered(each, numbers(each, shared, draft), draft).run()


class _Ordered:
    """One ORC and what is made of its parts."""

    def __init__(self, found: Prescription, numbered: Numbers, draft: Draft) -> None:
        self.found, self.numbered, self.draft = found, numbered, draft
        self.original: Entry | None = None
        self.encoded: Entry | None = None

    def run(self) -> None:
        done = [part for name in ("RXD", "RXG", "RXA") for part in self.found.all(name)]
        rxo, rxe = self.found.first("RXO"), self.found.first("RXE")
        if rxo is not None:
            self.original = self._request(rxo, restated=rxe is not None or bool(done))
        if rxe is not None:
            self.encoded = self._request(rxe, restated=bool(done))
            self._linked(rxo, rxe)
        for part in done:
            _MAKERS[part.name](self, part)

    def _request(self, part: Part, restated: bool) -> Entry:
        """``restated`` orders are another message's; all but their status is only for a record without them."""
        entry = medication_request(self.found, part, self.numbered, Policy.ORDER, self.draft)
        if restated:
            _restated(entry)
            for each in self.draft.entries:
                if each.url == entry.resource.get("medicationReference", {}).get("reference"):
                    each.policy = Policy.MENTION
        self._support(part, entry)
        return entry

    def _linked(self, rxo: Part | None, rxe: Part) -> None:
        """The encoded order is based on the original, and replaces it where the drug is another."""
        assert self.encoded is not None
        original = original_of(self.numbered, self.original)
        if original is not None:
            self.encoded.resource["basedOn"] = [original]
            if rxo is not None and _is_changed(rxo, rxe, self.draft):
                self.encoded.resource.setdefault("priorPrescription", original)
        self.encoded.pending = pending(self.encoded.resource)
        if self.draft.message.event == "O25":
            refill(self.found, rxe, self.numbered, self.encoded, self.draft)

    def dispensed(self, part: Part) -> None:
        """One RXD."""
        entry = medication_dispense(self.found, part, self.numbered, self.draft)
        orders = authorizing(self.numbered, self.encoded, self.original)
        if orders:
            entry.resource["authorizingPrescription"] = orders
        entry.pending = pending(entry.resource)
        self._support(part, entry)

    def given(self, part: Part) -> None:
        """One RXA."""
        entry = medication_administration(self.found, part, self.numbered, self.draft)
        order = requested(self.numbered, self.encoded, self.original)
        if order:
            entry.resource["request"] = order
        entry.pending = pending(entry.resource)
        self._support(part, entry)

    def planned(self, part: Part) -> None:
        """One RXG, as the sender's profile wants it."""
        own = Key(GIVE, "|".join((self.numbered.encoded.value, part.segment.text(1).strip() or "1", *_when(part))))
        order = self.encoded.reference if self.encoded else original_of(self.numbered, self.original)
        if order is None and self.numbered.filler:
            order = waits_for("MedicationRequest", self.numbered.encoded)
        if self.draft.sender.planned_gives == "Task":
            times = timings(self.found, part, 3, self.draft)
            give(self.found, part, own, times, order, self.draft)
            return
        entry = planned_give(self.found, part, own, self.draft)
        if order:
            entry.resource["basedOn"] = [order]
        entry.pending = pending(entry.resource)
        self._support(part, entry)

    def _support(self, part: Part, entry: Entry) -> None:
        """Observations and diagnoses that come with it."""
        scope = Scope(f"{entry.keys[0].system}|{entry.keys[0].value}", None, {})
        values = [each for each in part.results if not is_document(each)]
        pairs = [(each.obx, made) for each in values for made in observation(each, scope, self.draft)]
        members(pairs)
        if pairs:
            name = "supportingInformation"
            entry.resource.setdefault(name, []).extend(made.reference for _, made in pairs)
        if part is self.found.parts[0] and entry.resource["resourceType"] != "MedicationDispense":
            for dg1 in self.found.order.diagnoses:
                because = condition(dg1, Policy.MENTION, self.draft)
                if because is not None:
                    entry.resource.setdefault("reasonReference", []).append(because.reference)


_MAKERS: Final = {"RXD": _Ordered.dispensed, "RXG": _Ordered.planned, "RXA": _Ordered.given}


def _restated(entry: Entry) -> None:
    """What another message is the authority for: this one only says how it stands now."""
    entry.policy = Policy.REGISTER
    entry.defaults = frozenset(set(entry.resource) - {"resourceType", "status", "identifier"}) | (
        entry.defaults & {"status"}
    )


def _is_changed(rxo: Part, rxe: Part, draft: Draft) -> bool:
    """Whether the drug of the encoded order is another than that of the original."""
    asked, made = concept(rxo.segment.first(1), draft), concept(rxe.segment.first(2), draft)
    if asked is None or made is None:
        return False
    return not _names(asked) & _names(made)


def _names(found: Resource) -> set[tuple[str, str]]:
    codes = {(each.get("system", ""), each.get("code", "")) for each in found.get("coding", ())}
    return codes or {("", found.get("text", ""))}


def _when(part: Part) -> tuple[str, ...]:
    """RXG-1 counts the gives of an order; where it never gets past one, the time tells them apart."""
    if part.segment.text(1).strip() not in ("", "0", "1"):
        return ()
    starts = [tq1.text(7) for tq1 in part.timings if tq1.text(7)] or [part.segment.text(3, 4)]
    return (starts[0],)


MAPS: Final = {
    "OMP^O09": pharmacy,
    "RDE^O01": pharmacy,
    "RDE^O11": pharmacy,
    "RDE^O25": pharmacy,
    "RDE^O49": pharmacy,
    "RDS^O01": pharmacy,
    "RDS^O13": pharmacy,
    "RGV^O01": pharmacy,
    "RGV^O15": pharmacy,
    "RAS^O01": pharmacy,
    "RAS^O17": pharmacy,
}
