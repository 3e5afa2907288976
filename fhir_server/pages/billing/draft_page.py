"""One visit and its draft: what is in it and what is missing, changed, checked, or not billed.

FHIR R4 ChargeItem, Claim. A draft is saved for the versions that were shown.
"""

from typing import Any

from flask import Response, request

from fhir_server.billing.checking import LONGEST, Edit, Seen, applied, not_billable, save
from fhir_server.billing.facts import modality_of, provider_of
from fhir_server.billing.lacks import unmet
from fhir_server.billing.tariff import Tariff
from fhir_server.pages.billing.desk import Desk
from fhir_server.pages.billing.overview import people_of
from fhir_server.pages.billing.shown import Papers, coverage, money, papers_of, person, read, row
from fhir_server.pages.chart.found import find
from fhir_server.pages.chart.words import concept, when
from resources.errors import BusinessRule, FhirError, Invalid, PreconditionFailed
from resources.json_codec import decode_stored

Json = dict[str, Any]

_WRONG = frozenset({"entered-in-error", "refuted"})
_MOST = 200
_DIGITS = 9
"""Of the number of a version."""
_CHANGED = "Somebody else has changed this draft since you opened it. This is how it is now; please choose anew."
_MISSING = "Saved, and not checked: something is missing. Add it, or tick that it is right as it is."


def draft(desk: Desk, id: str, *, error: str = "", status: int = 200) -> Response:
    """GET /billing/Encounter/[id]"""
    encounter, papers = _read(desk, id)
    people = people_of(desk, {id: encounter})
    item = (papers.claim or {}).get("item", [{}])[0]
    return desk.page(
        "draft.html", status, heading=_HEADINGS[papers.state], error=error,
        id=id, state=papers.state, row=row(encounter, papers, people, desk.clinic.zone), became=papers.became,
        seen=_versions(papers), longest=LONGEST, notes=_notes(desk, papers),
        provider=_provider(desk, encounter, people), insurance=_insurance(desk, papers),
        codes=_codes(desk.clinic.charging.tariff, papers), modifiers=_modifiers(desk.clinic.charging.tariff, item),
        places=_places(desk.clinic.charging.tariff, item), conditions=_conditions(desk, encounter, papers),
        total=money((papers.claim or {}).get("total")), quantity=item.get("quantity", {}).get("value", 1),
    )  # fmt: skip


_HEADINGS = {
    "open": "Visit without a charge",
    "waits": "Charge without a claim",
    "draft": "Draft to check",
    "done": "Checked or not billed",
}


def charged(desk: Desk, id: str) -> Response:
    """POST /billing/Encounter/[id]/charge"""
    encounter = decode_stored(desk.repository.read("Encounter", id).doc)
    made = desk.clinic.charging.charged(desk.repository, encounter)
    return desk.go(f"/billing/Encounter/{id}", done="charged" if made.claim else "waits")


def saved(desk: Desk, id: str) -> Response:
    """POST /billing/Encounter/[id]: saves, and checks what lacks nothing, or what may lack something."""
    encounter, papers = _read(desk, id)
    if papers.claim is None or papers.charge is None:
        raise BusinessRule("This visit has no draft of a claim.")
    tariff, edit = desk.clinic.charging.tariff, _edit()
    check = request.form.get("do") == "check"
    try:
        made = applied(papers.claim, papers.charge, tariff, edit) if _is_known(tariff, edit) else papers.claim
        missing = check and not request.form.get("despite") and any(unmet(made, modality_of(encounter) != "in-person"))
        save(desk.repository, tariff, _seen(id), edit, desk.hand, check=check and not missing)
    except (PreconditionFailed, Invalid, BusinessRule) as refused:
        return _again(desk, id, refused)
    if missing:
        return draft(desk, id, error=_MISSING, status=422)
    return desk.go("/billing/", done="checked") if check else desk.go(f"/billing/Encounter/{id}", done="saved")


def put_off(desk: Desk, id: str) -> Response:
    """POST /billing/Encounter/[id]/not-billable"""
    try:
        not_billable(desk.repository, _seen(id), request.form.get("reason", ""), desk.hand)
    except (PreconditionFailed, Invalid, BusinessRule) as refused:
        return _again(desk, id, refused)
    return desk.go("/billing/", done="off")


def _again(desk: Desk, id: str, refused: FhirError) -> Response:
    text = _CHANGED if isinstance(refused, PreconditionFailed) else refused.issues[0].text
    return draft(desk, id, error=text, status=refused.status)


# --- what was sent


def _seen(id: str) -> Seen:
    return Seen(id, _number("charge"), _number("claim"))


def _number(name: str) -> int:
    text = request.form.get(name, "0")
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS:
        raise Invalid(f"{name} is the number of a version; this is {text[:20]!r}.")
    return int(text)


def _edit() -> Edit:
    form = request.form
    chosen, main = form.getlist("diagnosis"), form.get("main", "")
    order = [main, *(one for one in chosen if one != main)] if main in chosen else chosen
    return Edit(form.get("code", ""), form.get("modifier", ""), form.get("place", ""), tuple(order))


def _is_known(tariff: Tariff, edit: Edit) -> bool:
    """Whether the tariff has what was chosen; what it has not is refused as it is saved."""
    return edit.place in ("", *tariff.places) and edit.modifier in ("", *tariff.modifiers.values())


# --- what is shown


def _read(desk: Desk, id: str) -> tuple[Json, Papers]:
    encounter = decode_stored(desk.repository.read("Encounter", id).doc)
    return encounter, papers_of(desk.repository, [id])[id]


def _versions(papers: Papers) -> dict[str, str]:
    found = {"charge": papers.charge, "claim": papers.claim}
    return {name: one["meta"]["versionId"] for name, one in found.items() if one}


def _notes(desk: Desk, papers: Papers) -> list[tuple[str, str]]:
    notes = (papers.charge or {}).get("note", ())
    return [(when(one.get("time", ""), desk.clinic.zone), one.get("text", "")) for one in notes]


def _provider(desk: Desk, encounter: Json, people: dict[str, Json]) -> str:
    reference = provider_of(encounter)
    return person(reference, people if reference in people else read(desk.repository, [reference]))


def _insurance(desk: Desk, papers: Papers) -> list[str]:
    rows = (papers.claim or {}).get("insurance", ())
    named = [one["coverage"].get("reference", "") for one in rows]
    found = read(desk.repository, named)
    payors = (payor.get("reference", "") for one in found.values() for payor in one.get("payor", ()))
    known = read(desk.repository, payors)
    return [coverage(found.get(reference), known) for reference in named]


def _chosen(found: Json | None) -> str:
    return str(next((one["code"] for one in (found or {}).get("coding", ()) if one.get("code")), ""))


def _codes(tariff: Tariff, papers: Papers) -> list[tuple[str, str, bool]]:
    """Code, words, whether it is the one; that of the charge also when the tariff has it no more."""
    own = (papers.charge or {}).get("code", {})
    chosen = _chosen(own)
    rows = [(row.code, _row_words(tariff, row.code), row.code == chosen) for row in tariff.visit]
    return rows if tariff.coded(chosen) or not chosen else [(chosen, concept(own), True), *rows]


def _row_words(tariff: Tariff, code: str) -> str:
    row = tariff.coded(code)
    assert row is not None  # a code of the tariff
    price = f", {row.price:.2f} {tariff.currency.upper()}" if row.price is not None else ""
    return f"{code}: {row.text}{price}"


def _modifiers(tariff: Tariff, item: Json) -> list[tuple[str, str, bool]]:
    chosen = _chosen(next(iter(item.get("modifier", ())), None))
    known = dict.fromkeys(tariff.modifiers.values())
    return [(code, f"{code}: {tariff.modifier(code)['text']}", code == chosen) for code in known]


def _places(tariff: Tariff, item: Json) -> list[tuple[str, str, bool]]:
    chosen = _chosen(item.get("locationCodeableConcept"))
    return [(code, f"{code}: {text}", code == chosen) for code, text in tariff.places.items()]


def _conditions(desk: Desk, encounter: Json, papers: Papers) -> list[dict[str, Any]]:
    """Those of the draft in their order, then the patient's others, the latest first."""
    if papers.claim is None:
        return []
    chosen = [row.get("diagnosisReference", {}).get("reference", "") for row in papers.claim.get("diagnosis", ())]
    patient = papers.claim["patient"].get("reference", "")
    theirs = find(desk.repository, "Condition", ("patient", patient), ("_sort", "-recorded-date"), most=_MOST)
    known = {f"Condition/{one['id']}": one for one in theirs.matches} | read(desk.repository, chosen)
    order = dict.fromkeys([*(one for one in chosen if one in known), *known])
    return [
        {
            "reference": one,
            "text": concept(known[one].get("code")) or "Without a name",
            "here": known[one].get("encounter", {}).get("reference") == f"Encounter/{encounter['id']}",
            "chosen": one in chosen,
            "main": bool(chosen) and one == chosen[0],
        }
        for one in order
        if one in chosen or not _WRONG & _verification(known[one])
    ]


def _verification(condition: Json) -> set[str]:
    return {one.get("code", "") for one in condition.get("verificationStatus", {}).get("coding", ())}
