"""One commit of everything that changed: versions, stamps, follow-ups, Provenance, and the caller's mark.

FHIR R4 http.html#concurrency: each change names the version it was worked out from. Stamps have revisions of their own,
because they may change while the resource does not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from hl7_bridge.mapping.model import Resource
from hl7_bridge.ports import ANCHOR, FOLLOW_UP, STAMP, FollowUp
from hl7_bridge.record.merged import MERGEABLE
from hl7_bridge.record.node import Name, Node
from hl7_bridge.record.provenance import Source, provenance
from hl7_bridge.record.shelf import criteria
from resources.repository import Command, Create, Mark, Put, Repository


@dataclass(frozen=True, slots=True)
class Changed:
    """A version that a message made."""

    name: Name
    version: int

    @property
    def reference(self) -> str:
        return f"{self.name}/_history/{self.version}"


def commit(
    repository: Repository,
    nodes: Iterable[Node],
    source: Source | None,
    marks: Sequence[Mark] = (),
    follow_ups: Sequence[FollowUp] = (),
    extra: Sequence[Create] = (),
) -> list[Changed]:
    """Store what changed in ``nodes``; what each version came to. ``extra`` resources go along when anything did.

    Without ``source`` the versions keep theirs and no Provenance is made. Raises Conflict and PreconditionFailed when
    anything was changed by others since it was read, and what Repository.commit raises besides.
    """
    known = sorted(nodes, key=lambda node: node.name)
    changed = [node for node in known if node.is_changed]
    commands: list[Command] = [_put(node, source) for node in changed]
    made = [Changed(node.name, node.version + 1) for node in changed]
    if changed:
        commands += [*extra, *map(Create, _provenances(source, made))]
    all_marks = [*_stamps(known, changed, commands), *_follow_ups(follow_ups), *marks]
    if commands or all_marks:
        repository.commit(commands, all_marks)
    return made


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
    return Put(resource, name.type, name.id, criteria(node.keys) if node.keys else None, if_none_match=True)


def _provenances(source: Source | None, made: Sequence[Changed]) -> list[Resource]:
    if source is None:
        return []
    by_operation = {
        "CREATE": [each.reference for each in made if each.version == 1],
        "UPDATE": [each.reference for each in made if each.version > 1],
    }
    return [provenance(source, operation, targets) for operation, targets in by_operation.items() if targets]


def _stamps(nodes: Sequence[Node], changed: Sequence[Node], commands: Sequence[Command]) -> list[Mark]:
    """Of what changed or was stated anew; and that who is referred to is still who it was."""
    written = set(changed)
    stamped = [node for node in nodes if node in written or node.is_restamped or _is_bare(node, commands)]
    anchors = [node for node in nodes if commands and node.name.type in MERGEABLE and node not in stamped]
    rows = [[*node.name, _stamped_version(node, written), node.revision + 1, node.standing.dump()] for node in stamped]
    anchored = [[*node.name, node.revision] for node in anchors]
    return [_rows(name, each) for name, each in ((STAMP, rows), (ANCHOR, anchored)) if each]


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
    rows = [[each.kind, each.type, each.id, each.key, each.due] for each in wanted]
    return [Mark(FOLLOW_UP, {"rows": _json(rows)})] if rows else []


def _rows(name: str, rows: Sequence[Sequence[object]]) -> Mark:
    return Mark(name, {"rows": _json(rows)}, rows=len(rows))


def _json(rows: Sequence[Sequence[object]]) -> str:
    return msgspec.json.encode({str(n): row for n, row in enumerate(rows)}).decode()
