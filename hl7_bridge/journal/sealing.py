"""What the journal keeps of a message: its bytes, plain or sealed, and keyed hashes to find it by.

AES-256-GCM comes with the wiring; BLAKE2b (RFC 7693) keyed, so that nobody can guess a patient from the index.
"""

import hashlib
from typing import Protocol

from resources.errors import Unavailable

_PLAIN, _SEALED = b"\0", b"\1"


class Sealer(Protocol):
    """Encryption by the keyring."""

    def seal(self, purpose: str, secret: bytes) -> bytes: ...

    def open(self, purpose: str, sealed: bytes) -> bytes: ...


_PURPOSE = "hl7 message"


class Sealing:
    """``sealer`` None keeps new messages plain and opens only plain ones; ``encrypt`` False opens both kinds."""

    def __init__(self, key: bytes, sealer: Sealer | None = None, *, encrypt: bool = True) -> None:
        self._key, self._sealer, self._encrypt = key, sealer, encrypt and sealer is not None

    def seal(self, raw: bytes) -> bytes:
        """What is stored for ``raw``."""
        return b"".join(self.sealed(raw))

    def sealed(self, raw: bytes) -> tuple[bytes, bytes]:
        """The same in two pieces: what is plain is not copied."""
        if self._sealer is None or not self._encrypt:
            return _PLAIN, raw
        return _SEALED, self._sealer.seal(_PURPOSE, raw)

    def open(self, stored: bytes) -> bytes:
        """The bytes of the message. Raises Unavailable for what is sealed when there is no sealer."""
        return self.opened(stored[:1], stored[1:])

    def opened(self, kind: bytes, sealed: bytes) -> bytes:
        """The same of the two pieces: what is plain is not copied."""
        if kind == _PLAIN:
            return sealed
        if self._sealer is None:
            raise Unavailable("This message is encrypted; start the server with the keyring it was written with.")
        return self._sealer.open(_PURPOSE, sealed)

    def fingerprint(self, direction: str, sender: str, control_id: str, raw: bytes) -> bytes:
        """The same for the same bytes under the same control id from the same sender, and for nothing else."""
        state = hashlib.blake2b(key=self._key, digest_size=32, person=b"hl7 message")
        for part in (direction, sender, control_id):
            state.update(_framed(part))
        state.update(raw)
        return state.digest()

    def number(self, kind: str, text: str) -> int:
        """A signed 64-bit hash of ``text``: of a lane, a patient, an order."""
        state = hashlib.blake2b(_framed(kind) + _framed(text), key=self._key, digest_size=8, person=b"hl7 index")
        return int.from_bytes(state.digest(), "big", signed=True)


def _framed(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return len(data).to_bytes(4, "big") + data
