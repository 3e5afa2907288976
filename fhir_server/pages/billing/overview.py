"""What a biller has to do: visits without a charge, claims that wait, drafts to check; and what is done.

FHIR R4 Encounter.status finished, Claim.status draft.
"""

from datetime import date, datetime, time, timedelta

from flask import Response, request

from fhir_server.billing.papers import CHARGE
from fhir_server.pages.billing.desk import Desk
from fhir_server.pages.billing.shown import Row, papers_of, read, row
from fhir_server.pages.chart.found import Found, Json, find
from fhir_server.pages.chart.words import day
from resources.errors import Invalid

DAYS = 30
"""Of the visits that one page goes through."""
_FIRST = date(1900, 1, 1)
_PEOPLE = (
    ("_include", "Encounter:subject"),
    ("_include", "Encounter:participant"),
    ("_include:iterate", "PractitionerRole:practitioner"),
)


def overview(desk: Desk) -> Response:
    """GET /billing/"""
    last = _last(desk)
    first = last - timedelta(days=DAYS - 1)
    found = _finished(desk, first, last)
    papers = papers_of(desk.repository, [one["id"] for one in found.matches])
    rows: dict[str, list[Row]] = {"open": [], "waits": [], "done": []}
    for one in found.matches:
        state = papers[one["id"]].state
        if state in rows:
            rows[state].append(row(one, papers[one["id"]], found.included, desk.clinic.zone))
    drafts, more, refused = _drafts(desk)
    today = desk.clinic.at().date()
    later = min(today, last + timedelta(days=DAYS)).isoformat() if last < today else ""
    return desk.page(
        "overview.html", heading="Billing", drafts=drafts, more_drafts=more, refused=found.refused or refused,
        more=found.more, first=day(first), last=day(last), earlier=(first - timedelta(days=1)).isoformat(),
        later=later, open=rows["open"], waits=rows["waits"], done=rows["done"],
    )  # fmt: skip


def _last(desk: Desk) -> date:
    """The last day of the page. Raises Invalid."""
    text, today = request.args.get("until", ""), desk.clinic.at().date()
    try:
        return max(min(date.fromisoformat(text), today), _FIRST) if text else today
    except ValueError:
        raise Invalid(f"until is a day such as 2026-11-23; this is {text[:20]!r}.") from None


def _finished(desk: Desk, first: date, last: date) -> Found:
    low, high = (datetime.combine(at, time(), desk.clinic.zone).isoformat() for at in (first, last + timedelta(days=1)))
    asked = (("status", "finished"), ("date", f"ge{low}"), ("date", f"lt{high}"), ("_sort", "-date"))
    return find(desk.repository, "Encounter", *asked, *_PEOPLE)


def _drafts(desk: Desk) -> tuple[list[Row], int, str]:
    """Of all days, the oldest first: they wait for longest."""
    asked = (("status", "draft"), ("identifier", f"{CHARGE}|"), ("_sort", "created"))
    found = find(desk.repository, "Claim", *asked)
    encounters = read(desk.repository, (reference for one in found.matches for reference in _of(one)))
    papers = papers_of(desk.repository, [one["id"] for one in encounters.values()])
    people = people_of(desk, encounters)
    made = [row(one, papers[one["id"]], people, desk.clinic.zone) for one in encounters.values()]
    return [one for one in made if papers[one.id].state == "draft"], found.more, found.refused


def _of(claim: Json) -> list[str]:
    """The Encounters that its items name."""
    return [one.get("reference", "") for item in claim.get("item", ()) for one in item.get("encounter", ())]


def people_of(desk: Desk, encounters: dict[str, Json]) -> dict[str, Json]:
    named = [reference for one in encounters.values() for reference in _named(one)]
    found = read(desk.repository, named)
    return found | read(desk.repository, (one.get("practitioner", {}).get("reference", "") for one in found.values()))


def _named(encounter: Json) -> list[str]:
    individuals = (row.get("individual", {}).get("reference", "") for row in encounter.get("participant", ()))
    return [encounter.get("subject", {}).get("reference", ""), *individuals]
