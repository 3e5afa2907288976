"""A recording on the disk: sealed piece by piece as it is written, readable up to the last whole piece after a crash.

AES-256-GCM (NIST SP 800-38D) with a key for each recording, which the keyring seals; the counter of the pieces is the
nonce, so none can be lost, doubled or moved without being seen. Whoever writes holds a lock that ends with its process.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from video.errors import Refused
from video.ports import Captured, Recording, Sealer

SUFFIX, _BEGUN = ".recording", ".begun"
_MAGIC = b"hearth recording 1\n"
_MORE, _LAST = b"more", b"last"


class Head(msgspec.Struct, frozen=True):
    """``clock`` is the event loop's (s) when the recording began."""

    key: bytes
    recording: Recording
    clock: float


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """What came between two looks at the consents."""

    packets: list[Captured]


class Damaged(Exception):
    """A file that is no recording of this server, or one of which nothing can be read."""


def forget_begun(folder: Path) -> None:
    """Those of which a crash left not even the head; for the one process that writes there, before it does."""
    for path in folder.glob("*" + _BEGUN):
        path.unlink()


def name_of(recording: Recording) -> str:
    return f"{recording.room}.{recording.number}"


class Vault:
    """One recording that is being written; not from two threads at once. Raises OSError."""

    def __init__(self, folder: Path, sealer: Sealer, recording: Recording, clock: float) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key, self._pieces = AESGCM.generate_key(256), 0
        self._aes = AESGCM(key)
        name = name_of(recording)
        begun = folder / (name + _BEGUN)
        self._file = os.fdopen(os.open(begun, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        head = sealer.seal(_purpose(name), msgspec.msgpack.encode(Head(key, recording, clock)))
        self._file.write(_MAGIC + len(head).to_bytes(4, "big") + head)
        self._file.flush()
        os.fsync(self._file.fileno())
        begun.rename(folder / (name + SUFFIX))

    def add(self, packets: Sequence[Captured], last: bool = False) -> None:
        body = msgspec.msgpack.encode(Piece(list(packets)))
        sealed = self._aes.encrypt(self._pieces.to_bytes(12, "big"), body, _LAST if last else _MORE)
        self._pieces += 1
        self._file.write(len(sealed).to_bytes(4, "big") + sealed)
        self._file.flush()

    def close(self) -> None:
        """Whole, and free for who brings it into the record."""
        self.add((), last=True)
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> None:
        """As it is; what was written counts."""
        self._file.close()


class Finished:
    """A recording that nobody writes any more."""

    def __init__(self, path: Path, file: BinaryIO, head: Head) -> None:
        self.path, self.head, self._file = path, head, file
        self.whole = False

    def packets(self) -> Iterator[Captured]:
        """In the order in which they came, up to where it ends or is damaged; ``whole`` says so afterwards."""
        aes, number, begin = AESGCM(self.head.key), 0, self._file.tell()
        self.whole = False
        while (sealed := _piece(self._file)) is not None and not self.whole:
            body = _opened(aes, number, sealed, _MORE)
            if body is None:
                body = _opened(aes, number, sealed, _LAST)
                self.whole = body is not None
            if body is None:
                break
            number += 1
            yield from msgspec.msgpack.decode(body, type=Piece).packets
        self._file.seek(begin)

    def erase(self) -> None:
        self.path.unlink(missing_ok=True)
        self._file.close()

    def close(self) -> None:
        self._file.close()


def finished(folder: Path, sealer: Sealer) -> Iterator[Finished]:
    """Those in ``folder`` that nobody writes, each locked until it is closed. What cannot be read is put aside."""
    for path in sorted(folder.glob("*" + SUFFIX)):
        file = path.open("rb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield Finished(path, file, _head(file, path.name.removesuffix(SUFFIX), sealer))
        except OSError:
            continue
        except Damaged:
            path.rename(path.with_suffix(".damaged"))
        finally:
            file.close()


def _head(file: BinaryIO, name: str, sealer: Sealer) -> Head:
    if file.read(len(_MAGIC)) != _MAGIC or (sealed := _piece(file)) is None:
        raise Damaged
    try:
        return msgspec.msgpack.decode(sealer.open(_purpose(name), sealed), type=Head)
    except (Refused, msgspec.MsgspecError):
        raise Damaged from None


def _piece(file: BinaryIO) -> bytes | None:
    length = int.from_bytes(file.read(4), "big")
    sealed = file.read(length)
    return sealed if length and len(sealed) == length else None


def _opened(aes: AESGCM, number: int, sealed: bytes, kind: bytes) -> bytes | None:
    try:
        return aes.decrypt(number.to_bytes(12, "big"), sealed, kind)
    except InvalidTag:
        return None


def _purpose(name: str) -> str:
    return f"visit recording {name}"
