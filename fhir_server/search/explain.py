"""``_explain=true``: how a search was run, as the last entry of its answer.

FHIR R4 Search, search.mode outcome (https://hl7.org/fhir/R4/valueset-search-entry-mode.html). Statements hold
placeholders where values were, so that no value of a resource or of the query is told; lengths of lists and times tell
of the whole record, so that only those may ask who may see all of it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from fhir_server.search.members import Far
from fhir_server.store.search_sets import UNKNOWN_SIZE, Both, Dated, Either, Except, Set, size, walkable
from fhir_server.store.search_sql import shortest
from fhir_server.store.watch import Asked
from resources.errors import Forbidden, Issue
from resources.repository import Caller

SHOWN = 40
"""Statements that are told; the others are summed."""
LONGEST = 2_000
"""Characters of one statement."""


def allow(caller: Caller, what: str = "_explain") -> None:
    """Raises Forbidden for whoever may not see and change all of the record; ``what`` is asked for."""
    for grant in caller.grants.of("*", "s"):
        whole = set("cruds") <= set(grant.permissions) and grant.confidential
        if whole and not (grant.params or grant.compartment or grant.restricted):
            return
    raise Forbidden(f"{what} is for administrators: it needs all permissions on the whole record.")


def explanation(near: Set, far: Sequence[Far], asked: Sequence[Asked]) -> tuple[Issue, ...]:
    """The sets that were walked and probed, then each statement with its time."""
    spent = sum(each.seconds for each in asked) * 1000
    told = [f"{len(asked)} statements, {spent:.2f} ms in the database and on the way", f"set: {described(near)}"]
    if isinstance(near, Both):
        told.append(f"walked: {described(shortest(near.parts))}")
    if far:
        kinds = Counter(type(test).__name__ for test in far)
        told.append("tested row by row: " + ", ".join(f"{count} {name}" for name, count in kinds.items()))
    told += _statements(asked)
    return tuple(Issue("informational", text, severity="information") for text in told)


def described(part: Set) -> str:
    """A set by kinds and lengths, without its values."""
    name = type(part).__name__
    match part:
        case Both() | Either():
            return f"{name}({', '.join(described(each) for each in part.parts)})"
        case Except():
            return f"{name}({described(part.part)})"
        case Dated():
            return f"{name}({described(part.precise)}, {described(part.other)})"
    lists = len(getattr(part, "hashes", ()))
    about = f" of {lists} list{'s' * (lists != 1)}" if lists else ""
    if not walkable(part):
        return name + about
    length = size(part)
    return f"{name}{about}, {'many' if length >= UNKNOWN_SIZE else f'about {length}'}"


def _statements(asked: Sequence[Asked]) -> Iterator[str]:
    for number, each in enumerate(asked[:SHOWN], 1):
        how = " by merge joins" if each.merge else ""
        yield f"{number}: {each.seconds * 1000:.2f} ms, {each.rows} rows{how}: {each.sql[:LONGEST]}"
    if len(asked) > SHOWN:
        yield f"and {len(asked) - SHOWN} more"
