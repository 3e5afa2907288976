"""The statuses of an Encounter as a set of moments: what came late takes its place, what came twice changes nothing.

FHIR R4 Encounter.status and .statusHistory (https://hl7.org/fhir/R4/encounter.html); docs/adr/video-record.md.
"""

from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from resources.instant import instant
from video.visit.moments import moment, period

Json = dict[str, Any]

PLANNED, ARRIVED, GOING, AWAY = "planned", "arrived", "in-progress", "onleave"
FINISHED, CANCELLED = "finished", "cancelled"
EMPTY = "empty"
"""No status of FHIR: since then nobody was in the room for long. It ends what has begun, and nothing else."""
OVER = frozenset({FINISHED, CANCELLED, "entered-in-error"})
_BEFORE = (PLANNED, ARRIVED, "triaged")
"""What can only be before the first in-progress, each once."""
_ENDS = frozenset({FINISHED, CANCELLED})
_RANK = {PLANNED: 0, ARRIVED: 1, "triaged": 2, AWAY: 3, GOING: 4, FINISHED: 5, CANCELLED: 5, EMPTY: 6}
_EMPTY_URL = "urn:x-hearth:visit-empty"
_MINUTE = Decimal(60_000)


class Turn(NamedTuple):
    """From ``at`` on (ms since 1970 UTC) the status is ``status``."""

    at: int
    status: str


def turns(encounter: Json) -> list[Turn]:
    """What ``encounter`` says of itself; its current status is the last of its history, as we write it."""
    found = [
        Turn(at, EMPTY)
        for extension in encounter.get("extension", ())
        if extension.get("url") == _EMPTY_URL and (at := moment(extension.get("valueInstant"))) is not None
    ]
    for entry in encounter.get("statusHistory", ()):
        at = moment(entry.get("period", {}).get("start"))
        if at is not None and entry.get("status") in _RANK:
            found.append(Turn(at, entry["status"]))
    return found


def is_closed(encounter: Json) -> bool:
    """Whether somebody else has said that it is over; nothing of ours changes that."""
    status = encounter.get("status")
    known = [turn for turn in turns(encounter) if turn.status != EMPTY]
    return status in OVER and (not known or known[-1].status != status)


def ordered(found: Iterable[Turn]) -> list[Turn]:
    """Those that count, in order: nothing goes back before the first in-progress, nothing comes after the end."""
    kept: list[Turn] = []
    seen: set[str] = set()
    for turn in sorted(set(found), key=lambda turn: (turn.at, _RANK[turn.status])):
        if turn.status in _ENDS or (turn.status == EMPTY and GOING in seen):
            kept.append(Turn(turn.at, FINISHED if GOING in seen else CANCELLED))
            return kept
        if turn.status in _BEFORE and (turn.status in seen or GOING in seen or _is_passed(turn.status, seen)):
            continue
        seen.add(turn.status)
        kept.append(turn)
    return kept


def _is_passed(status: str, seen: set[str]) -> bool:
    return any(later in seen for later in _BEFORE[_BEFORE.index(status) + 1 :])


def told(encounter: Json, known: list[Turn]) -> Json:
    """``encounter`` with the status, history, period and length that ``known`` come to."""
    statuses = [turn for turn in known if turn.status != EMPTY]
    after = {**encounter, **_extensions(encounter, known)}
    if statuses:
        after |= {"status": statuses[-1].status, "statusHistory": _history(statuses)}
    start, end = began(known), ended(known)
    if start is not None:
        after["period"] = period(start, end)
        if end is not None:
            after["length"] = _minutes(statuses)
    return after


def _extensions(encounter: Json, known: list[Turn]) -> Json:
    others = [found for found in encounter.get("extension", ()) if found.get("url") != _EMPTY_URL]
    ours = [{"url": _EMPTY_URL, "valueInstant": instant(turn.at)} for turn in known if turn.status == EMPTY]
    return {"extension": [*others, *ours]} if others or ours else {}


def began(known: list[Turn]) -> int | None:
    return next((turn.at for turn in known if turn.status == GOING), None)


def ended(known: list[Turn]) -> int | None:
    return known[-1].at if known and known[-1].status in _ENDS else None


def _history(known: list[Turn]) -> list[Json]:
    ends: list[int | None] = [*(turn.at for turn in known[1:]), None]
    return [{"status": turn.status, "period": period(turn.at, end)} for turn, end in zip(known, ends, strict=True)]


def _minutes(known: list[Turn]) -> Json:
    """Less the time away, as Encounter.length is defined."""
    spans = pairwise(known)
    going = sum(after.at - turn.at for turn, after in spans if turn.status == GOING)
    value = (Decimal(going) / _MINUTE).quantize(Decimal("0.01"))
    return {"value": value, "unit": "min", "system": "http://unitsofmeasure.org", "code": "min"}
