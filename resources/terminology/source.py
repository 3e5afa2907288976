"""Where terminology resources are found, and what is wrong when one is not.

FHIR R4 canonical references (https://hl7.org/fhir/R4/references.html#canonical).
"""

from collections.abc import Sequence
from typing import Any, Protocol

from resources.errors import BusinessRule, Issue
from resources.terminology.code_system import CodeSystem

Json = dict[str, Any]


class Source(Protocol):
    """The terminology that somebody may see."""

    def value_set(self, canonical: str) -> Json | None:
        """The ValueSet of ``url``, ``url|version``, or ``ValueSet/id``."""
        ...

    def code_system(self, url: str, version: str = "") -> CodeSystem | None:
        """The CodeSystem of ``url``, with its supplements."""
        ...

    def concept_maps(self, url: str) -> Sequence[Json]:
        """The ConceptMap of ``url`` or ``url|version``; with '' all there are."""
        ...


class Unknown(BusinessRule):
    """Something that is needed for the answer is not stored here."""

    code = "not-found"


def canonical(text: str) -> tuple[str, str]:
    """(url, version), '' without one; a fragment is no part of either."""
    url, _, version = text.partition("|")
    return url.partition("#")[0], version


def no_value_set(name: str) -> Unknown:
    return Unknown(
        issues=[
            Issue(
                "not-found",
                f"The ValueSet {name[:300]} is not known here. Store it (PUT ValueSet/[id]) or name one that is.",
            )
        ]
    )


def version_key(version: str) -> tuple[tuple[int, str], ...]:
    """Orders versions: numbers by size, texts by letters."""
    parts = version.replace("-", ".").split(".") if version else []
    return tuple((int(part), "") if part.isdecimal() and len(part) < 18 else (-1, part) for part in parts)
