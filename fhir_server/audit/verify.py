"""Verification of the whole audit trail: every hash, every signature, and that nothing is missing.

45 CFR 164.312(c)(1) integrity; decision in docs/adr/audit-chain.md. Rows are streamed; memory holds one number and
hash for each chain.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fhir_server.audit.chain import genesis, row_hash
from fhir_server.audit.checkpoint import FIRST, link, opened, read_witness
from fhir_server.audit.record import AuditRow
from fhir_server.audit.trail import Head, Trail
from fhir_server.keys import KeyName, Keyring

_PAGE = 2000


@dataclass(frozen=True, slots=True)
class Problem:
    """The first bad place of a chain (``n`` is its first row that cannot be trusted), or of the checkpoints, where
    ``chain`` is 0 and ``n`` the checkpoint's number."""

    chain: int
    n: int
    text: str

    def __str__(self) -> str:
        place = f"chain {self.chain:016x} row {self.n}" if self.chain else f"checkpoint {self.n}"
        return f"{place}: {self.text}"


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at and what was found; ``problems`` is empty when the trail is whole.

    ``unsigned`` rows are younger than the last checkpoint: their hashes fit, their tail is not yet signed.
    """

    rows: int
    chains: int
    checkpoints: int
    unsigned: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        return not self.problems


def verify(trail: Trail, keyring: Keyring, witness: Path | None = None, most: int = 20) -> Report:
    """Check checkpoints first, rows second, so that rows written meanwhile do no harm. Stops at ``most`` problems."""
    heads, checkpoints, problems = _checkpoints(trail, keyring, witness)
    walk = _Walk(heads, [key.secret for key in keyring.all(KeyName.AUDIT_CHAIN)], problems)
    for row in _rows(trail):
        walk.step(row)
        if len(problems) >= most:
            break
    else:
        walk.end()
    return Report(walk.rows, walk.chains, checkpoints, walk.unsigned, tuple(problems[:most]))


def _checkpoints(trail: Trail, keyring: Keyring, witness: Path | None) -> tuple[dict[int, Head], int, list[Problem]]:
    """The last signed head of each chain, the number of checkpoints, and what is wrong with them."""
    heads: dict[int, Head] = {}
    problems: list[Problem] = []
    seen = read_witness(witness) if witness else None
    number, previous = 0, FIRST
    while rows := trail.checkpoints_after(number, 500):
        for row in rows:
            body = opened(row, keyring)
            if row.number != number + 1:
                problems.append(Problem(0, number + 1, "the checkpoint is missing"))
            elif body is None:
                problems.append(Problem(0, row.number, "the signature does not fit"))
            elif body.previous != previous:
                problems.append(Problem(0, row.number, "it does not follow the checkpoint before it"))
            number, previous = row.number, link(row)
            heads.update((head.chain, head) for head in body.heads) if body else None
            if seen and seen[0] == number and seen[1] != previous:
                problems.append(Problem(0, number, "it is not the checkpoint this node saw"))
    if seen and seen[0] > number:
        problems.append(Problem(0, number + 1, f"checkpoints up to {seen[0]} were seen and are missing"))
    return heads, number, problems


def _rows(trail: Trail) -> Iterator[AuditRow]:
    chain, n = -1, 0
    while rows := trail.rows_after(chain, n, _PAGE):
        yield from rows
        chain, n = rows[-1].chain, rows[-1].n


class _Walk:
    """Steps through the rows in the order (chain, n), one problem for each chain."""

    def __init__(self, heads: dict[int, Head], keys: list[bytes], problems: list[Problem]) -> None:
        self.rows = self.chains = self.unsigned = 0
        self._heads, self._keys, self._problems = heads, keys, problems
        self._key = keys[-1] if keys else b""
        self._chain, self._n, self._hash = -1, 0, b""
        self._signed: Head | None = None
        self._bad = False

    def step(self, row: AuditRow) -> None:
        self.rows += 1
        if row.chain != self._chain:
            self._close()
            self._begin(row)
        if self._bad:
            return
        if row.n != self._n + 1:
            self._found(self._n + 1, "the row is missing")
        elif row_hash(self._key, self._hash, row[:-1]) != row.hash:
            self._found(row.n, "the row is not what was recorded, or a row before it was replaced")
        else:
            self._n, self._hash = row.n, row.hash
            self._compare()

    def end(self) -> None:
        """After the last row: chains that are signed but have no row at all."""
        self._close()
        for head in self._heads.values():
            self._problems.append(Problem(head.chain, 1, f"the whole chain of {head.n} rows is missing"))

    def _begin(self, row: AuditRow) -> None:
        self.chains += 1
        self._chain, self._n, self._bad = row.chain, 0, False
        self._signed = self._heads.pop(row.chain, None)
        for key in self._keys:  # the chain key may have been rotated: the first row tells which one made this chain
            self._key, self._hash = key, genesis(key, row.chain)
            if row_hash(key, self._hash, row[:-1]) == row.hash:
                break

    def _compare(self) -> None:
        if self._signed is None or self._n > self._signed.n:
            self.unsigned += 1
        elif self._n == self._signed.n and self._hash != self._signed.hash:
            self._found(self._n, "the row is not the one that was signed")

    def _close(self) -> None:
        if not self._bad and self._signed is not None and self._n < self._signed.n:
            self._found(self._n + 1, f"rows up to {self._signed.n} were signed and are missing")

    def _found(self, n: int, text: str) -> None:
        self._bad = True
        self._problems.append(Problem(self._chain, n, text))
