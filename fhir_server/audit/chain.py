"""The hash chain of audit rows: each row's hash covers the row and the hash of the row before it.

Integrity of the audit trail, ASTM E2147 and 45 CFR 164.312(c); decision in docs/adr/audit-chain.md.
"""

import secrets
import struct
from collections.abc import Sequence
from hashlib import blake2b
from time import time

import msgspec

from fhir_server.audit.record import AuditRecord, AuditRow

HASH_SIZE = 32
LIFETIME = 24 * 3600
"""Seconds a chain takes rows after its birth; checkpoints need only look at chains twice this young."""

_pack = msgspec.msgpack.Encoder().encode
_RANDOM_BITS = 28


def new_chain_id(now: float | None = None) -> int:
    """A positive 63-bit id: 35 bits of seconds since 1970, then 28 random bits, so ids sort by birth."""
    return int(time() if now is None else now) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)


def born(chain: int) -> int:
    """Second since 1970 in which the chain was made."""
    return chain >> _RANDOM_BITS


def oldest_open(now: float) -> int:
    """The smallest id of a chain that may still grow at second ``now``."""
    return (int(now) - 2 * LIFETIME) << _RANDOM_BITS


def genesis(key: bytes, chain: int) -> bytes:
    """What row 1 takes as the hash before it: 32 bytes that only the holder of ``key`` can make."""
    return blake2b(struct.pack(">q", chain), digest_size=HASH_SIZE, key=key).digest()


def row_hash(key: bytes, previous: bytes, columns: tuple[int | str, ...]) -> bytes:
    """Keyed BLAKE2b-256 over ``previous`` and the 15 columns as one MessagePack array (shortest forms)."""
    return blake2b(previous + _pack(columns), digest_size=HASH_SIZE, key=key).digest()


def link(key: bytes, chain: int, n: int, previous: bytes, record: AuditRecord) -> AuditRow:
    """``record`` as row ``n`` of ``chain``. Text no database can hold (NUL, lone surrogates) is replaced by U+FFFD."""
    columns = _columns(chain, n, record)
    try:
        packed = _pack(columns)
    except UnicodeEncodeError:
        return link(key, chain, n, previous, _storable(record))
    if "\0" in "".join(columns[7:]):  # type: ignore[arg-type]
        return link(key, chain, n, previous, _storable(record))
    digest = blake2b(previous + packed, digest_size=HASH_SIZE, key=key).digest()
    return AuditRow._make((*columns, digest))


def _columns(chain: int, n: int, r: AuditRecord) -> tuple[int | str, ...]:
    # _value_ is the plain member: enum subclasses of str would choose another parameter type in a driver
    action, interaction, outcome = r.action._value_, r.interaction._value_, r.outcome._value_
    who = (r.who, r.client, r.address, r.purpose, r.request, r.patient, r.entity, r.detail)
    return (chain, n, r.recorded, r.tenant, action, interaction, outcome, *who)


def _storable(record: AuditRecord) -> AuditRecord:
    texts = ("who", "client", "address", "purpose", "request", "patient", "entity", "detail")
    clean = {name: _clean(getattr(record, name)) for name in texts}
    return msgspec.structs.replace(record, **clean)


def _clean(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").replace("\0", "\ufffd")


class Chain:
    """One chain, owned by one thread. ``extend`` inside a transaction, then exactly one of ``accept`` (committed),
    ``discard`` (rolled back) or ``renew`` (the outcome of the commit is unknown)."""

    id: int
    _n: int
    _head: bytes
    _pending: tuple[int, bytes] | None
    __slots__ = ("_head", "_key", "_n", "_pending", "id")

    def __init__(self, key: bytes) -> None:
        """``key``: the secret of the keyring's ``audit-chain`` key (16 to 64 bytes)."""
        self._key = key
        self.renew()

    def extend(self, records: Sequence[AuditRecord]) -> list[AuditRow]:
        """Rows for ``records`` behind everything extended so far; nothing is kept before ``accept``."""
        if self._pending is None and time() - born(self.id) > LIFETIME:
            self.renew()
        n, head = self._pending or (self._n, self._head)
        rows = []
        for record in records:
            n += 1
            row = link(self._key, self.id, n, head, record)
            head = row.hash
            rows.append(row)
        self._pending = (n, head)
        return rows

    def accept(self) -> None:
        """The transaction is committed: the next rows follow the extended ones."""
        if self._pending is not None:
            self._n, self._head = self._pending
            self._pending = None

    def discard(self) -> None:
        """The transaction is rolled back: the same numbers will be given again."""
        self._pending = None

    def renew(self) -> None:
        """Start a new chain, because nobody knows whether the last rows are stored."""
        self.id = new_chain_id()
        self._n, self._head = 0, genesis(self._key, self.id)
        self._pending = None
