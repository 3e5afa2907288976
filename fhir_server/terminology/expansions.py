"""Sets of codes for search, kept as rows: those of a value set, or those above or below a code.

FHIR R4 Search, :in, :not-in, :above and :below (https://hl7.org/fhir/R4/search.html#modifiers). An expansion is kept
under what it is of and under the versions of all that it was made from, as the caller sees them: each use looks those
up again, so that a write of any of them is seen at once, whichever transaction it was in.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from fhir_server.store import Session
from fhir_server.store.expansion_sql import SEPARATOR, Kept, forget, keep, kept
from fhir_server.terminology.stored import Asked, Find, Stored
from resources.errors import BadSearch, FhirError, Issue, TooCostly, Unavailable
from resources.search_param.token import folded
from resources.terminology.compose import ANY, Expander
from resources.terminology.lookup import check_hierarchy

MADE_BY = "1"
"""Changes when the same resources give another expansion than before."""
LONGEST = 500
"""Characters of a name or a system that an index row takes."""
MOST_ASKED = 2_000
"""Resources that an expansion to be kept may depend on."""

Name = tuple[str, str]
Codes = frozenset[Name]
"""(system, code) pairs; code ANY: every code of the system. Codes are folded as index keys are."""
Versions = Callable[[Sequence[Asked]], Sequence[tuple[str, str, int]] | None]
"""(type, id, version) of all that is found by some questions; None when that cannot be said cheaply."""


class Expansion(NamedTuple):
    """A set of codes: kept as rows under ``id``, or here as ``codes``. ``size`` counts them, ``whole`` says that some
    are whole systems."""

    id: int
    size: int
    whole: bool
    codes: Codes | None = None


def expansion(session: Session, tenant: int, how: str, of: str, find: Find, versions: Versions) -> Expansion:
    """The codes of the value set ``of`` (``how`` 'in'), or those ``above`` or ``below`` the ``system|code`` it is.

    Raises BadSearch when they are not known here, TooCostly.
    """
    name = f"{how} {of}"
    for held in kept(session, tenant, name):
        asked = [Asked(*each) for each in json.loads(held.asked)]
        if _view(asked, versions) == held.view:
            return Expansion(held.id, held.size, held.whole)
    return _made(session, tenant, name, *_codes(how, of, find), versions)


def _made(
    session: Session, tenant: int, name: str, codes: Codes, asked: Sequence[Asked], versions: Versions
) -> Expansion:
    whole = any(code == ANY for _, code in codes)
    here = Expansion(0, len(codes), whole, codes)
    # What is seen within a transaction may never be committed, and one that only reads cannot keep anything.
    if session.in_transaction or len(asked) > MOST_ASKED or not _keepable(name, codes):
        return here
    view = _view(asked, versions)
    if view is None:
        return here
    id = _number(tenant, name, view)
    try:
        with session.transaction():
            keep(session, Kept(id, view, json.dumps(asked), len(codes), whole), tenant, name, codes)
            forget(session, tenant)
    except (TooCostly, Unavailable):  # somebody writes for long: the next search may keep it
        return here
    return Expansion(id, len(codes), whole)


def _keepable(name: str, codes: Codes) -> bool:
    """Whether index rows can hold all of it."""
    systems = {system for system, _ in codes}
    longest = max(map(len, [name, *systems]))
    return longest <= LONGEST and not any(SEPARATOR in text for pair in codes for text in pair)


def _number(tenant: int, name: str, view: str) -> int:
    """The same for the same expansion, so that two who make it at once keep the same rows."""
    digest = hashlib.blake2b(f"{tenant} {view} {name}".encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(digest.digest(), "big", signed=True)


def _view(asked: Iterable[Asked], versions: Versions) -> str | None:
    found = versions(sorted(asked))
    if found is None:
        return None
    return hashlib.blake2b(repr((MADE_BY, sorted(found))).encode(), digest_size=16).hexdigest()


def _codes(how: str, of: str, find: Find) -> tuple[Codes, Sequence[Asked]]:
    source = Stored(find)
    try:
        found = _CODES[how](source, of)
    except TooCostly:
        raise
    except FhirError as error:
        raise BadSearch(
            issues=[Issue(issue.code, f":{how}={of[:300]}: {issue.text}") for issue in error.issues]
        ) from error
    return frozenset((system, folded(system, code)) for system, code in found), sorted(source.asked)


def _in(source: Stored, of: str) -> Iterable[Name]:
    return Expander(source, open_systems=True).named(of)


def _hierarchy(source: Stored, of: str, *, below: bool) -> Iterable[Name]:
    system, _, code = of.partition("|")
    known = source.code_system(system)
    if known is None or not known.enumerable:
        text = (
            f"The CodeSystem {system[:300]} is not known here with all its codes, so its hierarchy is not either. "
            "Store it (PUT CodeSystem/[id], content complete), or list the codes."
        )
        raise BadSearch(issues=[Issue("not-found", text)])
    check_hierarchy(known)
    concept = known.find(code)
    if concept is None:
        return [(system, code)]
    others = known.descendants(concept.code) if below else known.ancestors(concept.code)
    return [(system, each) for each in (concept.code, *others)]


_CODES: dict[str, Callable[[Stored, str], Iterable[Name]]] = {
    "in": _in,
    "below": lambda source, of: _hierarchy(source, of, below=True),
    "above": lambda source, of: _hierarchy(source, of, below=False),
}
