"""One commit of everything that one message or several changed: versions, stamps, follow-ups, Provenance, marks.

FHIR R4 http.html#concurrency: each change names the version it was worked out from. Stamps have revisions of their own,
because they may change while the resource does not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from hl7_bridge.mapping.model import Resource
from hl7_bridge.ports import ANCHOR, FOLLOW_UP, STAMP, FollowUp
from hl7_bridge.record.merged import MERGEABLE
from hl7_bridge.record.node import Name, Node
from hl7_bridge.record.provenance import Source, provenance
from resources.repository import Command, Create, Mark, Put, Repository

Row = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """A version that a message made."""

    name: Name
    version: int

    @property
    def reference(self) -> str:
        return f"{self.name}/_history/{self.version}"


class Prepared(NamedTuple):
    """What one message comes to, before it is stored."""

    made: tuple[Changed, ...]
    commands: tuple[Command, ...]
    stamped: tuple[Node, ...]
    stamps: tuple[Row, ...]
    anchors: tuple[Row, ...]
    follow_ups: tuple[FollowUp, ...]
    marks: tuple[Mark, ...]


def prepared(
    nodes: Iterable[Node],
    source: Source | None,
    marks: Sequence[Mark] = (),
    follow_ups: Sequence[FollowUp] = (),
    extra: Sequence[Create] = (),
) -> Prepared:
    """What changed in ``nodes``; ``extra`` resources go along when anything did.

    Without ``source`` the versions keep theirs and no Provenance is made.
    """
    known = sorted(nodes, key=lambda node: node.name)
    changed = [node for node in known if node.is_changed]
    commands: list[Command] = [_put(node, source) for node in changed]
    made = [Changed(node.name, node.version + 1) for node in changed]
    if changed:
        commands += [*extra, *map(Create, _provenances(source, made))]
    written = set(changed)
    # Of what changed or was stated anew; and that who is referred to is still who it was.
    stamped = [node for node in known if node in written or node.is_restamped or _is_bare(node, commands)]
    anchors = [node for node in known if commands and node.name.type in MERGEABLE and node not in stamped]
    return Prepared(
        tuple(made),
        tuple(commands),
        tuple(stamped),
        tuple((*n.name, _stamped_version(n, written), n.revision + 1, n.standing.dump()) for n in stamped),
        tuple((*node.name, node.revision) for node in anchors),
        tuple(follow_ups),
        tuple(marks),
    )


def store(repository: Repository, several: Sequence[Prepared]) -> None:
    """All of ``several`` in one commit, or nothing. Raises Conflict and PreconditionFailed when anything was changed by
    others since it was read, and what Repository.commit raises besides."""
    commands = [command for each in several for command in each.commands]
    stamps = [row for each in several for row in each.stamps]
    anchors = list(dict.fromkeys(row for each in several for row in each.anchors))
    marks = [_rows(name, rows) for name, rows in ((STAMP, stamps), (ANCHOR, anchors)) if rows]
    marks += _follow_ups([follow_up for each in several for follow_up in each.follow_ups])
    marks += [mark for each in several for mark in each.marks]
    if commands or marks:
        repository.commit(commands, marks)


def commit(
    repository: Repository, nodes: Iterable[Node], source: Source | None, marks: Sequence[Mark] = ()
) -> list[Changed]:
    """Store what changed in ``nodes``, as `prepared` and `store` have it; what each version came to."""
    one = prepared(nodes, source, marks)
    store(repository, [one])
    return list(one.made)


def _put(node: Node, source: Source | None) -> Put:
    name = node.name
    old = (node.found or {}).get("meta", {}).get("source")
    meta = {
        key: value for key, value in node.resource.get("meta", {}).items() if key not in ("versionId", "lastUpdated")
    }
    meta["source"] = source.uri if source else old
    resource = {**node.resource, "meta": {key: value for key, value in meta.items() if value}}
    if not node.is_new:
        return Put(resource, name.type, name.id, if_match=node.version)
    return Put(resource, name.type, name.id, identities=node.keys, if_none_match=True)


def _provenances(source: Source | None, made: Sequence[Changed]) -> list[Resource]:
    if source is None:
        return []
    by_operation = {
        "CREATE": [each.reference for each in made if each.version == 1],
        "UPDATE": [each.reference for each in made if each.version > 1],
    }
    return [provenance(source, operation, targets) for operation, targets in by_operation.items() if targets]


def _is_bare(node: Node, commands: Sequence[Command]) -> bool:
    """Whether others made it, so that there is nothing yet by which a merge of it could be noticed."""
    return bool(commands) and node.name.type in MERGEABLE and node.stamp is None


def _stamped_version(node: Node, written: set[Node]) -> int:
    if node in written:
        return node.version + 1
    if node.is_settled:
        return node.version
    return node.stamp.version if node.stamp else 0


def _follow_ups(wanted: Sequence[FollowUp]) -> list[Mark]:
    rows = [(each.kind, each.type, each.id, each.key, each.due) for each in wanted]
    return [Mark(FOLLOW_UP, {"rows": _json(rows)})] if rows else []


def _rows(name: str, rows: Sequence[Row]) -> Mark:
    return Mark(name, {"rows": _json(rows)}, rows=len(rows))


def _json(rows: Sequence[Row]) -> str:
    return msgspec.json.encode({str(n): row for n, row in enumerate(rows)}).decode()
