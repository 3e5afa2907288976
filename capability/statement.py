"""The CapabilityStatement, computed from the rows that serve.

FHIR R4 (https://hl7.org/fhir/R4/capabilitystatement.html).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from capability.rows import Interaction, Operation
from resources import definitions, json_codec
from resources.search_param.parameters import BY_ROW, FULL_TEXT, composites, parameters
from resources.search_param.reference import is_followed
from resources.search_param.registry import Registry, current, search_params

FORMATS = ("application/fhir+json", "application/fhir+xml", "json", "xml")
PATCH_FORMATS = (
    "application/json-patch+json",
    "application/xml-patch+xml",
    "application/fhir+json",
    "application/fhir+xml",
)

_SYSTEM_CODES = frozenset({"transaction", "batch", "search-system", "history-system"})
_STATED_ELSEWHERE = frozenset({"capabilities"})


_SMART = "http://fhir-registry.smarthealthit.org/StructureDefinition/"
_SECURITY_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"


@dataclass(frozen=True, slots=True)
class Smart:
    """Endpoints of the SMART authorization server as absolute URLs ('' for one that is not there), and the SMART
    ``capabilities`` by code."""

    authorize: str
    token: str
    introspect: str = ""
    revoke: str = ""
    manage: str = ""
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the statement says beside the rows: software ``version``, ``date`` it was made (FHIR dateTime), whether
    references are ``enforced``, ``restricted`` types with their codes and $names, ``security`` as in rest.security.

    ``searched_apart`` are types with a search of their own and the parameters it takes; nothing can be included there.
    ``smart`` is the authorization server, None for a server without authentication.
    """

    version: str = "0.1.0"
    date: str = ""
    enforced: bool = True
    restricted: Mapping[str, frozenset[str]] = field(default_factory=dict)
    security: Mapping[str, Any] = field(default_factory=lambda: {"cors": True})
    searched_apart: Mapping[str, frozenset[str]] = field(default_factory=dict)
    smart: Smart | None = None


NO_FACTS = Facts()


def statement(
    base: str, interactions: Sequence[Interaction], operations: Sequence[Operation], facts: Facts = NO_FACTS
) -> bytes:
    """The CapabilityStatement of the server at ``base`` as JSON."""
    return json_codec.encode(capability_statement(base, interactions, operations, facts))


def capability_statement(
    base: str, interactions: Sequence[Interaction], operations: Sequence[Operation], facts: Facts = NO_FACTS
) -> dict[str, Any]:
    """The CapabilityStatement as a resource."""
    return {
        "resourceType": "CapabilityStatement",
        "url": f"{base}/metadata",
        "version": facts.version,
        "name": "HearthCapabilityStatement",
        "title": "What this Hearth server does",
        "status": "active",
        "date": facts.date or datetime.now(UTC).isoformat(timespec="seconds"),
        "kind": "instance",
        "software": {"name": "Hearth", "version": facts.version},
        "implementation": {"description": "Hearth FHIR R4 server", "url": base},
        "fhirVersion": "4.0.1",
        "format": list(FORMATS),
        "patchFormat": list(PATCH_FORMATS),
        "rest": [_rest(interactions, operations, facts)],
    }


def _rest(interactions: Sequence[Interaction], operations: Sequence[Operation], facts: Facts) -> dict[str, Any]:
    on_types = [row for row in interactions if row.code not in _SYSTEM_CODES | _STATED_ELSEWHERE]
    codes = definitions.compartment_codes()
    return {
        "mode": "server",
        "security": {**facts.security, **(_smart(facts.smart) if facts.smart else {})},
        "resource": [_resource(type, on_types, operations, facts) for type in sorted(definitions.RESOURCE_TYPES)],
        "interaction": _documented(r for r in interactions if r.code in _SYSTEM_CODES and r.level == "system"),
        "searchParam": [*_search_params("Resource", _searchable("Resource")), *_ANYWHERE],
        "operation": _operations(operations, lambda row: "system" in row.levels),
        "compartment": [f"http://hl7.org/fhir/CompartmentDefinition/{code.lower()}" for code in codes],
    }


def _smart(smart: Smart) -> dict[str, Any]:
    """SMART's extensions: deprecated there, but some clients look nowhere else."""
    uris = {name: getattr(smart, name) for name in ("authorize", "token", "introspect", "revoke", "manage")}
    endpoints = [{"url": name, "valueUri": uri} for name, uri in uris.items() if uri]
    coding = {"system": _SECURITY_SERVICE, "code": "SMART-on-FHIR", "display": "SMART-on-FHIR"}
    return {
        "extension": [
            {"url": f"{_SMART}oauth-uris", "extension": endpoints},
            *({"url": f"{_SMART}capabilities", "valueCode": code} for code in smart.capabilities),
        ],
        "service": [{"coding": [coding], "text": "OAuth 2.0 as SMART App Launch profiles it"}],
    }


def _resource(type: str, rows: Sequence[Interaction], operations: Sequence[Operation], facts: Facts) -> dict[str, Any]:
    only = facts.restricted.get(type)
    rows = [row for row in rows if only is None or row.code in only]
    stated = {
        "type": type,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{type}",
        "interaction": _codes(rows),
        **_versions_and_conditions(rows),
        "referencePolicy": ["literal", "logical", *(["enforced"] if facts.enforced else [])],
        **_search(type, facts.searched_apart),
        "operation": _operations(
            operations, lambda row: _is_for(row, type) and (only is None or f"${row.name}" in only)
        ),
    }
    return {name: value for name, value in stated.items() if value != []}


def _versions_and_conditions(rows: Sequence[Interaction]) -> dict[str, Any]:
    codes = {row.code for row in rows}
    conditional = {row.code for row in rows if row.level == "type"}
    return {
        "versioning": "versioned" if "vread" in codes else "no-version",
        "readHistory": "vread" in codes,
        "updateCreate": "update" in codes,
        "conditionalCreate": "create" in conditional,
        "conditionalRead": "full-support",
        "conditionalUpdate": "update" in conditional,
        "conditionalDelete": "single" if "delete" in conditional else "not-supported",
    }


def _codes(rows: Iterable[Interaction]) -> list[dict[str, str]]:
    """Each code once; the documentation of 146 times the same rows would only make the statement long."""
    return [{"code": code} for code in dict.fromkeys(row.code for row in rows)]


def _documented(rows: Iterable[Interaction]) -> list[dict[str, str]]:
    """Each code once, with the documentation of all its rows."""
    texts: dict[str, list[str]] = {}
    for row in rows:
        texts.setdefault(row.code, []).append(row.documentation)
    return [{"code": code, "documentation": " ".join(said)} for code, said in texts.items()]


def _search(type: str, apart: Mapping[str, frozenset[str]]) -> dict[str, Any]:
    if type in apart:
        return {"searchParam": _search_params(type, apart[type])}
    referring = _referring(current()).get(type, ())
    return {
        "searchInclude": ["*", *(f"{type}:{code}" for code in _reference_codes(type))],
        "searchRevInclude": [name for name in referring if name.partition(":")[0] not in apart],
        "searchParam": [*_search_params(type, _searchable(type)), *_ANYWHERE],
    }


_ANYWHERE: Sequence[dict[str, Any]] = (
    {"name": "_filter", "type": "special"},
    {"name": "_list", "type": "string"},
)
"""Parameters that no search index is read for by their name."""


def _search_params(type: str, searchable: frozenset[str]) -> list[dict[str, Any]]:
    found = search_params(type).values()
    return [
        {"name": p.code, "definition": p.url, "type": p.type, **_unfinished(p.url)}
        for p in found
        if p.code in searchable
    ]


def _unfinished(url: str) -> dict[str, str]:
    """What is said of a stored parameter whose index is not complete."""
    registry = current()
    if not any(custom.param.url == url and custom.number in registry.indexing for custom in registry.customs):
        return {}
    return {"documentation": "Its index is being built; until then results may be incomplete."}


def _searchable(type: str) -> frozenset[str]:
    """The codes that a search of ``type`` takes, those of stored parameters too."""
    if type == "Resource":
        return frozenset(search_params(type)) & _searchable("Basic")
    return frozenset(parameters(type)) | frozenset(composites(type)) | BY_ROW | FULL_TEXT


def _reference_codes(type: str) -> list[str]:
    found = search_params(type).values()
    codes = [p.code for p in found if p.type == "reference" and p.code in _searchable(type)]
    return [code for code in codes if is_followed(parameters(type)[code])]


@lru_cache(2)
def _referring(registry: Registry) -> dict[str, list[str]]:
    """For each type the ``Type:param`` by which others may refer to it."""
    found: dict[str, list[str]] = {}
    for source in sorted(definitions.RESOURCE_TYPES):
        for code in _reference_codes(source):
            for target in search_params(source)[code].target or sorted(definitions.RESOURCE_TYPES):
                found.setdefault(target, []).append(f"{source}:{code}")
    return found


def _is_for(row: Operation, type: str) -> bool:
    return bool(row.levels & {"type", "instance"}) and (not row.types or type in row.types)


def _operations(rows: Iterable[Operation], wanted: Callable[[Operation], bool]) -> list[dict[str, Any]]:
    return [{"name": r.name, "definition": r.definition, "documentation": r.documentation} for r in rows if wanted(r)]
