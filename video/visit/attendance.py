"""Who took part in an Encounter, and from when to when: participants with periods, one for each time somebody was in.

FHIR R4 Encounter.participant (https://hl7.org/fhir/R4/encounter-definitions.html#Encounter.participant). The patient is
the subject and no participant; the time in front of the door does not count.
"""

from collections.abc import Iterable
from typing import Any

from resources.literal_reference import local
from video.ports import Fact, FactKind, Role
from video.visit.moments import moment, period

Json = dict[str, Any]
Span = tuple[int | None, int | None]

_INDIVIDUALS = frozenset({"Practitioner", "PractitionerRole", "RelatedPerson"})
_PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_PART = {"coding": [{"system": _PARTICIPATION, "code": "PART", "display": "Participation"}]}
_TRANSLATOR = "http://terminology.hl7.org/CodeSystem/participant-type"
TYPES: dict[str, Json] = {
    Role.PRACTITIONER: _PART,
    Role.RELATED: _PART,
    Role.INTERPRETER: {"coding": [{"system": _TRANSLATOR, "code": "translator", "display": "Translator"}]},
    Role.GUEST: {**_PART, "text": "Guest"},
}


def comes(fact: Fact) -> bool:
    """Whether ``fact`` brings its member in: admitted, or back in a place it was admitted to before."""
    admitted = fact.kind is FactKind.JOINED and fact.detail.get("standing") == "admitted"
    return fact.kind is FactKind.ADMITTED or admitted


def goes(fact: Fact) -> bool:
    """Whether ``fact`` takes its member away: out of the visit, or from the door where it says nothing of that."""
    return fact.kind in (FactKind.LEFT, FactKind.DENIED) and fact.detail.get("standing", "admitted") == "admitted"


def attended(encounter: Json, fact: Fact, end: int | None) -> Json:
    """``encounter`` after its member came or went; ``end`` is when the visit ended, None while it goes on."""
    if fact.role not in TYPES or not (comes(fact) or goes(fact)):
        return encounter
    prefix, all = f"visit-{fact.member}-", encounter.get("participant", [])
    own = [entry for entry in all if str(entry.get("id", "")).startswith(prefix)]
    starts, ends = _ends(own, end)
    if goes(fact) and not starts and "standing" not in fact.detail:
        return encounter  # was never let in, for all that is known
    (starts if comes(fact) else ends).add(fact.at)
    planned = [entry for entry in all if entry not in own and _is_planned(entry, fact.actor)]
    types = next((entry["type"] for entry in (*own, *planned) if entry.get("type")), [TYPES[fact.role]])
    entries = [_entry(f"{prefix}{n}", types, fact.actor, span, end) for n, span in enumerate(_spans(starts, ends), 1)]
    others = [entry for entry in all if entry not in own and entry not in planned]
    return {**encounter, "participant": sorted([*others, *entries], key=_place)}


def closed(encounter: Json, end: int) -> Json:
    """``encounter`` after its end: nobody is in any more."""
    entries = [_closed(entry, end) for entry in encounter.get("participant", ())]
    return {**encounter, "participant": entries} if entries else encounter


def _closed(entry: Json, end: int) -> Json:
    start = moment(entry.get("period", {}).get("start"))
    open = str(entry.get("id", "")).startswith("visit-") and "end" not in entry.get("period", {})
    return {**entry, "period": period(start, end)} if open and start is not None and start <= end else entry


def _ends(own: Iterable[Json], end: int | None) -> tuple[set[int], set[int]]:
    """When the member came and went; that everybody went at the end says nothing of one."""
    periods = [entry.get("period", {}) for entry in own]
    starts = {at for found in periods if (at := moment(found.get("start"))) is not None}
    ends = {at for found in periods if (at := moment(found.get("end"))) is not None and at != end}
    return starts, ends


def _spans(starts: set[int], ends: set[int]) -> list[Span]:
    found: list[Span] = []
    for at, is_start in sorted([*((at, False) for at in ends), *((at, True) for at in starts)]):
        if is_start:
            found.append((at, None))
        elif found and found[-1][1] is None:
            found[-1] = (found[-1][0], at)
        else:
            found.append((None, at))
    return found


def _entry(id: str, types: list[Json], actor: str, span: Span, end: int | None) -> Json:
    entry: Json = {"id": id, "type": types, "period": period(*span)}
    found = local(actor)
    if found is not None and found.type in _INDIVIDUALS:
        entry["individual"] = {"reference": actor}
    return entry if end is None else _closed(entry, end)


def _place(entry: Json) -> tuple[str, str]:
    """Those of others stay first, in their order; ours follow as they came."""
    id, came = str(entry.get("id", "")), entry.get("period", {})
    return (came.get("start") or came.get("end", ""), id) if id.startswith("visit-") else ("", "")


def _is_planned(entry: Json, actor: str) -> bool:
    return bool(actor) and entry.get("individual", {}).get("reference") == actor and "period" not in entry
