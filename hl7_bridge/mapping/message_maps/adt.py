"""ADT: patients, visits and what is known of them; and the messages that say two of them are one.

HL7 v2.5.1 chapter 3; official maps ADT_A01 to ADT_A17; discharge, merges and A60 are ours.
"""

from collections.abc import Callable
from typing import Final

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.errors import FIELD_MISSING, Held, Place
from hl7_bridge.mapping.datatypes.identifiers import Identifier, identifier, key
from hl7_bridge.mapping.datatypes.names import human_name
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.message_maps.subjects import subject
from hl7_bridge.mapping.model import Entry, Merge, Policy, Resource
from hl7_bridge.mapping.orders import Subject, subjects
from hl7_bridge.mapping.rows import OWN, Row, SegmentMap
from hl7_bridge.mapping.segments.encounter import visit
from hl7_bridge.mapping.segments.patient import patient_identifier, patient_keys
from hl7_bridge.structure.walker import Group

MRG = SegmentMap(
    "MRG",
    "Patient",
    (
        Row(1, "identifier", origin=OWN),
        Row(3, "Account.identifier", origin=OWN),
        Row(4, "identifier", origin=OWN),
        Row(5, "Encounter.identifier", origin=OWN),
        Row(7, "name", origin=OWN),
    ),
)


def movement(tree: Group, draft: Draft) -> None:
    """Everything the message says of its patients, by the newest statement of each element."""
    for about in subjects(tree):
        subject(about, Policy.REGISTER, draft)


def merged(what: Callable[[Segment, Subject, Draft], None]) -> Callable[[Group, Draft], None]:
    """A map of the message's patients, of each of whom ``what`` then says which is the loser."""

    def mapped(tree: Group, draft: Draft) -> None:
        for about in subjects(tree):
            subject(about, Policy.REGISTER, draft)
            if about.mrg is None:
                text = "The message merges but has no MRG segment; expected who or what is no longer used."
                raise Held(FIELD_MISSING, text, Place("MRG"))
            if draft.trace is not None:
                draft.trace.uses(MRG, about.mrg)
            what(about.mrg, about, draft)

    return mapped


def patients(mrg: Segment, about: Subject, draft: Draft) -> None:
    """MRG-1 (MRG-4 in old messages) is the same person as PID-3 and no longer used."""
    values = mrg.all(1) or mrg.all(4)
    assert draft.patient is not None
    known = patient_keys(values, draft)
    if known and set(known) <= set(draft.patient.keys):
        draft.warn("The message merges a patient with itself; nothing was merged.")
        return
    resource: Resource = {"resourceType": "Patient", "identifier": _identifiers(values, draft)}
    name = human_name(mrg.first(7), draft) if mrg.has(7) else None
    if name:
        resource["name"] = [name]
    if not resource["identifier"]:
        del resource["identifier"]
    # An identifier that both sides name is the survivor's: it must not lead to the loser.
    lost = tuple(each for each in known if each not in draft.patient.keys)
    _lose(draft.patient, draft.add(resource, Policy.MENTION, lost, mrg), draft)


def _identifiers(values: list[Value], draft: Draft) -> list[Identifier]:
    return [found for value in values if (found := patient_identifier(value, draft))]


def accounts(mrg: Segment, about: Subject, draft: Draft) -> None:
    """MRG-3 is the same account as PID-18."""
    survivor = _last("Account", draft)
    _merge_numbers(mrg.first(3), "account", "Account", survivor, mrg, draft)


def visits(mrg: Segment, about: Subject, draft: Draft) -> None:
    """MRG-5 is the same visit as PV1-19."""
    _merge_numbers(mrg.first(5), "visit", "Encounter", draft.encounter, mrg, draft)


def patients_and_accounts(mrg: Segment, about: Subject, draft: Draft) -> None:
    """A36: both of them."""
    patients(mrg, about, draft)
    if mrg.has(3):
        accounts(mrg, about, draft)


def _last(kind: str, draft: Draft) -> Entry | None:
    return next((each for each in reversed(draft.entries) if each.resource["resourceType"] == kind), None)


def _merge_numbers(value: Value, own: str, kind: str, survivor: Entry | None, mrg: Segment, draft: Draft) -> None:
    number = visit(value, draft) if own == "visit" else identifier(value, draft)
    if number is None or survivor is None:
        draft.warn(f"The message merges {kind} but does not name both; nothing was merged.")
        return
    number.setdefault("system", draft.own(own))
    known = key(number)
    if known is None or known in survivor.keys:
        return
    loser: Resource = {}
    for name in ("resourceType", "status", "class", "subject"):
        if name in survivor.resource:
            loser[name] = survivor.resource[name]
    loser["identifier"] = [number]
    _lose(survivor, draft.add(loser, Policy.MENTION, (known,), mrg), draft)


def _lose(survivor: Entry, loser: Entry, draft: Draft) -> None:
    draft.merges.append(Merge(survivor.url, loser.url))


def moved(tree: Group, draft: Draft) -> None:
    """A44, A45: an account or visit now is of the patient in PID; who had it before is in MRG-1."""
    for about in subjects(tree):
        if about.mrg is not None and about.pv1 is None and draft.trace is not None:
            draft.trace.uses(MRG, about.mrg)
        subject(about, Policy.REGISTER, draft)


_MOVEMENTS: Final = (
    "A01 A02 A03 A04 A05 A06 A07 A08 A09 A10 A11 A12 A13 A14 A15 "
    "A16 A17 A21 A22 A25 A26 A27 A28 A31 A32 A33 A38 A54 A55 A60 A61 A62"
)
_MERGES: Final = {
    "A18": patients,
    "A30": patients,
    "A34": patients,
    "A35": accounts,
    "A36": patients_and_accounts,
    "A39": patients,
    "A40": patients,
    "A41": accounts,
    "A42": visits,
    "A46": patients,
    "A47": patients,
    "A49": accounts,
    "A50": visits,
}

MAPS: Final = {
    **{f"ADT^{event}": movement for event in _MOVEMENTS.split()},
    **{f"ADT^{event}": merged(what) for event, what in _MERGES.items()},
    "ADT^A44": moved,
    "ADT^A45": moved,
}
"""A43, A20, A23, A24, A29, A37 and the like are kept without a map: they undo or move what a person must look at."""
