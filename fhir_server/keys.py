"""The server's secrets: one master key outside the database seals named, numbered keys inside it.

NIST SP 800-57 part 1 (hierarchy, rotation), AES-256-GCM (NIST SP 800-38D); docs/adr/keys-and-documents-at-rest.md.
"""

import base64
import binascii
import os
import re
import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from time import monotonic, time_ns
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from resources.errors import Unavailable

KEY_SIZE = 32
_NONCE = 12
_HEX = re.compile(r"[0-9A-Fa-f]{64}")


class KeyProblem(Exception):
    """The server cannot start or go on with the keys it has; the text says what to do."""


class KeyName(StrEnum):
    """The keys there are. INDEX hashes index terms (its rotation is a reindex), PAGE protects page links,
    AUDIT_CHAIN makes row hashes, AUDIT_SIGNING is the Ed25519 seed of checkpoints, AUDIT_SPOOL seals spool files,
    AT_REST seals patients' data keys, AUTHORIZATION token signing keys and TOTP seeds, HL7_JOURNAL HL7 v2 messages,
    VIDEO tickets, invitations and what is told of visits, OUTBOX letters to patients."""

    INDEX = "index"
    PAGE = "page"
    AUDIT_CHAIN = "audit-chain"
    AUDIT_SIGNING = "audit-signing"
    AUDIT_SPOOL = "audit-spool"
    AT_REST = "at-rest"
    AUTHORIZATION = "authorization"
    HL7_JOURNAL = "hl7-journal"
    VIDEO = "video"
    OUTBOX = "outbox"


@dataclass(frozen=True, slots=True)
class Key:
    """A secret of 32 bytes; ``id`` counts from 1 for each name, the highest id is the current one."""

    name: str
    id: int
    secret: bytes

    def __repr__(self) -> str:
        return f"Key({self.name!r}, {self.id})"


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A row of table ``key``: ``created`` in microseconds since 1970 UTC, ``sealed`` nonce and ciphertext."""

    name: str
    id: int
    created: int
    sealed: bytes


class KeyRows(Protocol):
    """Table ``key`` as the keyring sees it; both methods run in a transaction of their own."""

    def all_keys(self) -> Iterable[SealedKey]:
        """All rows."""
        ...

    def add_key(self, row: SealedKey) -> bool:
        """Insert ``row`` unless (name, id) exists; says whether it was inserted."""
        ...


class MasterKey:
    """The 32 bytes that seal all others. Never stored in the database, never logged."""

    __slots__ = ("_aead",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_SIZE:
            raise KeyProblem(f"The master key has {len(secret)} bytes; it must have {KEY_SIZE}.")
        self._aead = AESGCM(secret)

    @classmethod
    def load(cls, setting: str, folder: Path) -> "MasterKey":
        """From ``setting`` (HEARTH_MASTER_KEY) when given, else from ``folder/master.key``, made on first use.

        Raises KeyProblem when either is malformed or the file is readable by others.
        """
        return cls(parse_secret(setting, "HEARTH_MASTER_KEY") if setting else _file_secret(folder / "master.key"))

    def seal(self, name: str, id: int, secret: bytes) -> bytes:
        """Nonce (12 bytes) and AES-256-GCM ciphertext of ``secret``, bound to ``name`` and ``id``."""
        nonce = os.urandom(_NONCE)
        return nonce + self._aead.encrypt(nonce, secret, _label(name, id))

    def open(self, name: str, id: int, sealed: bytes) -> bytes:
        """The secret. Raises KeyProblem when this master key did not seal it under this name and id."""
        try:
            return self._aead.decrypt(sealed[:_NONCE], sealed[_NONCE:], _label(name, id))
        except (InvalidTag, ValueError):
            raise KeyProblem(
                f"The master key does not open the stored key {name}/{id}. Start with the master key this database "
                "was made with (HEARTH_MASTER_KEY, or keys/master.key in its data folder)."
            ) from None


def _label(name: str, id: int) -> bytes:
    return f"hearth key\0{name}\0{id}".encode()


def parse_secret(text: str, source: str) -> bytes:
    """32 bytes written as 64 hex digits or as base64 (either alphabet). Raises KeyProblem that names ``source``."""
    text = text.strip()
    if _HEX.fullmatch(text):
        return bytes.fromhex(text)
    try:
        secret = base64.b64decode(text.translate({45: 43, 95: 47}) + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != KEY_SIZE:
        raise KeyProblem(f"{source} must be 32 random bytes in hex or base64, such as `openssl rand -hex 32`.")
    return secret


def _file_secret(path: Path) -> bytes:
    """The secret in ``path``; several processes that start at once end with the same file."""
    if not path.exists():
        _create_secret(path)
    if path.stat().st_mode & 0o077:
        raise KeyProblem(f"{path} may be read by others; run `chmod 600 {path}`.")
    return parse_secret(path.read_text("ascii", "replace"), str(path))


def _create_secret(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_hex(KEY_SIZE).encode() + b"\n")
        os.fsync(descriptor)
        os.link(draft, path)  # a link never replaces: the first process wins, whole or not at all
    except FileExistsError:
        pass
    finally:
        os.close(descriptor)
        os.unlink(draft)


class Keyring:
    """All keys, opened. Safe for threads and processes; a key is made the first time it is asked for.

    Keys rotated by another process are seen within ``refresh`` seconds, at once when one is asked for by id.
    """

    def __init__(self, master: MasterKey, rows: KeyRows, refresh: float = 60.0) -> None:
        """Opens every stored key. Raises KeyProblem for the wrong master key."""
        self._master = master
        self._rows = rows
        self._refresh = refresh
        self._lock = threading.RLock()
        self._keys: dict[str, dict[int, Key]] = {}
        self._loaded = monotonic()
        self._load()

    def current(self, name: str) -> Key:
        """The newest key of ``name``, created when there is none."""
        if monotonic() - self._loaded > self._refresh:
            self._refreshed()
        known = self._keys.get(name)
        return known[max(known)] if known else self._create(name, 1)

    def by_id(self, name: str, id: int) -> Key:
        """The key ``id`` of ``name``. Raises KeyProblem when it never was."""
        key = self._keys.get(name, {}).get(id)
        if key is None:
            self._load()
            key = self._keys.get(name, {}).get(id)
        if key is None:
            raise KeyProblem(f"There is no key {name}/{id} in the database.")
        return key

    def all(self, name: str) -> list[Key]:
        """Every key of ``name``, oldest first (the verifier tries them in turn)."""
        self._load()
        return [key for _, key in sorted(self._keys.get(name, {}).items())]

    def rotate(self, name: str) -> Key:
        """Make the next key of ``name`` and use it from now on. The index key is not rotated: its hashes are stored."""
        if name == KeyName.INDEX:
            raise KeyProblem("The index key cannot be rotated; every index row is hashed with it.")
        self._load()
        return self._create(name, max(self._keys.get(name, {0: None})) + 1)

    def _create(self, name: str, id: int) -> Key:
        """Of several processes that create the same id one wins; all then hold the winner's key."""
        with self._lock:
            sealed = self._master.seal(name, id, secrets.token_bytes(KEY_SIZE))
            self._rows.add_key(SealedKey(name, id, time_ns() // 1000, sealed))
            self._load()
            return self._keys[name][id]

    def _refreshed(self) -> None:
        try:
            self._load()
        except Unavailable:  # the database is away: what is known goes on serving, the next try is a period later
            self._loaded = monotonic()

    def _load(self) -> None:
        with self._lock:
            keys: dict[str, dict[int, Key]] = {}
            for row in self._rows.all_keys():
                known = self._keys.get(row.name, {}).get(row.id)
                opened = known or Key(row.name, row.id, self._master.open(row.name, row.id, row.sealed))
                keys.setdefault(row.name, {})[row.id] = opened
            self._keys = keys
            self._loaded = monotonic()
