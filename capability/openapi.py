"""The OpenAPI 3.1 description, computed from the rows that serve.

OpenAPI 3.1.0 (https://spec.openapis.org/oas/v3.1.0). Types are one path parameter with an enumeration: 146 copies of
every path would say no more.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from capability.rows import Interaction, Operation
from capability.statement import PATCH_FORMATS
from resources import definitions, json_codec

Json = dict[str, Any]

_ID = {"type": "string", "pattern": "^[A-Za-z0-9\\-.]{1,64}$"}
_RESOURCE: Json = {"$ref": "#/components/schemas/Resource"}
_FHIR: Json = {"application/fhir+json": {"schema": _RESOURCE}, "application/fhir+xml": {"schema": {"type": "string"}}}
_PLACES = {"type": "#/components/schemas/ResourceType", "other": "#/components/schemas/ResourceType"}
_PLACE = re.compile(r"\{(\w+)\}")


def _query(name: str, text: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "description": text, "schema": schema}


def _header(name: str, text: str) -> Json:
    return {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}


_TEXT: Json = {"type": "string"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_ANSWER = [
    _query("_format", "Format of the answer, before Accept.", {"type": "string", "enum": ["json", "xml"]}),
    _query("_pretty", "Indented.", {"type": "boolean"}),
]
_SUBSET = [
    _query("_summary", "Part of each resource.", {"type": "string", "enum": ["true", "text", "data", "false"]}),
    _query("_elements", "Names of elements, separated by commas.", _TEXT),
]
_SEARCH = [
    *_SUBSET,
    _query("_id", "Ids, separated by commas.", _TEXT),
    _query("_lastUpdated", "Date with prefix, such as ge2024-01-01.", _TEXT),
    _query("_count", "Entries of a page.", _COUNT),
    _query("_sort", "Search parameters, '-' before one for descending.", _TEXT),
    _query("_include", "References to include: Type:parameter.", _TEXT),
    _query("_revinclude", "Referrers to include: Type:parameter.", _TEXT),
    _query("_total", "Whether to count.", {"type": "string", "enum": ["none", "estimate", "accurate"]}),
]
_PREFER = _header("Prefer", "return=minimal, representation or OperationOutcome; handling=strict or lenient.")
_IF_MATCH = _header("If-Match", 'The version seen, such as W/"3".')

_PARAMETERS: dict[str, list[Json]] = {
    "read": [
        *_SUBSET,
        _header("If-None-Match", "A version the client has."),
        _header("If-Modified-Since", "An HTTP date."),
    ],
    "create": [_PREFER, _header("If-None-Exist", "Criteria: create only when nothing matches.")],
    "update": [_PREFER, _IF_MATCH],
    "patch": [_PREFER, _IF_MATCH],
    "delete": [_IF_MATCH],
    "history": [
        _query("_count", "Entries of a page.", _COUNT),
        _query("_since", "An instant: versions at or after it.", _TEXT),
        _query("_at", "A date or period: versions current then.", _TEXT),
    ],
    "search": _SEARCH,
    "transaction": [_PREFER],
}
_FORM: Json = {"application/x-www-form-urlencoded": {"schema": {"type": "object", "additionalProperties": _TEXT}}}


def openapi(
    base: str, interactions: Sequence[Interaction], operations: Sequence[Operation], version: str = "0.1.0"
) -> bytes:
    """The description of the server at ``base`` as JSON."""
    return json_codec.encode(description(base, interactions, operations, version))


def description(base: str, interactions: Sequence[Interaction], operations: Sequence[Operation], version: str) -> Json:
    """The description as an OpenAPI object."""
    text = "The FHIR R4 RESTful API of this server."
    return {
        "openapi": "3.1.0",
        "info": {"title": "Hearth FHIR R4", "version": version, "description": text},
        "servers": [{"url": base}],
        "paths": _paths([*_interaction_entries(interactions), *_operation_entries(operations)]),
        "components": {"schemas": _schemas(), "responses": {"Error": _error()}},
    }


def _schemas() -> Json:
    resource = {"type": "object", "required": ["resourceType"], "properties": {"resourceType": {"type": "string"}}}
    outcome = {**resource, "properties": {"resourceType": {"const": "OperationOutcome"}}}
    outcome["required"] = ["resourceType", "issue"]
    types = {"type": "string", "enum": sorted(definitions.RESOURCE_TYPES)}
    return {"Resource": resource, "OperationOutcome": outcome, "ResourceType": types}


def _error() -> Json:
    schema = {"$ref": "#/components/schemas/OperationOutcome"}
    content = {"application/fhir+json": {"schema": schema}, "application/fhir+xml": {"schema": {"type": "string"}}}
    return {"description": "An OperationOutcome that says what is wrong.", "content": content}


def _paths(entries: Iterable[tuple[str, str, Json]]) -> Json:
    paths: Json = {}
    for path, method, entry in entries:
        paths.setdefault(path, {}).setdefault(method, entry)
    return paths


def _interaction_entries(rows: Sequence[Interaction]) -> Iterator[tuple[str, str, Json]]:
    for row in rows:
        yield f"/{row.path}", row.method.lower(), _interaction(row)


def _interaction(row: Interaction) -> Json:
    parameters = [*_place_parameters(row.path), *_of(row.code, row.method), *_ANSWER]
    return _entry(_name(row.code, row.method, row.path), row.documentation, parameters, _body(row))


def _of(code: str, method: str) -> list[Json]:
    if method == "POST" and code.startswith("search"):
        return []
    return _PARAMETERS.get(code, _PARAMETERS.get(code.partition("-")[0], []))


def _body(row: Interaction) -> Json | None:
    if row.method not in ("POST", "PUT", "PATCH"):
        return None
    if row.code.startswith("search"):
        return {"content": _FORM}
    if row.code == "patch":
        return {
            "required": True,
            "content": {name: {"schema": {"type": ["object", "array", "string"]}} for name in PATCH_FORMATS},
        }
    return {"required": True, "content": _FHIR}


def _operation_entries(rows: Sequence[Operation]) -> Iterator[tuple[str, str, Json]]:
    for row in rows:
        for path in _operation_paths(row):
            for method in ("post",) if row.affects_state else ("get", "post"):
                yield path, method, _operation(row, path, method)


def _operation_paths(row: Operation) -> Iterator[str]:
    for type in sorted(row.types) or ["{type}"]:
        if "instance" in row.levels:
            yield f"/{type}/{{id}}/${row.name}"
        if "type" in row.levels:
            yield f"/{type}/${row.name}"
    if "system" in row.levels:
        yield f"/${row.name}"


def _operation(row: Operation, path: str, method: str) -> Json:
    body = {"content": _FHIR} if method == "post" else None
    return _entry(_name(row.name, method, path), row.documentation, [*_place_parameters(path), *_ANSWER], body)


def _place_parameters(path: str) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _place_schema(name)} for name in _PLACE.findall(path)
    ]


def _place_schema(name: str) -> Json:
    return {"$ref": _PLACES[name]} if name in _PLACES else _ID


def _name(code: str, method: str, path: str) -> str:
    place = re.sub(r"\W+", "-", path.replace("*", "all")).strip("-") or "base"
    return f"{code}-{method.lower()}-{place}"


def _entry(name: str, text: str, parameters: list[Json], body: Json | None) -> Json:
    entry: Json = {"operationId": name, "summary": text, "parameters": parameters}
    if body is not None:
        entry["requestBody"] = body
    answers = {
        "2XX": {"description": "Done.", "content": _FHIR},
        "204": {"description": "Done; there is nothing to show."},
        "304": {"description": "Not modified."},
    }
    entry["responses"] = {**answers, "default": {"$ref": "#/components/responses/Error"}}
    return entry
