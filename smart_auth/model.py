"""What the authorization server keeps and passes around: clients, people, sessions, approvals, tokens.

SMART App Launch 2.2 (https://hl7.org/fhir/smart-app-launch/), RFC 6749, OpenID Connect Core 1.0. All times are whole
seconds since 1970 UTC unless a field says otherwise; every ``*_hash`` is the SHA-256 (hex) of a secret that is itself
never stored.
"""

from enum import StrEnum
from typing import Any

import msgspec


class Clearance(StrEnum):
    """Up to which label of confidentiality staff and services see and change what carries one: a code of
    http://terminology.hl7.org/CodeSystem/v3-Confidentiality, of which the first holds the least."""

    NORMAL = "N"
    RESTRICTED = "R"
    VERY_RESTRICTED = "V"

    @property
    def words(self) -> str:
        """As people read and type it."""
        return self.name.lower().replace("_", "-")

    @classmethod
    def named(cls, words: str) -> "Clearance":
        """The one of these ``words``."""
        return next(one for one in cls if one.words == words)

    @classmethod
    def least(cls, *given: "Clearance") -> "Clearance":
        """What all of ``given`` allow."""
        return min(given, key=list(cls).index)


class ClientKind(StrEnum):
    """How a client proves itself: not at all, by a shared secret (HTTP Basic), by private_key_jwt."""

    PUBLIC = "public"
    SYMMETRIC = "symmetric"
    ASYMMETRIC = "asymmetric"


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """A registered app or service. ``scopes`` is what it may ask for at most, space separated.

    ``redirect_uris`` are compared whole; ``launch_uri`` is where an EHR starts it. Keys of an asymmetric client are
    ``jwks`` (a JWK Set as JSON) or live at ``jwks_uri``. ``backend`` allows client_credentials. ``trusted`` skips the
    consent page (the hospital's own apps). ``ehr`` may mint launch handles, ``introspects`` may introspect any token.
    ``clearance`` is changed by people.clearances alone: `Records.put_client` does not write it.
    """

    id: str
    name: str
    kind: ClientKind = ClientKind.PUBLIC
    secret_argon2: str = ""
    jwks: str = ""
    jwks_uri: str = ""
    redirect_uris: tuple[str, ...] = ()
    launch_uri: str = ""
    scopes: str = ""
    backend: bool = False
    trusted: bool = False
    ehr: bool = False
    introspects: bool = False
    disabled: bool = False
    created: int = 0
    clearance: Clearance = Clearance.NORMAL


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who logs in. ``login`` is folded to lower case and unique.

    ``fhir_user`` is a relative reference (``Practitioner/1``) or '' (then user/ scopes grant nothing); ``patient`` is
    the id of the only patient this person may see, '' for staff: their own for a Patient, that of
    RelatedPerson.patient for a RelatedPerson. ``totp`` is the sealed seed or empty. ``clearance`` is that of staff:
    whoever sees one patient alone sees what is labelled of it.
    """

    id: str
    login: str
    name: str
    fhir_user: str = ""
    patient: str = ""
    administrator: bool = False
    password_argon2: str = ""
    totp: bytes = b""
    disabled: bool = False
    created: int = 0
    clearance: Clearance = Clearance.NORMAL

    @property
    def staff(self) -> bool:
        """May see the whole record of the tenant, within scopes."""
        return self.fhir_user.startswith(("Practitioner/", "PractitionerRole/")) and not self.patient


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """A WebAuthn credential of a person."""

    credential_id: bytes
    person: str
    public_key: bytes
    sign_count: int
    name: str = ""
    created: int = 0


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A log-in of a browser. ``amr`` are RFC 8176 words (pwd, otp, hwk); ``csrf`` is bound into its forms."""

    session_hash: str
    person: str
    csrf: str
    amr: tuple[str, ...]
    created: int
    last_seen: int


class Context(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Launch context as the token response tells it; ``fhir_context`` as SMART's fhirContext."""

    patient: str = ""
    encounter: str = ""
    fhir_context: tuple[dict[str, Any], ...] = ()
    intent: str = ""
    need_patient_banner: bool | None = None
    smart_style_url: str = ""
    tenant: str = ""


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """A launch handle that an EHR minted: redeemed once, before ``expires``, by ``person`` in ``client`` when given."""

    launch_hash: str
    context: Context
    expires: int
    client: str = ""
    person: str = ""


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """What one person granted one client, or a backend client was given: the family that all its tokens belong to.

    ``scopes`` is the granted text; ``session_hash`` ties an online_access family to its log-in; ``last_used`` is when
    a token was last issued. A family with ``revoked`` set issues nothing and its tokens are refused.
    """

    id: str
    client: str
    scopes: str
    person: str = ""
    context: Context = Context()
    nonce: str = ""
    auth_time: int = 0
    amr: tuple[str, ...] = ()
    offline: bool = False
    session_hash: str = ""
    created: int = 0
    last_used: int = 0
    revoked: int = 0


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """An authorization code: redeemed once, by its client, with its redirect URI and verifier."""

    code_hash: str
    approval: str
    client: str
    redirect_uri: str
    challenge: str
    expires: int


class RefreshToken(msgspec.Struct, frozen=True, kw_only=True):
    """A refresh token of a family, used once; its use again revokes the family."""

    token_hash: str
    approval: str
    client: str
    expires: int


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """A token signing key: ``sealed`` is the private JWK sealed with the server's keyring. ``begins`` is when it became
    the one that signs, 0 while it waits for that (verifiers know it already). ``retired`` keys verify."""

    kid: str
    alg: str
    public_jwk: str
    sealed: bytes
    created: int
    begins: int = 0
    retired: int = 0


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a verified access token says (RFC 9068), all that a request is decided by: no database is asked.

    ``scope`` is the granted text. ``who`` names the person in audit rows (fhirUser or login; empty for a backend
    client). ``reach`` is what the person may see at all: ``all`` the whole record of the tenant, ``Patient/1`` that
    compartment, '' nothing. ``patient`` is the id of the patient in context. ``purpose`` is a PurposeOfUse code,
    ``BTG`` for a break-glass token, which sees whatever is labelled in its compartment. ``clearance`` is how much
    staff and services see of what is labelled.
    """

    jti: str
    family: str
    client: str
    scope: str
    expires: int
    issued: int
    subject: str
    who: str = ""
    reach: str = ""
    patient: str = ""
    encounter: str = ""
    purpose: str = ""
    tenant: int = 0
    clearance: Clearance = Clearance.NORMAL


class Event(StrEnum):
    """What the audit trail is told; the wiring maps each to an audit interaction."""

    LOGIN = "login"
    LOGIN_REFUSED = "login-refused"
    LOCKED = "locked"
    LOGOUT = "logout"
    CONSENT = "consent"
    CONSENT_REFUSED = "consent-refused"
    LAUNCH = "launch"
    TOKEN = "token"
    TOKEN_REFUSED = "token-refused"
    INTROSPECTION = "introspection"
    REVOKED = "revoked"
    REUSE = "reuse"
    BREAK_GLASS = "break-glass"
    CREDENTIAL_CHANGED = "credential-changed"
    PERSON_CHANGED = "person-changed"
    CLIENT_CHANGED = "client-changed"
    KEY_ROTATED = "key-rotated"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One thing for the audit trail. ``who`` is a fhirUser reference, login or client; no token text anywhere;
    ``detail`` is an OAuth error code, scope text or a reason; ``patient`` ``Patient/1`` or ''."""

    event: Event
    who: str = ""
    client: str = ""
    address: str = ""
    patient: str = ""
    detail: str = ""
    ok: bool = True
