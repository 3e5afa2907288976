"""Stored documents: a format byte, then the document plain or sealed with its patient's own key.

AES-256-GCM (NIST SP 800-38D), erasure as of NIST SP 800-88 section 2.5; docs/adr/keys-and-documents-at-rest.md.
"""

import os
import struct
import threading
from collections.abc import Collection
from dataclasses import dataclass
from secrets import randbits, token_bytes
from time import monotonic
from typing import Generic, Protocol, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fhir_server.keys import KEY_SIZE, KeyName, Keyring
from resources.errors import Gone, Unavailable

PLAIN = 0x00
ENVELOPE = 0x01
_PLAIN = b"\x00"
_HEAD = struct.Struct(">Bq")  # format byte, data key id
_KEK = struct.Struct(">I")
_NONCE = 12
_BODY = _HEAD.size + _NONCE

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class PatientKey:
    """A row of table ``patient_key``: ``sealed`` is the data key under the at-rest key, empty once destroyed.

    ``id`` is a random positive 63-bit number; ``subject`` is ``Patient/1``, or '' for what belongs to no patient.
    """

    id: int
    tenant: int
    subject: str
    sealed: bytes


class PatientKeyRows(Protocol):
    """Table ``patient_key``, on the calling thread's session and inside its open transaction when there is one."""

    def by_id(self, id: int) -> PatientKey | None: ...

    def by_subject(self, tenant: int, subject: str) -> PatientKey | None: ...

    def add(self, row: PatientKey) -> None:
        """Insert ``row`` unless (tenant, subject) has one; waits for a concurrent insert to end."""
        ...

    def destroy(self, tenant: int, subject: str, id: int) -> None:
        """Overwrite ``sealed`` with nothing; a row ``id`` with an empty ``sealed`` is added when there is none."""
        ...

    def in_transaction(self) -> bool:
        """Whether the thread's session has a transaction open."""
        ...


class Sealer(Protocol):
    """What the store calls for each document it writes or reads."""

    def seal(self, doc: bytes, subject: str, tenant: int = 0) -> bytes:
        """What is stored for ``doc``; ``subject`` is its main patient reference (``Patient/1``) or ''.

        Raises Gone when the patient's key was destroyed.
        """
        ...

    def ready(self, subjects: Collection[str], tenant: int = 0) -> None:
        """To be called in a transaction before any row is locked, with all that it will seal documents for."""
        ...

    def open(self, stored: bytes) -> bytes:
        """The document again. Raises Gone when its key was destroyed."""
        ...


class PlainSealer:
    """For stores without a keyring: documents stand as they are behind the format byte; a sealed one is refused."""

    def seal(self, doc: bytes, subject: str, tenant: int = 0) -> bytes:
        return _PLAIN + doc

    def ready(self, subjects: Collection[str], tenant: int = 0) -> None:
        """Nothing to do."""

    def open(self, stored: bytes) -> bytes:
        if stored[0] != PLAIN:
            raise Unavailable("This document is encrypted; start the server with the keyring it was written with.")
        return stored[1:]


class Envelope:
    """AT_REST=envelope, and the reader of stores that hold both kinds.

    Data keys are cached for ``ttl`` seconds, so an erasure reaches every process within that time. A key made in a
    transaction is used only in that transaction until it is committed: a document never outlives a key rolled back.
    """

    def __init__(
        self, keyring: Keyring, rows: PatientKeyRows, *, encrypt: bool = True, ttl: float = 60.0, limit: int = 20_000
    ) -> None:
        """``encrypt`` False writes plain documents but still reads sealed ones; ``limit`` is the keys cached."""
        self._keyring = keyring
        self._rows = rows
        self._encrypt = encrypt
        self._ttl = ttl
        self._limit = limit
        self._by_subject: _Cache[tuple[int, str], tuple[bytes, AESGCM]] = _Cache(limit, ttl)
        self._by_id: _Cache[int, AESGCM] = _Cache(limit, ttl)
        self._local = threading.local()

    def seal(self, doc: bytes, subject: str, tenant: int = 0) -> bytes:
        """Format byte, key id, nonce and AES-256-GCM ciphertext, the first two authenticated; 37 bytes longer."""
        if not self._encrypt:
            return _PLAIN + doc
        head, aead = self._by_subject.get((tenant, subject)) or self._subject_key(tenant, subject)
        nonce = os.urandom(_NONCE)
        return head + nonce + aead.encrypt(nonce, doc, head)

    def ready(self, subjects: Collection[str], tenant: int = 0) -> None:
        """Make the keys that ``subjects`` lack, in sorted order: two transactions that both make keys for the same
        patients wait for each other, but never crosswise."""
        for subject in sorted(subjects) if self._encrypt else ():
            if self._by_subject.get((tenant, subject)) is None:
                self._subject_key(tenant, subject)

    def open(self, stored: bytes) -> bytes:
        """The document of either format. Raises Gone (key destroyed), Unavailable (damaged)."""
        if stored[0] == PLAIN:
            return stored[1:]
        if stored[0] != ENVELOPE or len(stored) < _BODY:
            raise Unavailable("A stored document has an unknown format; this server is older than its database.")
        head = stored[: _HEAD.size]
        id = _HEAD.unpack(head)[1]
        try:
            return (self._by_id.get(id) or self._id_key(id)).decrypt(stored[_HEAD.size : _BODY], stored[_BODY:], head)
        except InvalidTag:
            raise Unavailable("A stored document is damaged: its authentication tag does not match.") from None

    def destroy(self, tenant: int, subject: str) -> None:
        """Erase: forget the data key of ``subject`` for good. Its sealed documents, backups too, become unreadable."""
        self._rows.destroy(tenant, subject, randbits(63))
        self._by_subject.clear()
        self._by_id.clear()

    def _subject_key(self, tenant: int, subject: str) -> tuple[bytes, AESGCM]:
        mine, open_transaction = self._mine(), self._rows.in_transaction()
        if not open_transaction:
            mine.clear()
        row = self._rows.by_subject(tenant, subject) or self._made(tenant, subject, mine)
        head, aead = _HEAD.pack(ENVELOPE, row.id), self._by_id.get(row.id) or self._by_id.put(row.id, self._aead(row))
        if open_transaction and row.id in mine:
            return head, aead  # perhaps not committed yet: asked for again with the next document
        return self._by_subject.put((tenant, subject), (head, aead))

    def _made(self, tenant: int, subject: str, mine: set[int]) -> PatientKey:
        """The row of a new key, or that of whoever was faster."""
        made = self._new_key(tenant, subject)
        mine.add(made.id)
        self._rows.add(made)
        row = self._rows.by_subject(tenant, subject)
        if row is None:
            raise Unavailable("A data key could not be stored; try again.")
        return row

    def _mine(self) -> set[int]:
        """Ids of keys that this thread made and that may belong to its open transaction."""
        mine: set[int] = self._local.__dict__.setdefault("mine", set())
        return mine

    def _id_key(self, id: int) -> AESGCM:
        row = self._rows.by_id(id)
        if row is None:
            raise Unavailable("A stored document names a data key that the database does not hold.")
        return self._by_id.put(id, self._aead(row))

    def _aead(self, row: PatientKey) -> AESGCM:
        """The cipher of the opened data key. Raises Gone, KeyProblem."""
        if not row.sealed:
            raise Gone("The key of this patient's record was destroyed; nothing of it can be read or written.")
        kek = self._keyring.by_id(KeyName.AT_REST, _KEK.unpack(row.sealed[: _KEK.size])[0])
        nonce, sealed = row.sealed[_KEK.size : _KEK.size + _NONCE], row.sealed[_KEK.size + _NONCE :]
        label = _label(row.id, row.tenant, row.subject)
        try:
            return AESGCM(AESGCM(kek.secret).decrypt(nonce, sealed, label))
        except InvalidTag:
            raise Unavailable("A patient's data key is damaged: it does not open with the at-rest key.") from None

    def _new_key(self, tenant: int, subject: str) -> PatientKey:
        kek = self._keyring.current(KeyName.AT_REST)
        id, nonce = randbits(63) or 1, os.urandom(_NONCE)
        sealed = AESGCM(kek.secret).encrypt(nonce, token_bytes(KEY_SIZE), _label(id, tenant, subject))
        return PatientKey(id, tenant, subject, _KEK.pack(kek.id) + nonce + sealed)


def _label(id: int, tenant: int, subject: str) -> bytes:
    return f"hearth data key\0{id}\0{tenant}\0{subject}".encode()


class _Cache(Generic[K, V]):
    """A dict that forgets everything after ``ttl`` seconds and its oldest entry beyond ``limit``."""

    def __init__(self, limit: int, ttl: float) -> None:
        self._limit = limit
        self._ttl = ttl
        self._items: dict[K, V] = {}
        self._until = monotonic() + ttl
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        if monotonic() > self._until:
            self.clear()
        return self._items.get(key)

    def put(self, key: K, value: V) -> V:
        with self._lock:
            if len(self._items) >= self._limit:
                del self._items[next(iter(self._items))]
            self._items[key] = value
        return value

    def clear(self) -> None:
        with self._lock:
            self._items = {}
            self._until = monotonic() + self._ttl
