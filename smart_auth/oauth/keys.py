"""What the protocol needs of the token signing keys; met by ``smart_auth.signing_keys``."""

from typing import Any, Protocol

from joserfc.jwk import RSAKey


class Keys(Protocol):
    """The signing keys, in memory."""

    def current(self) -> tuple[str, RSAKey]:
        """(kid, private key) that signs now."""
        ...

    def public(self, kid: str) -> RSAKey | None:
        """The key that verifies what ``kid`` signed; None for a kid that is not ours."""
        ...

    def jwks(self) -> dict[str, Any]:
        """The JWK Set of every key that verifies, public parts alone."""
        ...

    def rotate(self) -> str:
        """Another key signs from now on; its kid."""
        ...

    def withdraw(self, kid: str) -> None:
        """What ``kid`` signed is good no more (after a theft)."""
        ...
