"""Patients looked for by name, birth date, number or address of contact; told apart by what the record has of them.

FHIR R4 Patient (https://hl7.org/fhir/R4/patient.html). What was asked is sent in a form and stands in no address.
"""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Response, request

from fhir_server.pages.chart.found import Json, find
from fhir_server.pages.chart.words import age, name, when
from fhir_server.pages.visits.chart_page import numbers
from fhir_server.pages.visits.desk import Desk
from resources.search_param.escapes import escaped

FIELDS = ("name", "born", "number", "contact")
_LONGEST, _WORDS = 80, 6
_MOST = 50
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")


@dataclass(frozen=True)
class Row:
    """One patient; ``alike`` has the name of another one in the list."""

    place: str
    name: str
    facts: list[str]
    numbers: list[str]
    tags: list[tuple[str, str]]
    alike: bool


def patients(desk: Desk) -> Response:
    """GET /visits/patients"""
    return _page(desk, {})


def look(desk: Desk) -> Response:
    """POST /visits/patients"""
    asked = {field: request.form.get(field, "").strip()[:_LONGEST] for field in FIELDS}
    faults = _faults(asked)
    if faults:
        return _page(desk, asked, faults=faults, status=400)
    found = find(desk.repository, "Patient", *_params(asked), ("_sort", "family,given"), most=_MOST)
    rows = _rows(found.matches, desk)
    return _page(desk, asked, rows=rows, more=found.more, refused=found.refused)


def _page(desk: Desk, asked: dict[str, str], status: int = 200, **more: Any) -> Response:
    shown: dict[str, Any] = {"rows": None, "more": 0, "refused": "", "faults": {}} | more
    error = "Nothing was looked for: please look at what is marked." if shown["faults"] else ""
    return desk.page(
        "patients.html", status, policy=desk.list_policy, heading="Patients", tab="patients", error=error,
        asked=dict.fromkeys(FIELDS, "") | asked, **shown,
    )  # fmt: skip


def _faults(asked: dict[str, str]) -> dict[str, str]:
    if not any(asked.values()):
        return {"name": "Enter a name, or one of the others."}
    if asked["born"] and not _DATE.fullmatch(asked["born"]):
        return {"born": "A date such as 1980-02-28, a month such as 1980-02, or a year."}
    try:
        date.fromisoformat(f"{asked['born']}-01-01"[:10] if asked["born"] else "2000-01-01")
    except ValueError:
        return {"born": "There is no such date."}
    return {}


def _params(asked: dict[str, str]) -> list[tuple[str, str]]:
    """Each word of the name begins one of the patient's names."""
    words = [("name", escaped(word)) for word in asked["name"].split()[:_WORDS]]
    others = (("born", "birthdate"), ("number", "identifier"), ("contact", "telecom"))
    return words + [(param, escaped(asked[field])) for field, param in others if asked[field]]


def _rows(found: "tuple[Json, ...]", desk: Desk) -> list[Row]:
    names = Counter(name(one).casefold() for one in found)
    return [_row(one, desk, names[name(one).casefold()] > 1) for one in found]


def _row(one: Json, desk: Desk, alike: bool) -> Row:
    born, zone = str(one.get("birthDate", "")), desk.clinic.zone
    died = bool(one.get("deceasedDateTime") or one.get("deceasedBoolean"))
    years = "" if died else age(born, desk.clinic.at().date())
    facts = [f"born {when(born, zone)}" if born else "birth date not recorded", years, one.get("gender", "")]
    facts += [row.get("city", "") for row in one.get("address", ())[:1]]
    facts += [row.get("value", "") for row in one.get("telecom", ())[:1]]
    tags = [("Died", "bad")] if died else []
    tags += [("Record not active", "warn")] if one.get("active") is False else []
    tags += (
        [("Merged into another", "warn")] if any(row["type"] == "replaced-by" for row in one.get("link", ())) else []
    )
    spelt = [f"{system} {number}".strip() for system, number in numbers(one)[:3]]
    return Row(
        f"Patient/{one['id']}", name(one) or "Name unknown", [text for text in facts if text], spelt, tags, alike
    )
