"""Seals small secrets (private keys, TOTP seeds, messages) with a key of the keyring.

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
    """Meets smart_auth.ports.Sealer, with the key ``name``. What was sealed before its rotation still opens."""

    def __init__(self, keyring: Keyring, name: KeyName = KeyName.AUTHORIZATION) -> None:
        self._keyring, self._name = keyring, name

    def seal(self, purpose: str, secret: bytes) -> bytes:
        key = self._keyring.current(self._name)
        head, nonce = _ID.pack(key.id), os.urandom(_NONCE)
        return head + nonce + AESGCM(key.secret).encrypt(nonce, secret, self._label(purpose))

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """Raises KeyProblem for what was not sealed here for ``purpose``."""
        try:
            [id] = _ID.unpack_from(sealed)
            key = self._keyring.by_id(self._name, id)
            nonce, body = sealed[_ID.size : _ID.size + _NONCE], sealed[_ID.size + _NONCE :]
            return AESGCM(key.secret).decrypt(nonce, body, self._label(purpose))
        except (struct.error, InvalidTag, ValueError):
            raise KeyProblem(f"What is sealed as {purpose!r} does not open with the keys of this database.") from None

    def _label(self, purpose: str) -> bytes:
        return f"hearth {self._name}\0{purpose}".encode()
