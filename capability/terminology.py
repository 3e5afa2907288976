"""The TerminologyCapabilities statement: which code systems are known and what the terminology operations take.

FHIR R4 (https://hl7.org/fhir/R4/terminologycapabilities.html). Stored CodeSystems are not listed: they are resources.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from capability.rows import Operation
from resources import json_codec
from resources.definitions.terminology import published_urls

EXPANSION_PARAMETERS = (
    "filter", "offset", "count", "includeDesignations", "includeDefinition", "activeOnly", "excludeNested",
    "excludeNotForUI", "displayLanguage",
)  # fmt: skip


def terminology_statement(base: str, operations: Iterable[Operation], version: str = "0.1.0") -> bytes:
    """The TerminologyCapabilities of the server at ``base`` as JSON; the rows of ``operations`` say what it does."""
    return json_codec.encode(terminology_capabilities(base, frozenset(_names(operations)), version))


def _names(operations: Iterable[Operation]) -> Iterable[tuple[str, str]]:
    return ((type, row.name) for row in operations for type in row.types)


@cache
def terminology_capabilities(base: str, operations: frozenset[tuple[str, str]], version: str) -> dict[str, Any]:
    """The same as a resource; ``operations`` are (type, name)."""
    stated = {
        "resourceType": "TerminologyCapabilities",
        "url": f"{base}/metadata?mode=terminology",
        "version": version,
        "name": "HearthTerminologyCapabilities",
        "title": "Which terminology this Hearth server knows",
        "status": "active",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "kind": "instance",
        "software": {"name": "Hearth", "version": version},
        "implementation": {"description": "Hearth FHIR R4 server", "url": base},
        "codeSystem": [{"uri": url} for url in sorted(published_urls("CodeSystem"))],
        "codeSearch": "all",
    }
    return stated | {field: value for field, (row, value) in _OPERATIONS.items() if row in operations}


_OPERATIONS: dict[str, tuple[tuple[str, str], dict[str, Any]]] = {
    "expansion": (
        ("ValueSet", "expand"),
        {
            "hierarchical": False,
            "paging": True,
            "incomplete": False,
            "parameter": [{"name": name} for name in EXPANSION_PARAMETERS],
        },
    ),
    "validateCode": (("ValueSet", "validate-code"), {"translations": False}),
    "translation": (("ConceptMap", "translate"), {"needsMap": False}),
}
