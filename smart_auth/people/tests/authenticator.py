"""A WebAuthn authenticator in software: a real key that signs real authenticator data, to prove what is checked.

W3C Web Authentication Level 2, sections 6.1 (authenticator data) and 6.5 (attestation objects).
"""

import json
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


class Authenticator:
    """One credential. ``counter`` goes up with each use; ``flags`` and ``origin`` may be bent by a test."""

    def __init__(self, rp_id: str = "localhost", origin: str = "http://localhost:8080") -> None:
        self.rp_id, self.origin, self.counter = rp_id, origin, 1
        self.flags = PRESENT | VERIFIED
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)

    def _client_data(self, kind: str, challenge: bytes) -> bytes:
        return json.dumps({"type": kind, "challenge": text(challenge), "origin": self.origin}).encode()

    def _data(self, flags: int) -> bytes:
        return sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")

    def register(self, challenge: bytes) -> str:
        """What a browser answers to navigator.credentials.create, as JSON."""
        public = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: public.x.to_bytes(32, "big"), -3: public.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(cose)
        data = self._data(self.flags | ATTESTED) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client_data("webauthn.create", challenge)
        return self._answer({"attestationObject": attestation, "clientDataJSON": client})

    def log_in(self, challenge: bytes) -> str:
        """What a browser answers to navigator.credentials.get, as JSON."""
        self.counter += bool(self.counter)
        data, client = self._data(self.flags), self._client_data("webauthn.get", challenge)
        signature = self.key.sign(data + sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer({"authenticatorData": data, "clientDataJSON": client, "signature": signature})

    def _answer(self, response: dict[str, bytes]) -> str:
        parts = {name: text(value) for name, value in response.items()}
        return json.dumps({"id": text(self.id), "rawId": text(self.id), "type": "public-key", "response": parts})
