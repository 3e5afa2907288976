"""Bearer secrets of people: cookies, one-time links, handles of forms. 256 random bits; only a hash is ever kept.

OWASP ASVS 5.0 V7.2.3, V9: a fast hash is enough because the secret has full entropy.
"""

import hashlib
import secrets


def fresh() -> str:
    """A new secret, 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of a secret: SHA-256, hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()
