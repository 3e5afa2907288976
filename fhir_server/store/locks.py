"""Which advisory locks a transaction takes so that a reference and the deletion of its target never both succeed.

FHIR R4 referential integrity (https://hl7.org/fhir/R4/http.html#transaction-integrity).

Referrers share a lock on each target, a deletion holds it alone; whoever comes second sees what the first committed.
The lock table is finite, so many targets are covered by SHARDS shared locks that deletions also take, and very many
deletions by the one gate that everybody shares. All keys are taken in ascending order: gate, shards, targets.
"""

from collections.abc import Collection, Iterable

SHARDS = 64
_SPACE = 1 << 62
_FINE = 1 << 40
GATE = _SPACE
CRITERIA_GATE = -1
MOST_CRITERIA = 256


def reference_locks(targets: Collection[int], deleted: Collection[int]) -> tuple[list[int], list[int]]:
    """(shared, alone) keys, each ascending, for new references to ``targets`` and deletions of ``deleted``, both given
    by the numbers of their lists (`Hasher.target`)."""
    if not targets and not deleted:
        return [], []
    if len(deleted) > SHARDS:
        return [], [GATE]
    exclusive = {*map(_shard, deleted), *map(_target, deleted)}
    common = {GATE, *(map(_shard, range(SHARDS)) if len(targets) > SHARDS else map(_target, targets))}
    return sorted(common - exclusive), sorted(exclusive)


def _shard(key: int) -> int:
    return _SPACE + 1 + key % SHARDS


def _target(key: int) -> int:
    return _SPACE | _FINE | key & (_SPACE - 1)


def criteria_locks(keys: Iterable[int], shared: Iterable[int]) -> tuple[list[int], list[bool]]:
    """Keys in ascending order, and for each whether it is held alone; instead of too many the gate, alone."""
    alone = {key & (_SPACE - 1) for key in keys}
    common = {key & (_SPACE - 1) for key in shared} - alone
    if len(alone) + len(common) > MOST_CRITERIA:
        return [CRITERIA_GATE], [True]
    ordered = sorted(alone | common)
    return [CRITERIA_GATE, *ordered], [False, *(key in alone for key in ordered)]
