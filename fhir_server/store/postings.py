"""What a write changes in the tables: the difference between the index entries of two versions, hashed.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html); layout: post(h, o), rng(h, lo, hi, o), str(h, norm, o).
"""

from collections.abc import Collection, Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

from fhir_server.store.hashing import Hasher
from fhir_server.store.model import Stored, Write
from fhir_server.store.order import place
from resources.literal_reference import local
from resources.search_param.terms import DictionaryEntry, Entries

LONGEST = 640
"""Characters of a text that the indexes hold; b-tree rows are limited (2.7 kB on PostgreSQL)."""
_NONE = Entries((), (), (), (), None, False, "", ())


class DicRow(NamedTuple):
    """One row of table dic."""

    h: int
    display: str
    tenant: int
    type: str
    branch: str
    form: str
    system: str
    code: str
    unit: str


Postings = Sequence[tuple[int | str, ...]]
"""Rows of one of the tables post, rng and str."""


class Changes(NamedTuple):
    """The rows of one write. ``less`` is taken from under ``old_o`` and ``more`` put under ``o``; h ascending.

    ``targets`` are the local references (``Patient/1``, ascending) that the version before did not have, each with the
    number of its list.
    """

    rid: int
    o: int
    old_o: int
    subject: str
    subj: int
    less: list[int]
    more: list[int]
    rng_less: list[tuple[int, int, int]]
    rng_more: list[tuple[int, int, int]]
    str_less: list[tuple[int, str]]
    str_more: list[tuple[int, str]]
    dictionary: Collection[DictionaryEntry]
    targets: dict[str, int]


class Rows(NamedTuple):
    """What one version has in the index, but for its place."""

    post: set[int]
    rng: set[tuple[int, int, int]]
    text: set[tuple[int, str]]
    targets: dict[str, int]


_NO_ROWS = Rows(set(), set(), set(), {})


def changes(hasher: Hasher, write: Write, rid: int, bump: int = 0) -> Changes:
    """What ``write`` does to the index; ``rid`` is the new row's number when there is no previous row."""
    before = write.previous
    rid = before.rid if before else rid
    new, old = write.entries or _NONE, write.previous_entries or _NONE
    o = _place(write, before, new, old, rid, bump)
    old_o = before.o if before else o
    come, gone = rows_of(hasher, write.tenant, new), rows_of(hasher, write.tenant, old)
    known = {*gone.targets, f"{write.type}/{write.id}"}
    targets = {text: h for text, h in come.targets.items() if text not in known}
    if o == old_o and old is not _NONE:
        come, gone = _without(come, gone), _without(gone, come)
    subject = _subject(write, new)
    return Changes(
        rid,
        o,
        old_o,
        subject,
        hasher.subject(write.tenant, subject) if subject else 0,
        sorted(gone.post),
        sorted(come.post),
        sorted(gone.rng),
        sorted(come.rng),
        sorted(gone.text),
        sorted(come.text),
        new.dictionary,
        targets,
    )


def rows_of(hasher: Hasher, tenant: int, entries: Entries) -> Rows:
    """What ``entries`` put into the tables."""
    if entries is _NONE:
        return _NO_ROWS
    h = hasher.h
    targets = {text: hasher.target(tenant, text) for text in sorted(targets_of(entries))}
    post = {h(tenant, key) for key in entries.posts}
    post.update(targets.values())
    rng = {(h(tenant, key), lo, hi) for key, lo, hi in entries.ranges}
    return Rows(post, rng, {(h(tenant, key), bounded(norm)) for key, norm in entries.strings}, targets)


def _without(rows: Rows, others: Rows) -> Rows:
    return Rows(rows.post - others.post, rows.rng - others.rng, rows.text - others.text, rows.targets)


def postings(all: Sequence[Changes]) -> tuple[Postings, ...]:
    """What many writes take from and put into post, rng and str: post less, post more, rng less, and so on.

    Sorted by their key: rows in order cost half of unsorted ones in a large batch.
    """
    found: tuple[list[tuple[int | str, ...]], ...] = (
        [(h, c.old_o) for c in all for h in c.less],
        [(h, c.o) for c in all for h in c.more],
        [(*row, c.old_o) for c in all for row in c.rng_less],
        [(*row, c.o) for c in all for row in c.rng_more],
        [(*row, c.old_o) for c in all for row in c.str_less],
        [(*row, c.o) for c in all for row in c.str_more],
    )
    return tuple(map(sorted, found))


def _place(write: Write, before: Stored | None, new: Entries, old: Entries, rid: int, bump: int) -> int:
    """``o`` stays while the clinical date does, so that an update rewrites no list it need not."""
    if before and not bump:
        same = (new.clinical, new.precise) == (old.clinical, old.precise)
        if write.entries is None or (same and not before.deleted):
            return before.o
    date = write.updated * 1000 if new.clinical is None else new.clinical
    return place(date, new.precise and new.clinical is not None, rid, bump)


def _subject(write: Write, new: Entries) -> str:
    return f"Patient/{write.id}" if write.type == "Patient" else new.subject


def targets_of(entries: Entries) -> set[str]:
    """The resources here that ``entries`` refers to, as ``Type/id``; contained, urn and foreign references are none."""
    return {f"{found.type}/{found.id}" for text in entries.references if (found := local(text))}


def bounded(norm: str) -> str:
    """``norm`` as table str holds it: a long one is cut and a digest put behind, so that equality stays exact."""
    if len(norm) <= LONGEST:
        return norm
    return norm[:LONGEST] + "\x1e" + blake2b(norm.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def dictionary_rows(hasher: Hasher, tenant: int, entries: Iterable[DictionaryEntry]) -> list[DicRow]:
    """Rows for ``entries``; ascending, so that two writers never wait for each other crosswise."""
    return sorted(
        DicRow(
            hasher.h(tenant, e.key), e.display[:LONGEST], tenant, e.key.type, e.key.branch, e.key.form,
            e.system[:LONGEST], e.code[:LONGEST], e.unit[:LONGEST],
        )
        for e in entries
    )  # fmt: skip
