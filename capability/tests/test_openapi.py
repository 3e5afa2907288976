"""The OpenAPI description: valid 3.1 by its JSON Schema rules that matter, and computed from the rows."""

import json
import re
from typing import Any

import jsonschema
import pytest

from capability.openapi import openapi
from capability.rows import Interaction, Operation

BASE = "https://h.example/fhir"
METHODS = {"get", "put", "post", "delete", "patch"}


def row(code: str, method: str, path: str) -> Interaction:
    return Interaction(code, "type", method, path, lambda: None, f"Does {code}.")


ROWS = (
    row("read", "GET", "{type}/{id}"),
    row("patch", "PATCH", "{type}/{id}"),
    row("create", "POST", "{type}"),
    row("search-type", "GET", "{type}"),
    row("search-type", "POST", "{type}/_search"),
    row("search-system", "GET", "{type}/{id}/*"),
    row("search-system", "GET", ""),
)
OPERATIONS = (
    Operation("everything", "u", frozenset({"instance"}), frozenset({"Patient"}), lambda: None, "All."),
    Operation("meta-add", "u", frozenset({"instance"}), frozenset(), lambda: None, "Adds.", affects_state=True),
)


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(openapi(BASE, ROWS, OPERATIONS))
    return found


def entries(described: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, entry) for path, methods in described["paths"].items() for method, entry in methods.items()]


def test_paths_are_those_of_the_rows(described: dict[str, Any]) -> None:
    assert set(described["paths"]) == {
        "/", "/{type}", "/{type}/{id}", "/{type}/_search", "/{type}/{id}/*",
        "/Patient/{id}/$everything", "/{type}/{id}/$meta-add",
    }  # fmt: skip
    assert set(described["paths"]["/Patient/{id}/$everything"]) == {"get", "post"}
    assert set(described["paths"]["/{type}/{id}/$meta-add"]) == {"post"}


def test_every_place_of_a_path_is_a_parameter(described: dict[str, Any]) -> None:
    for path, _, entry in entries(described):
        places = {p["name"] for p in entry["parameters"] if p["in"] == "path"}
        assert places == set(re.findall(r"\{(\w+)\}", path))


def test_operation_ids_and_parameters_are_unique(described: dict[str, Any]) -> None:
    ids = [entry["operationId"] for _, _, entry in entries(described)]
    assert len(ids) == len(set(ids))
    for _, _, entry in entries(described):
        names = [(p["name"], p["in"]) for p in entry["parameters"]]
        assert len(names) == len(set(names))


def test_bodies_only_where_a_method_has_one(described: dict[str, Any]) -> None:
    for _, method, entry in entries(described):
        assert method in METHODS
        assert ("requestBody" in entry) == (method in ("post", "put", "patch"))


def test_references_resolve_and_schemas_are_schemas(described: dict[str, Any]) -> None:
    for reference in re.findall(r'"\$ref":"#/([^"]+)"', json.dumps(described, separators=(",", ":"))):
        place = described
        for part in reference.split("/"):
            place = place[part]
    for schema in described["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_errors_are_outcomes(described: dict[str, Any]) -> None:
    for _, _, entry in entries(described):
        assert entry["responses"]["default"] == {"$ref": "#/components/responses/Error"}
