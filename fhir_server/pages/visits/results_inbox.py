"""Results that nobody has reviewed: reports on what a clinician ordered, or of patients who are in their care.

FHIR R4 DiagnosticReport (https://hl7.org/fhir/R4/diagnosticreport.html). Critical ones come first, then abnormal ones.
"""

from collections import ChainMap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from fhir_server.pages.chart.found import Found, find
from fhir_server.pages.chart.observed import Result, flags, is_result, results
from fhir_server.pages.chart.words import concept, name, when
from fhir_server.pages.visits import reviews
from resources.repository import Repository

Json = dict[str, Any]

_STATUSES = ("status", "preliminary,partial,final,amended,corrected,appended,unknown")
_STATES = {"preliminary": "Preliminary", "partial": "Partial", "amended": "Amended", "corrected": "Corrected",
           "appended": "Added to", "unknown": "Nobody says whether it is final"}  # fmt: skip
_WITH_RESULTS = (("_include", "DiagnosticReport:result"), ("_include:iterate", "Observation:has-member"))
_SHOWN, _LINES, _TOGETHER = 40, 12, 200
_LEVELS = ("bad", "warn", "")


@dataclass(frozen=True)
class Waiting:
    """A report. ``version`` is what a review is of; ``level`` is bad, warn or ''; ``hidden`` are in the chart."""

    version: str
    title: str
    patient: str
    place: str
    at: str
    level: str
    state: str
    results: Sequence[Result]
    hidden: int
    conclusion: str


@dataclass(frozen=True)
class Box:
    """``more`` there are that were not read; ``later`` that wait and are not shown; ``refused`` as of Found."""

    waiting: Sequence[Waiting]
    later: int
    more: int
    refused: str


def box(repository: Repository, own: Sequence[str], zone: tzinfo) -> Box:
    """``own``: the references under which a clinician is named, empty for all of the clinic."""
    searches = [_asked(repository, *asked) for asked in _asking(own)]
    known = {ref: one for found in searches for ref, one in found.included.items()}
    done = reviews.reviewed(known.values())
    reports = {one["id"]: one for found in searches for one in found.matches}
    open = [one for one in reports.values() if reviews.version_of(one) not in done]
    open.sort(key=lambda one: one["meta"]["lastUpdated"], reverse=True)
    values = _results(repository, open)
    open.sort(key=lambda one: _LEVELS.index(_level(_values(one, values))))
    waiting = [_waiting(one, known, values, zone) for one in open[:_SHOWN]]
    refused = next((found.refused for found in searches if found.refused), "")
    return Box(waiting, max(0, len(open) - _SHOWN), sum(found.more for found in searches), refused)


def _asking(own: Sequence[str]) -> list[tuple[tuple[str, str], ...]]:
    who = ",".join(own)
    if not who:
        return [()]
    return [(("based-on:ServiceRequest.requester", who),), (("patient.general-practitioner", who),)]


def _asked(repository: Repository, *params: tuple[str, str]) -> Found:
    people = ("_include", "DiagnosticReport:subject")
    return find(repository, "DiagnosticReport", *params, _STATUSES, ("_sort", "-_lastUpdated"), people, reviews.WITH)


def _results(repository: Repository, reports: Sequence[Json]) -> dict[str, Json]:
    """By reference, of all ``reports``: a critical one is found however many newer ones wait."""
    found: dict[str, Json] = {}
    for some in (reports[at : at + _TOGETHER] for at in range(0, len(reports), _TOGETHER)):
        ids = ",".join(one["id"] for one in some)
        found |= find(repository, "DiagnosticReport", ("_id", ids), *_WITH_RESULTS).included
    return found


def _values(one: Json, values: dict[str, Json]) -> list[Json]:
    """Those that it names or contains, and what panels among them consist of."""
    known = ChainMap({f"#{row.get('id')}": row for row in one.get("contained", ())}, values)
    found: dict[str, Json] = {}
    named = _references(one.get("result", ()))
    while named:
        reference = named.pop(0)
        value = known.get(reference)
        if value is not None and value["resourceType"] == "Observation" and reference not in found:
            found[reference] = value
            named += _references(value.get("hasMember", ()))
    return [value for value in found.values() if is_result(value)]


def _references(rows: Iterable[Json]) -> list[str]:
    return [row.get("reference", "") for row in rows]


def _waiting(one: Json, known: dict[str, Json], values: dict[str, Json], zone: tzinfo) -> Waiting:
    subject = one.get("subject", {}).get("reference", "")
    own = sorted(_values(one, values), key=lambda value: _LEVELS.index(_level([value])))
    shown = results(own, zone)
    return Waiting(
        version=reviews.version_of(one),
        title=concept(one.get("code")) or "Report",
        patient=name(known.get(subject)) or "Name unknown",
        place=subject if subject.startswith("Patient/") else "",
        at=when(one.get("issued") or one.get("effectiveDateTime", "") or one["meta"]["lastUpdated"], zone),
        level=_level(own),
        state=_STATES.get(one.get("status", ""), ""),
        results=shown[:_LINES],
        hidden=max(0, len(shown) - _LINES),
        conclusion=str(one.get("conclusion", "")),
    )


def _level(values: Iterable[Json]) -> str:
    """The worst."""
    found = {level for value in values for _, level in flags(value)}
    return next((level for level in _LEVELS if level in found), "")
