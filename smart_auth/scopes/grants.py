"""What a verified token may do: its scopes, its person's reach and the patient in context as Grants.

SMART App Launch 2.2, "SMART's scopes are used to delegate access". Fails closed: whatever is missing, malformed or
contradictory grants nothing.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from msgspec.structs import replace

from resources.repository import Grant
from smart_auth.model import Claims, Clearance
from smart_auth.scopes.algebra import ResourceScope, Scopes, implied, is_mixed, ordered, parse

BREAK_GLASS = "BTG"
WHOLE_RECORD = "all"

Compartment = tuple[str, str]

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_USER = re.compile(r"(Patient|Practitioner|PractitionerRole|RelatedPerson|Person)/([A-Za-z0-9\-.]{1,64})")


class Key(NamedTuple):
    """All that the grants of a token depend on: tokens with equal keys have equal grants."""

    scope: str
    reach: str
    patient: str
    who: str
    break_glass: bool
    clearance: Clearance = Clearance.NORMAL


def key(claims: Claims) -> Key:
    """What a cache of grants is kept by."""
    return Key(claims.scope, claims.reach, claims.patient, claims.who, claims.purpose == BREAK_GLASS, claims.clearance)


def grants(claims: Claims) -> tuple[Grant, ...]:
    """The permissions of a token, none said twice; empty when there is nothing it may do.

    patient/ scopes come to the compartment of the patient in context, when the person may see it; user/ scopes to the
    person's own reach; system/ scopes, of a token without a person, to the whole record. fhirUser adds reading the
    one resource that is the person.
    """
    return _grants(key(claims))


@lru_cache(maxsize=4096)
def _grants(key: Key) -> tuple[Grant, ...]:
    scopes = parse(key.scope)
    if is_mixed(scopes):
        return ()
    found = [grant for scope in scopes.resources for grant in _grant(key, scope)]
    return tuple(_without_repetition([*found, *_own_resource(key, scopes)]))


def _grant(key: Key, scope: ResourceScope) -> Iterator[Grant]:
    for compartment in REACH[scope.context](key):
        yield Grant(scope.type, scope.permissions, scope.params, compartment, *_labels(key))


def _labels(key: Key) -> tuple[bool, bool]:
    """Whether it reaches what is labelled at all, and what is labelled R. Whoever reaches one compartment alone sees
    what is labelled in it: their own, or by breaking the glass. Of others their clearance says it."""
    alone = key.break_glass or _own_compartment(key) is not None
    return alone or key.clearance is Clearance.VERY_RESTRICTED, not alone and key.clearance is Clearance.RESTRICTED


def _patient(key: Key) -> Iterator[Compartment]:
    own = _own_compartment(key)
    asked = ("Patient", key.patient)
    if _ID.fullmatch(key.patient) and (own == asked or key.reach == WHOLE_RECORD):
        yield asked


def _user(key: Key) -> Iterator[Compartment | None]:
    own = _own_compartment(key)
    if key.who and (own or key.reach == WHOLE_RECORD):
        yield own


def _system(key: Key) -> Iterator[None]:
    if not key.who and key.reach == WHOLE_RECORD:
        yield None


REACH = {"patient": _patient, "user": _user, "system": _system}


def _own_compartment(key: Key) -> Compartment | None:
    type, _, id = key.reach.partition("/")
    return (type, id) if type == "Patient" and _ID.fullmatch(id) else None


def _own_resource(key: Key, scopes: Scopes) -> Iterator[Grant]:
    """The fhirUser claim names a resource, and the app may read it: also when no other scope names its type."""
    user = _USER.fullmatch(key.who)
    if scopes.has("openid") and scopes.has("fhirUser") and user:
        for compartment in _user(key):
            yield Grant(user[1], "r", (("_id", user[2]),), compartment, *_labels(key))


def _without_repetition(found: list[Grant]) -> list[Grant]:
    """Letters that a wider grant gives already are left out, so that most types come down to one plain grant."""
    kept = list(_merged(found))
    for grant in _merged(found):
        others = [other for other in kept if other != grant]
        letters = set(grant.permissions).difference(*(g.permissions for g in others if _is_wider(g, grant)))
        less = [replace(grant, permissions=ordered(letters))]
        kept = [*others, *(less if letters else [])]
    return kept


def _merged(found: list[Grant]) -> list[Grant]:
    letters: dict[Grant, set[str]] = {}
    for grant in found:
        letters.setdefault(replace(grant, permissions=""), set()).update(grant.permissions)
    return [replace(grant, permissions=ordered(some)) for grant, some in letters.items()]


def _is_wider(grant: Grant, other: Grant) -> bool:
    """Letters apart."""
    return (
        grant.type in ("*", other.type)
        and grant.compartment in (None, other.compartment)
        and implied(grant.params, other.params)
        and (grant.confidential, grant.restricted) >= (other.confidential, other.restricted)
    )
