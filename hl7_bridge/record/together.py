"""Several messages meet the record in one commit: what they look up is one look, what they change one transaction.

FHIR R4 http.html#transaction. Only messages that have nothing to do with each other go together; whatever else one of
them needs (another try, a person, a merge) it is left out for, and applied alone.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hl7_bridge.errors import Hl7Error
from hl7_bridge.mapping.model import Mapped
from hl7_bridge.ports import FollowUp, Stamp
from hl7_bridge.record.apply import Attempt, Record
from hl7_bridge.record.commit import Prepared, store
from hl7_bridge.record.provenance import Source
from hl7_bridge.record.shelf import identities
from resources import json_codec
from resources.errors import FhirError
from resources.repository import Mark, Repository, Version


class Statement(NamedTuple):
    """What one message says, and the marks of its commit."""

    mapped: Mapped
    source: Source
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Together:
    """Which of the statements, by their place, are in the record now; and the follow-ups that can be done."""

    done: frozenset[int]
    follow_ups: tuple[FollowUp, ...] = ()


def apply_together(record: Record, repository: Repository, statements: Sequence[Statement]) -> Together:
    """Commit those of ``statements`` together that touch nothing in common, each with its marks.

    Raises Conflict, PreconditionFailed and what the repository refuses; then nothing is stored.
    """
    attempts = [Attempt(record, repository, each.mapped, each.source, record.id_of) for each in statements]
    ahead = ReadAhead(record, repository, attempts)
    chosen: dict[int, tuple[Attempt, Prepared]] = {}
    seen: set[object] = set()
    touched: set[object] = set()
    for n, (attempt, statement) in enumerate(zip(attempts, statements, strict=True)):
        try:
            prepared = attempt.work_out(statement.marks, ahead)
        except (Hl7Error, FhirError):  # alone it says what is wrong
            continue
        own, others = _touched(prepared), {*attempt.names, *attempt.wanted}
        if own.isdisjoint(seen) and others.isdisjoint(touched):
            chosen[n] = attempt, prepared
            seen |= others
            touched |= own
    return _stored(record, repository, chosen)


def _stored(record: Record, repository: Repository, chosen: dict[int, tuple[Attempt, Prepared]]) -> Together:
    store(repository, [prepared for _, prepared in chosen.values()])
    keys = [key for attempt, prepared in chosen.values() for key in attempt.new_keys(prepared)]
    moved = [follow_up for attempt, _ in chosen.values() for follow_up in attempt.moved()]
    return Together(frozenset(chosen), (*moved, *(record.stamps.waiting(keys) if keys else ())))


def _touched(prepared: Prepared) -> set[object]:
    """The names of what is written or remembered anew, and the (type, identity) by which it may be found."""
    nodes = prepared.stamped
    keys = {(node.name.type, key) for node in nodes for key in (*node.keys, *identities(node.resource))}
    return {*(node.name for node in nodes), *keys}


class ReadAhead:
    """shelf.Ahead for all of ``attempts``: one look for what they want, then one for the stamps of what was found."""

    def __init__(self, record: Record, repository: Repository, attempts: Iterable[Attempt]) -> None:
        wanted = dict.fromkeys((type, *key) for attempt in attempts for type, key in attempt.wanted)
        names = dict.fromkeys(name for attempt in attempts for name in attempt.own())
        self._read_stamps = record.stamps.read
        self._versions = repository.identified(wanted.keys(), names.keys())
        self._known = frozenset((each.type, each.id) for each in self._versions)
        self._stamps = record.stamps.read(self._known) if self._known else {}
        self._places: dict[tuple[str, ...], list[int]] = {}
        for n, version in enumerate(self._versions):
            found = {(version.type, *key) for key in identities(json_codec.decode_stored(version.doc))}
            for key in ((version.type, version.id), *found):
                self._places.setdefault(key, []).append(n)

    def versions(self, wanted: Collection[tuple[str, str, str]], names: Collection[tuple[str, str]]) -> list[Version]:
        """As Repository.identified, of what the attempts want."""
        places = {n for key in (*wanted, *names) for n in self._places.get(tuple(key), ())}
        return [self._versions[n] for n in sorted(places)]

    def stamps(self, resources: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Stamp]:
        """As Stamps.read; what references lead to is not known yet."""
        asked = list(resources)
        found = {name: self._stamps[name] for name in asked if name in self._stamps}
        other = [name for name in asked if name not in self._known]
        return found | self._read_stamps(other) if other else found
