"""One spool file: a header, then one frame for each audit record; appended by its process, read by whoever drains it.

docs/adr/audit-chain.md. Header: magic, format (0 plain, 1 sealed), spool key id, salt. Frame: length, CRC-32, payload
(a MessagePack record, or nonce and AES-256-GCM ciphertext bound to header and frame number).
"""

import fcntl
import os
import secrets
import struct
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from zlib import crc32

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fhir_server.audit.chain import new_chain_id
from fhir_server.audit.record import AuditRecord
from fhir_server.keys import Key

HEADER = struct.Struct(">4sBI16s")
FRAME = struct.Struct(">II")
_MAGIC = b"HAS1"
_NONCE = 12
_CHUNK = 1 << 20

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(AuditRecord).decode


class DamagedSpool(Exception):
    """A frame that was written whole cannot be read any more."""


class SpoolFile:
    """An open, locked spool file. ``size`` is the end of its last whole frame, ``frames`` how many were appended here.

    ``chain`` and ``skip`` are what its name says: frame i becomes row ``i - skip + 1`` of the chain.
    """

    def __init__(self, path: Path, descriptor: int, header: bytes, key: Key | None) -> None:
        self.path = path
        self.chain, self.skip = _parsed(path)
        self.size = os.fstat(descriptor).st_size
        self.frames = 0
        self._fd = descriptor
        self._header = header
        self._aead = AESGCM(blake2b(header, digest_size=32, key=key.secret).digest()) if key else None

    @classmethod
    def create(cls, folder: Path, key: Key | None) -> "SpoolFile":
        """A new file of mode 0600 for a new chain; sealed when there is a ``key``."""
        path = folder / _name(new_chain_id(), 0)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        header = HEADER.pack(_MAGIC, 1 if key else 0, key.id if key else 0, secrets.token_bytes(16))
        os.write(descriptor, header)
        return cls(path, descriptor, header, key)

    @classmethod
    def adopt(cls, path: Path, key_by_id: Callable[[int], Key]) -> "SpoolFile | None":
        """The file of a dead process; None when it is alive or somebody else was faster. Raises DamagedSpool."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_ino != os.stat(path).st_ino:
                raise FileNotFoundError
            return cls._opened(path, descriptor, key_by_id)
        except (BlockingIOError, FileNotFoundError):
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise

    @classmethod
    def _opened(cls, path: Path, descriptor: int, key_by_id: Callable[[int], Key]) -> "SpoolFile":
        header = os.pread(descriptor, HEADER.size, 0)
        if len(header) < HEADER.size:  # died while making it: no record was ever in it
            return cls(path, descriptor, header, None)
        magic, form, key_id, _ = HEADER.unpack(header)
        if magic != _MAGIC or form > 1:
            raise DamagedSpool("header")
        return cls(path, descriptor, header, key_by_id(key_id) if form else None)

    def append(self, records: Sequence[AuditRecord], sync: bool = False) -> int:
        """Write ``records`` in one call; returns the bytes written. Raises OSError with nothing half written."""
        parts = bytearray()
        for index, record in enumerate(records, self.frames):
            payload = self._sealed(_pack(record), index)
            parts += FRAME.pack(len(payload), crc32(payload))
            parts += payload
        if os.write(self._fd, parts) != len(parts):
            os.ftruncate(self._fd, self.size)
            raise OSError("the spool's disk is full")
        if sync:
            os.fdatasync(self._fd)
        self.size += len(parts)
        self.frames += len(records)
        return len(parts)

    def read(self, offset: int, index: int, end: int) -> Iterator[tuple[AuditRecord, int]]:
        """Records from ``offset`` (that of frame ``index``; 0 is the first frame) up to ``end`` with the offset behind
        each. A torn last frame is a read that was never answered and ends the file. Raises DamagedSpool."""
        for number, (payload, behind) in enumerate(self._payloads(offset or HEADER.size, end), index):
            yield self._record(payload, number), behind

    def position(self, offset: int, frames: int) -> int:
        """The offset behind ``frames`` frames from ``offset``. Raises DamagedSpool when there are fewer."""
        passed = [offset or HEADER.size]
        passed.extend(behind for _, behind in islice(self._payloads(passed[0], self.size), frames))
        if len(passed) <= frames:
            raise DamagedSpool("fewer frames than are stored")
        return passed[-1]

    def _payloads(self, offset: int, end: int) -> Iterator[tuple[bytes, int]]:
        start, chunk = offset, b""
        while offset + FRAME.size <= end:
            at = offset - start
            if at + FRAME.size > len(chunk):
                start, chunk, at = offset, os.pread(self._fd, _CHUNK, offset), 0
            length, crc = FRAME.unpack_from(chunk, at)
            stop = at + FRAME.size + length
            if offset + FRAME.size + length > end:
                return
            if stop > len(chunk):
                start, chunk, at = offset, os.pread(self._fd, max(_CHUNK, FRAME.size + length), offset), 0
                stop = FRAME.size + length
            payload = chunk[at + FRAME.size : stop]
            if crc32(payload) != crc or not length:
                raise DamagedSpool(f"frame at {offset}")
            offset += FRAME.size + length
            yield payload, offset

    def _sealed(self, payload: bytes, index: int) -> bytes:
        if self._aead is None:
            return payload
        nonce = os.urandom(_NONCE)
        return nonce + self._aead.encrypt(nonce, payload, self._header + struct.pack(">Q", index))

    def _record(self, payload: bytes, index: int) -> AuditRecord:
        try:
            if self._aead is not None:
                label = self._header + struct.pack(">Q", index)
                payload = self._aead.decrypt(payload[:_NONCE], payload[_NONCE:], label)
            return _unpack(payload)
        except (InvalidTag, ValueError, msgspec.DecodeError):
            raise DamagedSpool(f"frame {index}") from None

    def rechain(self, skip: int) -> None:
        """Give the frames from ``skip`` on to a new chain, in one atomic step."""
        chain = new_chain_id()
        target = self.path.with_name(_name(chain, skip))
        os.rename(self.path, target)
        self.path, self.chain, self.skip = target, chain, skip

    def flush(self) -> None:
        """Have the disk hold what was written."""
        os.fdatasync(self._fd)

    def remove(self) -> None:
        """Everything is in the table: delete and unlock."""
        os.unlink(self.path)
        self.close()

    def set_aside(self) -> None:
        """Keep a damaged file for an inspection, out of the way."""
        os.rename(self.path, self.path.with_suffix(".damaged"))
        self.close()

    def close(self) -> None:
        """Unlock; the next process adopts it."""
        descriptor, self._fd = self._fd, -1  # its number may soon be somebody else's file
        os.close(descriptor)


def _name(chain: int, skip: int) -> str:
    return f"{chain:016x}-{skip}.spool"


def _parsed(path: Path) -> tuple[int, int]:
    chain, _, skip = path.stem.partition("-")
    return int(chain, 16), int(skip)
