"""$expand: a value set with its codes listed, a page of them at a time.

FHIR R4 ValueSet/$expand (https://hl7.org/fhir/R4/valueset-operation-expand.html).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from resources.errors import TooCostly
from resources.search_param.normal_form import normal
from resources.terminology.compose import Expander, Member
from resources.terminology.designation import in_language
from resources.terminology.source import Json, Source

MOST_AT_ONCE = 10_000
"""Codes of one answer; more are paged."""
_DEFINITION = ("compose", "expansion", "text", "contained", "meta", "id")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the expansion is asked for; ``count`` None: all of it, 0: the total alone."""

    filter: str = ""
    offset: int = 0
    count: int | None = None
    designations: bool = False
    definition: bool = False
    active_only: bool = False
    for_display: bool = False
    language: str = ""

    def used(self) -> list[Json]:
        """The parameters as ``expansion.parameter`` says them."""
        texts = [("filter", self.filter), ("displayLanguage", self.language)]
        flags = [
            ("includeDesignations", self.designations),
            ("activeOnly", self.active_only),
            ("excludeNotForUI", self.for_display),
        ]
        return [
            *({"name": name, "valueString": text} for name, text in texts if text),
            *({"name": name, "valueBoolean": True} for name, flag in flags if flag),
        ]


def expand(source: Source, value_set: Json, wanted: Wanted) -> Json:
    """``value_set`` with the expansion asked for. Raises Unknown, BusinessRule, Invalid, TooCostly."""
    members = Expander(source).of(value_set).values()
    chosen = [member for member in members if _is_wanted(member, wanted)]
    if wanted.count is None and len(chosen) - wanted.offset > MOST_AT_ONCE:
        raise TooCostly(f"The expansion has {len(chosen)} codes; ask for pages with count and offset, or use filter.")
    size = MOST_AT_ONCE if wanted.count is None else min(wanted.count, MOST_AT_ONCE)
    page = chosen[wanted.offset : wanted.offset + size]
    kept = {name: value for name, value in value_set.items() if wanted.definition or name not in _DEFINITION}
    return {**kept, "resourceType": "ValueSet", "expansion": _expansion(page, len(chosen), wanted, members)}


def _expansion(page: Iterable[Member], total: int, wanted: Wanted, members: Iterable[Member]) -> Json:
    versions = sorted({f"{m.system}|{m.version}" for m in members if m.version})
    found: Json = {
        "identifier": f"urn:uuid:{uuid4()}",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "total": total,
        "offset": wanted.offset,
        "parameter": [*wanted.used(), *({"name": "version", "valueUri": version} for version in versions)],
        "contains": [_contains(member, wanted) for member in page],
    }
    return {name: value for name, value in found.items() if value != []}


def _contains(member: Member, wanted: Wanted) -> Json:
    designations = all_designations(member)
    display = in_language(member.shown, designations, wanted.language)
    flags = {"abstract": member.abstract, "inactive": member.inactive}
    found: Json = {"system": member.system, **{name: True for name, flag in flags.items() if flag}}
    found["code"] = member.code
    if display:
        found["display"] = display
    if wanted.designations and designations:
        found["designation"] = designations
    return {name: value for name, value in found.items() if value != ""}


def all_designations(member: Member) -> list[Mapping[str, Any]]:
    """Those of the value set first, then those of the code system."""
    return [*member.designations, *(member.concept.designations if member.concept else ())]


def _is_wanted(member: Member, wanted: Wanted) -> bool:
    if (wanted.active_only and member.inactive) or (wanted.for_display and member.abstract):
        return False
    return not wanted.filter or _fits(member, normal(wanted.filter).split())


def _fits(member: Member, words: list[str]) -> bool:
    """Every word begins the code or a word of a display."""
    texts = [member.shown, *(str(d.get("value", "")) for d in all_designations(member))]
    known = [member.code.casefold(), *(word for text in texts for word in normal(text).split())]
    return all(any(text.startswith(word) for text in known) for word in words)
