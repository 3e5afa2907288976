"""The bar of scopes: strings that are nearly SMART scopes grant nothing beyond what a second reading of them grants.

SMART App Launch 2.2, FHIR Resource Scope Syntax. The second reading shares no code with the product: it cuts the text
at ``/``, ``.``, ``?``, ``&`` and ``=`` where the product matches patterns.
"""

import random
from typing import NamedTuple

from bench.bar import Bar, Figure, Profile
from resources import definitions
from smart_auth.model import Claims
from smart_auth.scopes.algebra import covers, intersect, parse
from smart_auth.scopes.grants import grants

SEEDS = (
    "patient/Observation.rs", "patient/*.read", "user/*.cruds", "system/Patient.r", "patient/Condition.*",
    "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
    "patient/Observation.rs?category=a,b&code=c", "user/Patient.rs?_id=1", "patient/Encounter.write",
    "user/Observation.r?date=ge2020", "openid", "launch/patient", "offline_access",
)  # fmt: skip
SNIPPETS = (
    "%3F", "%26", "%2E", "?", "&", "=", "/", ".", "*", "|", ":", ",", "\\", '"', " ", "\t", "\n", "\x00", "\u200b",
    "rs", "cruds", "read", "dus", "patient", "user/", "system/*.cruds", ":not", ":in", "_has:", ".name",
    "_count=1", "&_filter=x", "?category=", "#", ";", "..", "Observation", "observation", "\u0440", "*.*",
)  # fmt: skip
V1 = {"read": "rs", "write": "cud", "*": "cruds"}
REGISTERED = parse("patient/Observation.rs patient/Condition.rs?category=a user/Patient.r openid")
GOAL = 100_000


class Read(NamedTuple):
    """A scope as the second reading has it."""

    context: str
    type: str
    letters: frozenset[str]
    params: frozenset[tuple[str, str]]


def texts(count: int, seed: int = 1) -> list[str]:
    """Scope texts of one to three scopes, most of them damaged; the same for the same seed."""
    chance = random.Random(seed)
    return [" ".join(_damaged(chance) for _ in range(chance.randint(1, 3))) for _ in range(count)]


def _damaged(chance: random.Random) -> str:
    text = chance.choice(SEEDS)
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        at, to = sorted(chance.choices(range(len(text) + 1), k=2))
        text = chance.choice((
            text[:at] + chance.choice(SNIPPETS) + text[at:],
            text[:at] + text[at + 1 :],
            text[:at] + chance.choice(SNIPPETS) + text[at + 1 :],
            text[:at] + text[at:to].swapcase() + text[to:],
            text[:at] + text[to:] + text[at:to],
            text + chance.choice(SNIPPETS),
        ))  # fmt: skip
    return text


def second_reading(token: str) -> Read | None:
    """None for what is malformed."""
    if any(not "!" <= char <= "~" or char in '"\\' for char in token):
        return None
    path, mark, query = token.partition("?")
    context, _, rest = path.partition("/")
    type, _, permissions = rest.partition(".")
    letters = V1.get(permissions, permissions)
    places = ["cruds".find(letter) for letter in letters]
    params = [tuple(part.split("=", 1)) for part in query.split("&")] if mark else []
    if context not in ("patient", "user", "system") or type not in {*definitions.RESOURCE_TYPES, "*"}:
        return None
    if not places or -1 in places or places != sorted(set(places)) or (mark and permissions in V1):
        return None
    names = definitions.search_params("Resource" if type == "*" else type)
    if any(len(part) != 2 or part[0] not in names or set(part[1]) & set("%?+") or not part[1] for part in params):
        return None
    return Read(context, type, frozenset(letters), frozenset((name, value) for name, value in params))


def widened(text: str) -> str:
    """What is wrong with the product's reading of ``text``, '' when nothing is."""
    allowed = [read for token in text.split(" ") if (read := second_reading(token))]
    for scope in parse(text).resources:
        same = Read(scope.context, scope.type, frozenset(scope.permissions), frozenset(scope.params))
        if same not in allowed:
            return f"{scope} out of {text!r}"
    found = intersect(REGISTERED, parse(text))
    if not covers(REGISTERED, found) or not covers(parse(text), found):
        return f"{found} is beyond what is registered, out of {text!r}"
    return _granted_too_much(text, allowed)


def _granted_too_much(text: str, allowed: list[Read]) -> str:
    """A patient's token grants nothing outside their compartment, and nothing that no scope says."""
    for grant in grants(_patient_token(text)):
        given = [r for r in allowed if r.context != "system" and (r.type, r.params) == (grant.type, set(grant.params))]
        letters = frozenset().union(*(read.letters for read in given))
        if grant.compartment != ("Patient", "1") or not letters.issuperset(grant.permissions):
            return f"{grant} out of {text!r}"
    return ""


def _patient_token(text: str) -> Claims:
    return Claims(
        jti="j", family="f", client="c", scope=text, expires=2, issued=1, subject="s", who="Patient/1",
        reach="Patient/1", patient="1",
    )  # fmt: skip


def _measure(profile: Profile) -> Figure:
    asked = texts(profile.size(GOAL, 2_000))
    wrong = [why for text in asked if (why := widened(text))]
    silent = sum(not parse(text) for text in asked)
    notes = (f"{silent:,} of them grant nothing at all", *wrong[:5])
    return Figure(f"{len(wrong)} of {len(asked):,} texts grant more than they say", not wrong, notes)


BARS = (Bar("scopes: malformed ones grant nothing", "0 of 100,000 near-scopes widen", _measure),)
