"""The Prefer header: what a write returns and how a search treats unknown parameters.

FHIR R4 (https://hl7.org/fhir/R4/http.html#return, search.html#errors), RFC 7240.
"""

from dataclasses import dataclass
from functools import lru_cache

_RETURNS = {
    "minimal": "minimal",
    "representation": "representation",
    "operationoutcome": "OperationOutcome",
}
_HANDLINGS = frozenset({"strict", "lenient"})


@dataclass(frozen=True, slots=True)
class Prefer:
    """``returning`` is minimal, representation, OperationOutcome or ''; ``handling`` strict, lenient or ''."""

    returning: str = ""
    handling: str = ""


@lru_cache(maxsize=128)
def parse_prefer(header: str) -> Prefer:
    """The preferences understood; unknown ones are ignored as RFC 7240 says, the first of each name counts."""
    found: dict[str, str] = {}
    for part in header.replace(";", ",").split(","):
        name, _, value = part.partition("=")
        found.setdefault(name.strip().lower(), value.strip().strip('"').lower())
    handling = found.get("handling", "")
    return Prefer(_RETURNS.get(found.get("return", ""), ""), handling if handling in _HANDLINGS else "")
