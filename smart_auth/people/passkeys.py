"""Passkeys: registration and log-in with discoverable WebAuthn credentials, user verification required.

W3C Web Authentication Level 2, sections 7.1 and 7.2. The relying party id is the issuer's host.
"""

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec
import webauthn
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from smart_auth.errors import LoginRefused
from smart_auth.model import Passkey, Person
from smart_auth.ports import Records

RP_NAME = "Hearth"
REQUIRED = UserVerificationRequirement.REQUIRED


# What a hostile answer makes the parsers of JSON and CBOR raise.
_MALFORMED = (WebAuthnException, ValueError, KeyError, TypeError, IndexError, EOFError, RecursionError)


class Passkeys:
    """The two ceremonies. Challenges are kept by the caller, bound to the browser and used once."""

    def __init__(self, records: Records, issuer: str, now: Callable[[], int]) -> None:
        self._records, self._now = records, now
        parts = urlsplit(issuer)
        self.rp_id = parts.hostname or ""
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.available = _usable(parts.scheme, self.rp_id)

    def ask_registration(self, person: Person) -> tuple[str, bytes]:
        """(options as JSON for the browser, challenge)."""
        options = webauthn.generate_registration_options(
            rp_id=self.rp_id,
            rp_name=RP_NAME,
            user_id=person.id.encode(),
            user_name=person.login,
            user_display_name=person.name,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=REQUIRED
            ),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(id=key.credential_id) for key in self._records.passkeys(person.id)
            ],
        )
        return webauthn.options_to_json(options), options.challenge

    def register(self, person: Person, answer: str, challenge: bytes, name: str) -> Passkey:
        """Stores the new passkey. Raises LoginRefused when the browser's answer does not hold."""
        try:
            verified = webauthn.verify_registration_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self.rp_id,
                expected_origin=self.origin,
                require_user_verification=True,
            )
        except _MALFORMED as error:
            raise LoginRefused("The passkey could not be added. Please try again.") from error
        if self._records.passkey(verified.credential_id):
            raise LoginRefused("This passkey is in use already.")
        passkey = Passkey(
            credential_id=verified.credential_id,
            person=person.id,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
            name=name,
            created=self._now(),
        )
        self._records.put_passkey(passkey)
        return passkey

    def ask_login(self) -> tuple[str, bytes]:
        """(options as JSON, challenge): no credential is named, so nothing tells who has one."""
        options = webauthn.generate_authentication_options(rp_id=self.rp_id, user_verification=REQUIRED)
        return webauthn.options_to_json(options), options.challenge

    def log_in(self, answer: str, challenge: bytes) -> Person:
        """Whose passkey signed the challenge. Raises LoginRefused, with the same words whatever was wrong."""
        try:
            passkey = self._records.passkey(_credential_id(answer))
            if passkey is None:
                raise LoginRefused(REFUSED)
            self._verify(passkey, answer, challenge)
        except _MALFORMED as error:
            raise LoginRefused(REFUSED) from error
        person = self._records.person(passkey.person)
        if person is None or person.disabled:
            raise LoginRefused(REFUSED)
        return person

    def _verify(self, passkey: Passkey, answer: str, challenge: bytes) -> None:
        verified = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=self.rp_id,
            expected_origin=self.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
        # Passkeys that are synchronised between devices keep no counter: theirs stays 0 for ever.
        counts = verified.new_sign_count or passkey.sign_count
        if counts and not self._records.advance_passkey(
            passkey.credential_id, passkey.sign_count, verified.new_sign_count
        ):
            raise LoginRefused(REFUSED)


REFUSED = "Log-in with a passkey did not succeed. Please try again or use your password."


class _Answer(msgspec.Struct):
    id: str


def _credential_id(answer: str) -> bytes:
    return base64url_to_bytes(msgspec.json.decode(answer, type=_Answer).id)


def _usable(scheme: str, host: str) -> bool:
    """Browsers allow passkeys for domain names on https, and for localhost; never for a bare IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return scheme == "https" or host == "localhost"
    return False
