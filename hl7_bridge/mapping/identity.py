"""Who and what a message is about: the rules that hold a message back rather than guess.

Ours; HL7 v2.5.1 sections 3.4.2.3 (PID-3) and 3.4.3.19 (PV1-19) say what identifies, and leave the authority optional.
"""

from hl7_bridge.er7 import Segment
from hl7_bridge.errors import FIELD_MISSING, UNKNOWN_KEY, Held, Malformed, Place
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.model import Entry, Key, Resource


def require_patient(pid: Segment | None) -> Segment:
    """The PID; raises Malformed when there is none."""
    if pid is None:
        raise Malformed(
            FIELD_MISSING, "The message has no PID segment; expected the patient it is about.", Place("PID")
        )
    return pid


def settle(draft: Draft) -> None:
    """Raise Held for a patient nobody can be sure of; name visits, or leave out those that nothing names."""
    for entry in draft.entries:
        if entry.resource["resourceType"] == "Patient" and not entry.keys:
            raise Held(UNKNOWN_KEY, _why(entry, draft), Place(_segment(entry, draft), 1, _field(entry, draft)))
    name_visits(draft)


def _segment(entry: Entry, draft: Draft) -> str:
    return draft.message.segments[entry.sources[0]].name if entry.sources else "PID"


def _field(entry: Entry, draft: Draft) -> int:
    return 1 if _segment(entry, draft) == "MRG" else 3


def _why(entry: Entry, draft: Draft) -> str:
    if not entry.resource.get("identifier"):
        return "The patient has no identifier; expected one with its assigning authority."
    if draft.sender.patient_authorities:
        return "No identifier of the patient is of an authority that the sender's profile names in patient_authorities."
    return "The patient's identifier names no assigning authority and the sender's profile has no default authority."


def name_visits(draft: Draft) -> None:
    """A visit without a number is named by its account or by patient and admission; otherwise it is left out."""
    for entry in [each for each in draft.entries if each.resource["resourceType"] == "Encounter" and not each.keys]:
        keys = _visit_keys(entry, draft)
        if not keys:
            _leave_out(entry, draft)
            continue
        entry.keys = keys
        entry.resource.setdefault("identifier", []).extend({"system": key.system, "value": key.value} for key in keys)


def _visit_keys(entry: Entry, draft: Draft) -> tuple[Key, ...]:
    patient = draft.entry(entry.resource["subject"])
    account = next((each for each in draft.entries if _is_account_of(each, patient)), None)
    if account is not None:
        return (Key(draft.own("visit-of-account"), "|".join(account.keys[0])),)
    start = entry.resource.get("period", {}).get("start")
    if not start or patient is None:
        return ()
    return tuple(Key(draft.own("visit-of-patient"), "|".join((*each, start))) for each in patient.keys)


def _is_account_of(entry: Entry, patient: Entry | None) -> bool:
    if entry.resource["resourceType"] != "Account" or patient is None:
        return False
    return bool(entry.resource["subject"] == [patient.reference])


def _leave_out(entry: Entry, draft: Draft) -> None:
    draft.warn("The visit has no number, no account and no time of admission; it is kept with the message only.")
    draft.entries.remove(entry)
    for each in draft.entries:
        _forget(entry, each.resource)
    if draft.encounter is entry:
        draft.encounter = None


def _forget(visit: Entry, resource: Resource) -> None:
    """``resource`` without the visit: ``encounter``, ``context`` (drugs) or ``context.encounter`` (documents)."""
    for name in ("encounter", "context"):
        if resource.get(name) == visit.reference:
            del resource[name]
    around = resource.get("context", {})
    if around.get("encounter") == [visit.reference]:
        del around["encounter"]
        if not around:
            del resource["context"]
