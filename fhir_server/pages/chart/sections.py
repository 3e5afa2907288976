"""The sections of a chart: allergies, problems, medications, results, vital signs, what the patient prepared, visits.

FHIR R4 AllergyIntolerance, Condition, MedicationRequest, MedicationStatement, Observation, Encounter. Each says what it
lacks.
"""

from collections.abc import Callable, Iterable
from datetime import tzinfo
from typing import Any

from fhir_server.pages.chart.found import Found, find
from fhir_server.pages.chart.observed import latest, results
from fhir_server.pages.chart.prepared import prepared
from fhir_server.pages.chart.section import Item, Section, Tag
from fhir_server.pages.chart.trends import courses
from fhir_server.pages.chart.words import codes, concept, concepts, when
from resources.repository import Repository

Json = dict[str, Any]

_NEVER = frozenset({"entered-in-error", "refuted"})
_PAST = frozenset({"inactive", "resolved", "remission"})
_PERSONAL = frozenset({"social-history", "survey", "activity", "therapy"})
_OLD = 8
"""Visits that are shown at once."""


def sections(repository: Repository, patient: str, zone: tzinfo) -> list[Section]:
    """All of ``patient`` (Patient/1), as ``repository`` may see it."""
    return [made(repository, patient, zone) for made in (*_LISTS, *_OBSERVED, prepared, _visits)]


def _allergies(repository: Repository, patient: str, zone: tzinfo) -> Section:
    found = find(repository, "AllergyIntolerance", ("patient", patient))
    return _split("allergies", "Allergies", found, _status_past, lambda one: _allergy(one, zone), "no longer active")


def _allergy(one: Json, zone: tzinfo) -> Item:
    reactions = one.get("reaction", ())
    shown = (
        concepts(manifestation for reaction in reactions for manifestation in reaction.get("manifestation", ())),
        _since(one, zone),
    )
    tags = [("High risk", "bad")] if one.get("criticality") == "high" else []
    tags += [("Severe", "bad")] if any(reaction.get("severity") == "severe" for reaction in reactions) else []
    substances = concepts(reaction["substance"] for reaction in reactions if "substance" in reaction)
    return Item(concept(one.get("code")) or substances or "Unnamed", _some(shown), [*tags, *_doubt(one)])


def _problems(repository: Repository, patient: str, zone: tzinfo) -> Section:
    found = find(repository, "Condition", ("patient", patient))

    def item(one: Json) -> Item:
        severity = concept(one.get("severity"))
        return Item(concept(one.get("code")) or "Unnamed", _some((severity, _since(one, zone))), _doubt(one))

    return _split("problems", "Active problems", found, _status_past, item, "no longer active")


def _doubt(one: Json) -> list[Tag]:
    found = {code for _, code in codes(one.get("verificationStatus"))}
    return [(code.capitalize(), "warn") for code in sorted(found & {"unconfirmed", "provisional", "differential"})]


def _since(one: Json, zone: tzinfo) -> str:
    since = one.get("onsetDateTime") or one.get("onsetPeriod", {}).get("start", "")
    if since:
        return f"since {when(since, zone)}"
    recorded = one.get("recordedDate", "")
    return one.get("onsetString") or (f"recorded {when(recorded, zone)}" if recorded else "")


def _status_past(one: Json) -> bool | None:
    """Whether it is over; None for what was never true."""
    if {code for _, code in codes(one.get("verificationStatus"))} & _NEVER:
        return None
    ended = one.get("abatementDateTime") or one.get("abatementPeriod", {}).get("end")
    return bool({code for _, code in codes(one.get("clinicalStatus"))} & _PAST or ended)


def _medications(repository: Repository, patient: str, zone: tzinfo) -> Section:
    """What was prescribed and what was told; each says which."""
    kinds = (("MedicationRequest", "prescribed"), ("MedicationStatement", "reported"))
    searches = [
        (find(repository, type, ("patient", patient), ("_include", f"{type}:medication")), word) for type, word in kinds
    ]
    found = Found(
        tuple(one for search, _ in searches for one in search.matches),
        {ref: one for search, _ in searches for ref, one in search.included.items()},
        sum(search.more for search, _ in searches),
        next((search.refused for search, _ in searches if search.refused), ""),
    )
    words = {f"{one['resourceType']}/{one['id']}": word for search, word in searches for one in search.matches}

    def item(one: Json) -> Item:
        return _medication(one, found.included, words[f"{one['resourceType']}/{one['id']}"], zone)

    return _split("medications", "Current medications", found, _drug_past, item, "stopped or completed")


def _drug_past(one: Json) -> bool | None:
    status = one.get("status", "")
    if status in ("entered-in-error", "draft", "not-taken") or one.get("doNotPerform"):
        return None
    return status not in ("active", "on-hold", "intended", "unknown")


def _medication(one: Json, included: dict[str, Json], word: str, zone: tzinfo) -> Item:
    reference = one.get("medicationReference", {})
    contained = {f"#{inner['id']}": inner for inner in one.get("contained", ()) if "id" in inner}
    drug = (included | contained).get(reference.get("reference", ""), {})
    text = concept(one.get("medicationCodeableConcept")) or concept(drug.get("code")) or reference.get("display", "")
    dosages = one.get("dosageInstruction", one.get("dosage", ()))
    dosage = "; ".join(filter(None, (dose.get("text", "") for dose in dosages or ())))
    at = one.get("authoredOn") or one.get("effectiveDateTime") or one.get("effectivePeriod", {}).get("start", "")
    tags = [("On hold", "warn")] if one.get("status") == "on-hold" else []
    facts = (dosage, f"{word} {when(at, zone)}" if at else word)
    return Item(text or "Unnamed", _some(facts), tags)


def _split(
    id: str,
    title: str,
    found: Found,
    past: Callable[[Json], bool | None],
    item: Callable[[Json], Item],
    fold: str,
) -> Section:
    placed = [(past(one), one) for one in found.matches]
    current, over = ([item(one) for is_past, one in placed if is_past is which] for which in (False, True))
    return Section(id, title, current, over, fold, found.more, found.refused)


def _vitals(repository: Repository, patient: str, zone: tzinfo) -> Section:
    found = find(repository, "Observation", ("patient", patient), ("category", "vital-signs"), ("_sort", "-date"))
    table = latest(results(found.matches, zone))
    return Section(
        "vitals", "Vital signs", more=found.more, refused=found.refused,
        table=table, courses=courses(found.matches, zone),
    )  # fmt: skip


def _results(repository: Repository, patient: str, zone: tzinfo) -> Section:
    found = find(repository, "Observation", ("patient", patient), ("category:not", "vital-signs"), ("_sort", "-date"))
    kinds: dict[bool, list[Json]] = {True: [], False: []}
    for one in found.matches:
        kinds[_is_personal(one)].append(one)
    table, personal = (latest(results(kinds[which], zone)) for which in (False, True))
    return Section(
        "results", "Recent results", more=found.more, refused=found.refused,
        table=table, folded=personal, fold="of social history and questionnaires",
        courses=courses(found.matches, zone),
    )  # fmt: skip


def _is_personal(one: Json) -> bool:
    return any(code in _PERSONAL for category in one.get("category", ()) for _, code in codes(category))


_LISTS = (_allergies, _problems, _medications)
_OBSERVED = (_results, _vitals)


def _visits(repository: Repository, patient: str, zone: tzinfo) -> Section:
    found = find(repository, "Encounter", ("patient", patient), ("_sort", "-date"), most=100)
    kept = [_visit(one, zone) for one in found.matches if one.get("status") != "entered-in-error"]
    return Section("visits", "Visits", kept[:_OLD], kept[_OLD:], "earlier", found.more, found.refused)


def _visit(one: Json, zone: tzinfo) -> Item:
    kind = concepts(one.get("type", ())) or concept(one.get("serviceType")) or one.get("class", {}).get("display", "")
    by_video = one.get("class", {}).get("code") == "VR"
    at = one.get("period", {}).get("start", "")
    text = "Video visit" if by_video else kind or "Visit"
    facts = (when(at, zone), concepts(one.get("reasonCode", ())), one.get("status", "").replace("-", " "))
    return Item(text, _some(facts))


def _some(texts: Iterable[str]) -> list[str]:
    return [text for text in texts if text]
