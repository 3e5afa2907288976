"""An authorization request as an app makes it, checked: PKCE with S256, state and aud for everybody.

SMART App Launch 2.2 section 2.0.8, RFC 6749 section 4.1.1, RFC 7636, OpenID Connect Core 3.1.2.1.
"""

import re
from collections.abc import Callable, Iterable, Mapping

import msgspec

from smart_auth.errors import OAuthError
from smart_auth.model import Context
from smart_auth.oauth.refused import RefusedPage

_CHALLENGE = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)
_PROMPTS = frozenset({"none", "login", "consent", "select_account"})
_LONGEST = 16_384  # characters of one parameter
_MAX_AGE = re.compile(r"[0-9]{1,9}", re.ASCII)

Params = Mapping[str, str]


class AuthorizationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What an app asked for, checked, and what was chosen since. ``scope`` is what it asked for within what it may
    ask for; ``begun`` when; ``person`` the only one who may go on (of a launch handle) or ''; ``encounter_asked``
    once an encounter was chosen or left out."""

    client: str
    redirect_uri: str
    state: str
    scope: str
    challenge: str
    begun: int
    nonce: str = ""
    prompt: tuple[str, ...] = ()
    max_age: int | None = None
    context: Context = Context()
    person: str = ""
    encounter_asked: bool = False

    @property
    def scopes(self) -> list[str]:
        return self.scope.split()


def single(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Parameters as one text each. Raises RefusedPage when one comes twice or is too long: what is ambiguous is not
    redirected either (RFC 6749 section 3.1)."""
    params: dict[str, str] = {}
    for name, value in pairs:
        if name in params:
            raise RefusedPage("invalid_request", f"The parameter {_printable(name)} comes more than once.")
        if len(value) > _LONGEST:
            raise RefusedPage("invalid_request", f"The parameter {_printable(name)} is too long.")
        params[name] = value
    return params


def _printable(name: str) -> str:
    return re.sub(r"[^a-z0-9_]", "", name)[:40]


def check(params: Params, base: str) -> None:
    """Everything that is told to the app by redirect. Raises OAuthError."""
    for wrong, error, description in _RULES:
        if wrong(params):
            raise OAuthError(error, description)
    if params.get("aud") not in (base, base + "/"):
        raise OAuthError("invalid_request", f"The parameter aud must be the address of this FHIR server: {base}")


def prompts(params: Params) -> tuple[str, ...]:
    """The words of ``prompt``. Raises OAuthError for an unknown one and for none together with another."""
    words = tuple(params.get("prompt", "").split())
    if not _PROMPTS.issuperset(words) or ("none" in words and len(words) > 1):
        raise OAuthError("invalid_request", "The parameter prompt is one of login, consent, select_account or none.")
    return words


def max_age(params: Params) -> int | None:
    """Seconds since the log-in at most, None for any. Raises OAuthError for what is no number."""
    text = params.get("max_age", "")
    if text and not _MAX_AGE.fullmatch(text):
        raise OAuthError("invalid_request", "The parameter max_age is a number of seconds.")
    return int(text) if text else None


_Rule = tuple[Callable[[Params], bool], str, str]
_RULES: tuple[_Rule, ...] = (
    (lambda params: "request" in params, "request_not_supported", "Request objects are not supported."),
    (lambda params: "request_uri" in params, "request_uri_not_supported", "Request objects are not supported."),
    (lambda params: not params.get("response_type"), "invalid_request", "The parameter response_type is missing."),
    (
        lambda params: params.get("response_type") != "code",
        "unsupported_response_type",
        "The parameter response_type must be code.",
    ),
    (
        lambda params: params.get("response_mode", "query") != "query",
        "invalid_request",
        "The parameter response_mode must be query.",
    ),
    (
        lambda params: params.get("code_challenge_method") != "S256",
        "invalid_request",
        "PKCE is required: the parameter code_challenge_method must be S256.",
    ),
    (
        lambda params: not _CHALLENGE.fullmatch(params.get("code_challenge", "")),
        "invalid_request",
        "PKCE is required: the parameter code_challenge must be 43 to 128 unreserved characters.",
    ),
    (lambda params: "system/" in params.get("scope", ""), "invalid_scope", "system/ scopes are for backend services."),
)
