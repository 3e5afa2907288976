"""SMART scopes as a set: parse, cover, intersect, narrow, and write them back in the form that was asked.

SMART App Launch 2.2, Scopes and Launch Context (https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html);
scope-token of RFC 6749 section 3.3. What is malformed or unknown is set apart and grants nothing.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

import msgspec

from resources import definitions
from resources.errors import FhirError
from resources.search_param.compile import compile_param
from smart_auth.errors import OAuthError

LETTERS = "cruds"
V1: Mapping[str, str] = MappingProxyType({"read": "rs", "write": "cud", "*": "cruds"})
"""The permissions of SMART 1.0 as letters."""

CONTEXTS = ("patient", "user", "system")
SPECIAL = frozenset(
    {"openid", "fhirUser", "profile", "launch", "launch/patient", "launch/encounter", "offline_access", "online_access"}
)
MAX_CHARACTERS = 32_768
MAX_SCOPES = 500
MAX_GRANULAR = 64
MAX_SCOPE = 2_000
"""A text beyond these grants nothing: no app needs it, and the work it makes must stay bounded. Different parameters
are what costs (MAX_GRANULAR of them): each is compared with each."""

_TOKEN = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")
_RESOURCE = re.compile(r"(patient|user|system)/(\*|[A-Z][A-Za-z]*)\.(read|write|\*|c?r?u?d?s?)(\?.*)?", re.DOTALL)
_LAUNCH = re.compile(r"launch/([a-z]+)(\?role=[^\s?&=%]+)?")
_V1_WORDS = {letters: word for word, letters in V1.items()}

Params = tuple[tuple[str, str], ...]


class ResourceScope(msgspec.Struct, frozen=True):
    """``context``/``type``.``permissions``?``params``; ``permissions`` in the order of ``cruds``, never empty.

    ``params`` must all be met; a value holds alternatives joined by ``,``. ``v1`` says that it was asked in the words
    of SMART 1.0 and is written so whenever they can say it.
    """

    context: str
    type: str
    permissions: str
    params: Params = ()
    v1: bool = False

    def __str__(self) -> str:
        v1_word = _V1_WORDS.get(self.permissions) if self.v1 and not self.params else None
        query = "&".join(f"{name}={value}" for name, value in self.params)
        return f"{self.context}/{self.type}.{v1_word or self.permissions}" + (f"?{query}" if query else "")


class Scopes(msgspec.Struct, frozen=True):
    """A set of scopes in the order asked, each once. ``malformed`` holds what was not understood; it is never written.

    ``str()`` is the scope text: what a token response and an Approval hold.
    """

    resources: tuple[ResourceScope, ...] = ()
    special: tuple[str, ...] = ()
    malformed: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((*self.special, *map(str, self.resources)))

    def __bool__(self) -> bool:
        """Whether it grants or asks anything."""
        return bool(self.resources or self.special)

    def has(self, special: str) -> bool:
        """Whether a scope such as ``openid`` or ``launch/patient`` is among them."""
        return special in self.special

    @property
    def contexts(self) -> frozenset[str]:
        """Which of patient, user and system are named."""
        return frozenset(scope.context for scope in self.resources)


NOTHING = Scopes()


def parse(text: str) -> Scopes:
    """The scopes of a space-separated text; never raises. Repeated ones count once."""
    if len(text) > MAX_CHARACTERS:
        return Scopes(malformed=(text[:MAX_SCOPE],))
    tokens = [token for token in dict.fromkeys(text.split(" ")) if token]
    queries = {token.partition("?")[2] for token in tokens if "?" in token}
    if len(tokens) > MAX_SCOPES or len(queries) > MAX_GRANULAR:
        return Scopes(malformed=(text[:MAX_SCOPE],))
    found = [(token, _scope(token)) for token in tokens]
    return Scopes(
        tuple(dict.fromkeys(scope for _, scope in found if isinstance(scope, ResourceScope))),
        tuple(scope for _, scope in found if isinstance(scope, str)),
        tuple(token for token, scope in found if scope is None),
    )


def _scope(token: str) -> ResourceScope | str | None:
    return _parsed(token) if len(token) <= MAX_SCOPE else None


@lru_cache(maxsize=4096)
def _parsed(token: str) -> ResourceScope | str | None:
    """None for what is malformed."""
    if not _TOKEN.fullmatch(token):
        return None
    if token in SPECIAL:
        return token
    launch = _LAUNCH.fullmatch(token)
    if launch:
        return token if launch[1] in _lower_case_types() else None
    resource = _RESOURCE.fullmatch(token)
    return _resource(*resource.groups()) if resource else None


@lru_cache(maxsize=1)
def _lower_case_types() -> frozenset[str]:
    return frozenset(name.lower() for name in definitions.RESOURCE_TYPES)


def _resource(context: str, type: str, permissions: str, query: str | None) -> ResourceScope | None:
    if not permissions or (type != "*" and type not in definitions.RESOURCE_TYPES):
        return None
    if query is None:
        return ResourceScope(context, type, V1.get(permissions, permissions), v1=permissions in V1)
    params = _params(type, query[1:])
    return ResourceScope(context, type, permissions, params) if params and permissions not in V1 else None


def _params(type: str, query: str) -> Params:
    """Empty when one of them is malformed. An escape (``%26``) is refused, not decoded: it could hide a second one."""
    pairs = [part.partition("=") for part in query.split("&")]
    if any(char in query for char in "%?+") or not all(_is_searchable(type, name, value) for name, _, value in pairs):
        return ()
    return tuple(dict.fromkeys((name, value) for name, _, value in pairs))


def _is_searchable(type: str, name: str, value: str) -> bool:
    """Only parameters of the type itself: no modifier, chain or ``_has``, nothing that shapes a result."""
    if type == "*":
        return name in definitions.search_params("Resource") and _is_searchable("Basic", name, value)
    if name not in definitions.search_params(type) or not all(value.split(",")):
        return False
    try:
        compile_param(type, name, "", value)
    except FhirError:
        return False
    return True


# --- Order --------------------------------------------------------------------------------------------------------


def covers(registered: Scopes, asked: Scopes) -> bool:
    """Whether everything ``asked`` (what is malformed apart) is within ``registered``, its scopes taken together."""
    return all(_has_special(registered, scope) for scope in asked.special) and all(
        _covers(registered.resources, scope) for scope in asked.resources
    )


def intersect(registered: Scopes, asked: Scopes) -> Scopes:
    """What of ``asked`` is within ``registered``, in the words of ``asked``; malformed ones are gone.

    A wildcard that is asked comes down to the types registered, a permission to the letters, parameters add up.
    """
    return Scopes(
        tuple(dict.fromkeys(part for scope in asked.resources for part in _within(registered.resources, scope))),
        tuple(scope for scope in asked.special if _has_special(registered, scope)),
    )


def narrowed(granted: Scopes, asked: str) -> Scopes:
    """The scopes of a refreshed token: ``asked`` when it is within ``granted``, all of ``granted`` when it is empty.

    Raises OAuthError invalid_scope otherwise (RFC 6749 section 6).
    """
    if not asked.strip(" "):
        return granted
    found = parse(asked)
    if found.malformed or not covers(granted, found):
        raise OAuthError("invalid_scope", "The scope goes beyond what was granted.")
    return found


def refuse_mixed_contexts(scopes: Scopes) -> None:
    """Raises OAuthError invalid_scope when system/ stands beside patient/ or user/ or what only a person can give."""
    if is_mixed(scopes):
        raise OAuthError("invalid_scope", "system/ scopes cannot be asked together with patient/ or user/ scopes.")


def is_mixed(scopes: Scopes) -> bool:
    """Whether system/ stands beside patient/ or user/."""
    return "system" in scopes.contexts and len(scopes.contexts) > 1


def ordered(letters: Iterable[str]) -> str:
    """The permissions in SMART's order."""
    wanted = set(letters)
    return "".join(letter for letter in LETTERS if letter in wanted)


def implied(wide: Params, narrow: Params) -> bool:
    """Whether what meets ``narrow`` meets ``wide``: each of its parameters is there, with the same or fewer choices."""
    return all(
        any(n == name and (v == value or _choices(v) <= _choices(value)) for n, v in narrow) for name, value in wide
    )


def _choices(value: str) -> set[str]:
    return set(value.split(","))


def _has_special(registered: Scopes, scope: str) -> bool:
    """A launch context registered without a role allows any role."""
    return scope in registered.special or scope.partition("?")[0] in registered.special


def _covers(registered: Iterable[ResourceScope], asked: ResourceScope) -> bool:
    letters = {letter for scope in registered if _is_wider(scope, asked) for letter in scope.permissions}
    return letters.issuperset(asked.permissions)


def _is_wider(scope: ResourceScope, asked: ResourceScope) -> bool:
    """Letters apart."""
    return scope.context == asked.context and scope.type in ("*", asked.type) and implied(scope.params, asked.params)


def _within(registered: tuple[ResourceScope, ...], asked: ResourceScope) -> list[ResourceScope]:
    if any(_is_wider(scope, asked) and set(asked.permissions) <= set(scope.permissions) for scope in registered):
        return [asked]
    found: dict[tuple[str, Params], set[str]] = {}
    for scope in registered:
        if scope.context == asked.context and (asked.type in ("*", scope.type) or scope.type == "*"):
            type = scope.type if asked.type == "*" else asked.type
            more = tuple(param for param in scope.params if not implied((param,), asked.params))
            found.setdefault((type, asked.params + more), set()).update(set(scope.permissions) & set(asked.permissions))
    parts = [
        ResourceScope(asked.context, type, ordered(letters), params, asked.v1)
        for (type, params), letters in found.items()
        if letters
    ]
    return _without_repetition(parts)


def _without_repetition(parts: list[ResourceScope]) -> list[ResourceScope]:
    """Parts of one scope that the others do not cover already."""
    kept: dict[str, list[ResourceScope]] = {}
    for part in parts:
        kept.setdefault(part.type, []).append(part)
    for part in parts:
        others = [other for type in {"*", part.type} for other in kept.get(type, ()) if other is not part]
        if others and _covers(others, part):
            kept[part.type].remove(part)
    return [part for part in parts if any(part is other for other in kept[part.type])]
