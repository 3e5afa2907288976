"""Terms that only documents answer: what is found by the index is read and tested; and the entries of a List.

FHIR R4 Search, near, _text, _content and _list (https://hl7.org/fhir/R4/search.html#all), as the caller sees them.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fhir_server.store import Stored
from fhir_server.store.search_sets import NOTHING, Chosen, Instance, Set
from resources.errors import TooCostly
from resources.json_codec import decode_stored
from resources.literal_reference import local
from resources.search_param.terms import All, Checked, Column, Listed, Term, Test

if TYPE_CHECKING:
    from fhir_server.search.resolve import Resolver

ALL = 50_000
"""Members of a tested set that stands inside an alternative or a negation."""
MOST_ENTRIES = 10_000
"""Current entries of a List that is searched."""


class FarChecked:
    """Whether the document of a row passes a test."""

    def __init__(self, test: Test) -> None:
        self.test = test

    def keep(self, rows: Sequence[Stored]) -> set[int]:
        """A deleted one has no document."""
        near = (row for row in rows if row.doc and self.test.possible(row.doc))
        return {row.o for row in near if self.test.fits(decode_stored(row.doc))}


def found_by(term: Checked) -> tuple[Term, ...]:
    """What finds the candidates of ``term``; nothing when any resource is one."""
    return () if isinstance(term.term, All) else (term.term,)


def checked(resolver: "Resolver", term: Checked) -> Set:
    """The members of ``term``, found beforehand. Raises TooMany."""
    near = resolver.executor.measured(resolver.as_set(term.type, term.term), None)
    if near == NOTHING:
        return NOTHING
    return Chosen(tuple(resolver.executor.all_orders(near, [FarChecked(term.test)], ALL)))


def listed(resolver: "Resolver", term: Listed) -> Set:
    """The current entries of a List that are of the type asked for; nothing when the caller does not see the List.
    Raises TooCostly."""
    near, far = resolver.typed("List", Column("id", "eq", term.id))
    rows = resolver.view.seen(resolver.executor.rows("List", near, far, 1), "s")
    ids = {id for row in rows for id in _entries(resolver, row, term.type)}
    if len(ids) > MOST_ENTRIES:
        raise TooCostly(
            f"List/{term.id} has more than {MOST_ENTRIES} entries of type {term.type}; ask for them in parts."
        )
    return Instance(term.type, tuple(sorted(ids))) if ids else NOTHING


def _entries(resolver: "Resolver", row: Stored, type: str) -> set[str]:
    """The ids of the resources of ``type`` that a List has and has not marked as removed."""
    own = f"{resolver.base}/"
    texts = (
        entry.get("item", {}).get("reference", "")
        for entry in decode_stored(row.doc).get("entry", ())
        if not entry.get("deleted")
    )
    found = (local(text.removeprefix(own) if resolver.base else text) for text in texts)
    return {each.id for each in found if each and each.type == type}
