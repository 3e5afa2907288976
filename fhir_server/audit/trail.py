"""The tables of the audit trail as the audit package sees them.

docs/adr/audit-chain.md; the SQL is in fhir_server/store/audit_sql.py.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from fhir_server.audit.record import AuditRow


class Head(NamedTuple):
    """The last row of a chain."""

    chain: int
    n: int
    hash: bytes


class CheckpointRow(NamedTuple):
    """A row of table ``audit_checkpoint``: ``number`` from 1 without gaps, ``recorded`` microseconds since 1970 UTC,
    ``key`` the id of the signing key, ``body`` what was signed (see checkpoint.py), ``signature`` Ed25519, 64 bytes."""

    number: int
    recorded: int
    key: int
    body: bytes
    signature: bytes


class Trail(Protocol):
    """Tables ``audit`` and ``audit_checkpoint`` on one session; every method is one transaction. Raises Unavailable."""

    def insert(self, rows: Sequence[AuditRow]) -> None:
        """All rows or none."""
        ...

    def head(self, chain: int) -> Head | None:
        """The last row of ``chain``."""
        ...

    def heads(self, since: int) -> list[Head]:
        """The last row of each chain whose id is not below ``since``."""
        ...

    def rows_after(self, chain: int, n: int, limit: int) -> list[AuditRow]:
        """Up to ``limit`` rows behind (chain, n), ordered by (chain, n)."""
        ...

    def checkpoints_after(self, number: int, limit: int) -> list[CheckpointRow]:
        """Up to ``limit`` checkpoints with a higher number, in order."""
        ...

    def last_checkpoint(self) -> CheckpointRow | None: ...

    def add_checkpoint(self, row: CheckpointRow) -> bool:
        """Insert unless the number exists; says whether it was inserted."""
        ...


OpenTrail = Callable[[], Trail]
"""Makes a trail for the calling thread; called once in each thread that needs one."""
