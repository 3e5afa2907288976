"""The Questionnaire that a Task asks for, with the value sets of its choices.

FHIR R4 Questionnaire.item.answerValueSet; canonical references as of terminology.
"""

from collections.abc import Sequence
from typing import Any

from fhir_server.operations.terminology import source_of
from fhir_server.questionnaires.tasks import canonical_of
from resources.errors import FhirError
from resources.json_codec import decode_stored
from resources.literal_reference import local
from resources.questionnaires import Form
from resources.repository import Repository, SearchRequest
from resources.terminology.compose import Expander

Json = dict[str, Any]

MOST_CHOICES = 300
"""Of a value set: what is longer is no list to choose from on a page."""


def form_of(repository: Repository, task: Json) -> Form | None:
    """The questionnaire of ``task``; None when it is not in the record, or not open to who asks."""
    found = _questionnaire(repository, task)
    return Form(found, _sets(repository, found)) if found else None


def _questionnaire(repository: Repository, task: Json) -> Json | None:
    canonical = canonical_of(task)
    named = local(task.get("focus", {}).get("reference", "")) or local(canonical)
    try:
        if named is not None and named.type == "Questionnaire":
            return decode_stored(repository.read(*named).doc)
        url, _, version = canonical.partition("|")
        params = (("url", url), *((("version", version),) if version else ()), ("_sort", "-date"), ("_count", "1"))
        hits = repository.search(SearchRequest("Questionnaire", params)).hits if url else ()
    except FhirError:
        return None
    return decode_stored(hits[0].version.doc) if hits else None


def canonical_name(questionnaire: Json) -> str:
    """By which a response names it: with its version, for that is what was answered."""
    url = questionnaire.get("url", "")
    version = f"|{questionnaire['version']}" if questionnaire.get("version") else ""
    return f"{url}{version}" if url else f"Questionnaire/{questionnaire['id']}"


def _sets(repository: Repository, questionnaire: Json) -> dict[str, Sequence[Json]]:
    """The codings of each value set that can be listed."""
    inner = {f"#{one['id']}": one for one in questionnaire.get("contained", ()) if "id" in one}
    names = {item["answerValueSet"] for item in Form(questionnaire).items.values() if "answerValueSet" in item}
    made = {name: _codings(repository, name, inner.get(name)) for name in names}
    return {name: codings for name, codings in made.items() if codings is not None}


def _codings(repository: Repository, name: str, inner: Json | None) -> list[Json] | None:
    expander = Expander(source_of(repository))
    try:
        members = expander.of(inner) if inner else expander.named(name)
    except FhirError:
        return None
    if len(members) > MOST_CHOICES:
        return None
    chosen = [one for one in members.values() if not one.abstract and not one.inactive]
    return [{"system": one.system, "code": one.code} | ({"display": one.shown} if one.shown else {}) for one in chosen]
