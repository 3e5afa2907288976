"""Seals the authorization server's small secrets (private keys, TOTP seeds) with the keyring.

AES-256-GCM (NIST SP 800-38D): key id (4 bytes), nonce (12), ciphertext; the purpose is bound in as associated data.
"""

import os
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fhir_server.keys import KeyName, KeyProblem, Keyring

_ID = struct.Struct(">I")
_NONCE = 12


class KeyringSealer:
    """Meets smart_auth.ports.Sealer. What was sealed with a key before its rotation still opens."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def seal(self, purpose: str, secret: bytes) -> bytes:
        key = self._keyring.current(KeyName.AUTHORIZATION)
        head, nonce = _ID.pack(key.id), os.urandom(_NONCE)
        return head + nonce + AESGCM(key.secret).encrypt(nonce, secret, _label(purpose))

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """Raises KeyProblem for what was not sealed here for ``purpose``."""
        try:
            [id] = _ID.unpack_from(sealed)
            key = self._keyring.by_id(KeyName.AUTHORIZATION, id)
            nonce, body = sealed[_ID.size : _ID.size + _NONCE], sealed[_ID.size + _NONCE :]
            return AESGCM(key.secret).decrypt(nonce, body, _label(purpose))
        except (struct.error, InvalidTag, ValueError):
            raise KeyProblem(f"What is sealed as {purpose!r} does not open with the keys of this database.") from None


def _label(purpose: str) -> bytes:
    return f"hearth authorization\0{purpose}".encode()
