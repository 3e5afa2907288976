"""A trail in memory that keeps the promises of the real one, so that tests can tamper with it.

fhir_server/audit/trail.py; the tests of the store's own trail run on both databases.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

import pytest

from fhir_server.audit.record import AuditRow
from fhir_server.audit.trail import CheckpointRow, Head
from fhir_server.keys import Keyring, MasterKey, SealedKey
from resources.errors import Unavailable


class MemoryTrail:
    """Rows sorted by (chain, n); ``away`` makes the database unreachable, ``lost`` loses the answer of one insert."""

    def __init__(self, rows: Iterable[AuditRow] = (), checkpoints: Iterable[CheckpointRow] = ()) -> None:
        self.rows = sorted(rows)
        self.checkpoints = list(checkpoints)
        self.away = self.lost = False

    def insert(self, rows: Sequence[AuditRow]) -> None:
        self._reach()
        stored = {(row.chain, row.n) for row in self.rows}
        assert not stored & {(row.chain, row.n) for row in rows}, "a row was stored twice"
        self.rows = sorted([*self.rows, *rows])
        if self.lost:
            self.lost = False
            raise Unavailable("the connection broke at commit")

    def head(self, chain: int) -> Head | None:
        self._reach()
        return next((Head(r.chain, r.n, r.hash) for r in reversed(self.rows) if r.chain == chain), None)

    def heads(self, since: int) -> list[Head]:
        self._reach()
        return list({r.chain: Head(r.chain, r.n, r.hash) for r in self.rows if r.chain >= since}.values())

    def rows_after(self, chain: int, n: int, limit: int) -> list[AuditRow]:
        start = bisect_right(self.rows, (chain, n), key=lambda row: (row.chain, row.n))
        return self.rows[start : start + limit]

    def checkpoints_after(self, number: int, limit: int) -> list[CheckpointRow]:
        return [row for row in sorted(self.checkpoints) if row.number > number][:limit]

    def last_checkpoint(self) -> CheckpointRow | None:
        self._reach()
        return max(self.checkpoints, default=None)

    def add_checkpoint(self, row: CheckpointRow) -> bool:
        if any(known.number == row.number for known in self.checkpoints):
            return False
        self.checkpoints.append(row)
        return True

    def _reach(self) -> None:
        if self.away:
            raise Unavailable("the database is away")


class MemoryKeyRows:
    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], SealedKey] = {}

    def all_keys(self) -> list[SealedKey]:
        return list(self.rows.values())

    def add_key(self, row: SealedKey) -> bool:
        return self.rows.setdefault((row.name, row.id), row) is row


@pytest.fixture
def keyring() -> Keyring:
    return Keyring(MasterKey(b"m" * 32), MemoryKeyRows())


@pytest.fixture
def memory_trail() -> type[MemoryTrail]:
    return MemoryTrail
