"""The CapabilityStatement: valid R4, and computed from the rows."""

import json
from typing import Any

import pytest

from capability.rows import Interaction, Operation
from capability.statement import Facts, Smart, capability_statement, statement
from resources import definitions, validation

BASE = "https://h.example/fhir"


def row(code: str, level: str, path: str = "") -> Interaction:
    return Interaction(code, level, "GET", path, lambda: None, f"Does {code}.")


ROWS = (
    row("read", "instance"),
    row("vread", "instance"),
    row("update", "instance"),
    row("search-type", "type"),
    row("search-type", "instance"),
    row("transaction", "system"),
    row("search-system", "instance"),
    row("search-system", "system"),
    row("capabilities", "system"),
)
OPERATIONS = (
    Operation("everything", "http://x/e", frozenset({"instance"}), frozenset({"Patient"}), lambda: None, "All."),
    Operation("meta", "http://x/m", frozenset({"system", "type"}), frozenset(), lambda: None, "Labels."),
)


@pytest.fixture(scope="module")
def stated() -> dict[str, Any]:
    facts = Facts(date="2024-01-01", restricted={"AuditEvent": frozenset({"read"})})
    return capability_statement(BASE, ROWS, OPERATIONS, facts)


def resource(stated: dict[str, Any], type: str) -> dict[str, Any]:
    [found] = [row for row in stated["rest"][0]["resource"] if row["type"] == type]
    return dict(found)


def test_valid(stated: dict[str, Any]) -> None:
    validation.check(stated)


def test_every_type_once(stated: dict[str, Any]) -> None:
    types = [row["type"] for row in stated["rest"][0]["resource"]]
    assert len(types) == len(set(types))
    assert set(types) == definitions.RESOURCE_TYPES


def test_interactions_come_from_the_rows(stated: dict[str, Any]) -> None:
    assert [i["code"] for i in resource(stated, "Patient")["interaction"]] == ["read", "vread", "update", "search-type"]
    assert [i["code"] for i in stated["rest"][0]["interaction"]] == ["transaction", "search-system"]


def test_conditions_come_from_the_rows() -> None:
    without = resource(capability_statement(BASE, ROWS, ()), "Patient")
    rows = (*ROWS, row("update", "type"), row("create", "type"), row("delete", "type"))
    having = resource(capability_statement(BASE, rows, ()), "Patient")
    assert (without["conditionalUpdate"], having["conditionalUpdate"]) == (False, True)
    assert (without["conditionalDelete"], having["conditionalDelete"]) == ("not-supported", "single")
    assert (without["conditionalCreate"], having["conditionalCreate"]) == (False, True)


def test_operations_stand_where_they_may_be_called(stated: dict[str, Any]) -> None:
    assert [o["name"] for o in resource(stated, "Patient")["operation"]] == ["everything", "meta"]
    assert [o["name"] for o in resource(stated, "Observation")["operation"]] == ["meta"]
    assert [o["name"] for o in stated["rest"][0]["operation"]] == ["meta"]


def test_search_parameters_and_includes(stated: dict[str, Any]) -> None:
    observation = resource(stated, "Observation")
    params = {p["name"]: p["type"] for p in observation["searchParam"]}
    assert params["code"] == "token"
    assert params["_lastUpdated"] == "date"
    assert len(params) == len(observation["searchParam"])
    assert "Observation:subject" in observation["searchInclude"]
    assert "Observation:subject" in resource(stated, "Patient")["searchRevInclude"]


def test_restricted_types(stated: dict[str, Any]) -> None:
    audit = resource(stated, "AuditEvent")
    assert [i["code"] for i in audit["interaction"]] == ["read"]
    assert (audit["versioning"], audit["updateCreate"]) == ("no-version", False)
    assert "operation" not in audit


def test_types_searched_apart_state_what_their_own_search_takes() -> None:
    facts = Facts(searched_apart={"AuditEvent": frozenset({"date", "patient"})})
    stated = capability_statement(BASE, ROWS, (), facts)
    audit = resource(stated, "AuditEvent")
    assert [p["name"] for p in audit["searchParam"]] == ["date", "patient"]
    assert "searchInclude" not in audit and "searchRevInclude" not in audit
    referring = resource(stated, "Patient")["searchRevInclude"]
    assert "Observation:subject" in referring and not any(name.startswith("AuditEvent:") for name in referring)


def test_integrity(stated: dict[str, Any]) -> None:
    assert "enforced" in resource(stated, "Patient")["referencePolicy"]
    relaxed = capability_statement(BASE, ROWS, (), Facts(enforced=False))
    assert "enforced" not in resource(relaxed, "Patient")["referencePolicy"]


def test_bytes() -> None:
    assert json.loads(statement(BASE, ROWS, OPERATIONS))["implementation"]["url"] == BASE


def test_security_of_a_server_with_an_authorization_server() -> None:
    smart = Smart(
        "https://h/auth/authorize", "https://h/auth/token", manage="https://h/m", capabilities=("launch-ehr",)
    )
    facts = Facts(date="2024-01-01", security={"cors": True}, smart=smart)
    stated = capability_statement(BASE, ROWS, OPERATIONS, facts)
    validation.check(stated)
    security = stated["rest"][0]["security"]
    assert (security["cors"], security["service"][0]["coding"][0]["code"]) == (True, "SMART-on-FHIR")
    uris, capability = security["extension"]
    assert uris["url"] == "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
    assert [(part["url"], part["valueUri"]) for part in uris["extension"]] == [
        ("authorize", "https://h/auth/authorize"),
        ("token", "https://h/auth/token"),
        ("manage", "https://h/m"),
    ]
    assert capability["valueCode"] == "launch-ehr"


def test_security_of_an_open_server(stated: dict[str, Any]) -> None:
    assert stated["rest"][0]["security"] == {"cors": True}
