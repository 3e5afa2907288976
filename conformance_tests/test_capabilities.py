"""CapabilityStatement, OpenAPI description, health and metrics."""

import httpx
import pytest

from conformance_tests.client import FHIR_XML, Client, Json, outcome_of

requirement = pytest.mark.requirement


@pytest.fixture(scope="module")
def statement(fhir: Client) -> Json:
    told: Json = fhir.get("metadata").json()
    return told


@requirement("http.html#capabilities")
def test_metadata_is_a_capability_statement_of_this_version(fhir: Client, statement: Json) -> None:
    assert statement["resourceType"] == "CapabilityStatement"
    assert statement["fhirVersion"] == "4.0.1"
    assert statement["kind"] == "instance"
    assert statement["implementation"]["url"] == fhir.base
    assert {"application/fhir+json", "application/fhir+xml"} <= set(statement["format"])
    assert {"application/json-patch+json", "application/xml-patch+xml"} <= set(statement["patchFormat"])


@requirement("capabilitystatement.html")
def test_the_capability_statement_is_valid(fhir: Client, statement: Json) -> None:
    outcome = fhir.post("CapabilityStatement/$validate", statement).json()
    assert {issue["severity"] for issue in outcome["issue"]} == {"information"}, outcome["issue"][:3]


@requirement("capabilitystatement.html")
def test_every_type_says_what_it_does(statement: Json) -> None:
    types = {row["type"]: row for row in statement["rest"][0]["resource"]}
    assert len(types) >= 145
    codes = {row["code"] for row in types["Patient"]["interaction"]}
    expected = {"read", "vread", "update", "patch", "delete", "create", "search-type"}
    assert expected | {"history-instance", "history-type"} <= codes
    assert types["Patient"]["conditionalCreate"] and types["Patient"]["conditionalUpdate"]
    assert types["Patient"]["updateCreate"]
    assert types["Patient"]["conditionalRead"] == "full-support"
    assert types["Patient"]["versioning"] in ("versioned", "versioned-update")
    assert "create" not in {row["code"] for row in types["AuditEvent"]["interaction"]}
    system = {row["code"] for row in statement["rest"][0]["interaction"]}
    assert {"transaction", "batch", "search-system", "history-system"} <= system


@requirement("capabilitystatement.html")
def test_search_parameters_and_includes_are_listed_and_work(fhir: Client, statement: Json) -> None:
    [row] = [row for row in statement["rest"][0]["resource"] if row["type"] == "Observation"]
    names = {parameter["name"]: parameter["type"] for parameter in row["searchParam"]}
    assert names["code"] == "token" and names["date"] == "date" and names["patient"] == "reference"
    assert "Observation:encounter" in row["searchInclude"]
    assert "Provenance:target" in row["searchRevInclude"]
    for name, kind in names.items():
        value = {"date": "ge1800", "number": "1", "quantity": "1", "reference": "Patient/x", "uri": "urn:x"}
        given = "_id eq x" if name == "_filter" else value.get(kind, "x")
        if kind == "composite":
            given = "x$" + ("1" if "quantity" in name else "x")
            given = given.replace("$x", "$ge1800") if name.endswith("date") else given
        fhir.get("Observation", query={name: given, "_count": "0"})


@requirement("capabilitystatement.html")
def test_operations_are_listed(statement: Json) -> None:
    rows = statement["rest"][0].get("operation", []) + [
        each for row in statement["rest"][0]["resource"] for each in row.get("operation", ())
    ]
    assert {"validate", "everything", "meta", "meta-add", "meta-delete"} <= {row["name"] for row in rows}
    assert all(row["definition"].startswith(("http://hl7.org/fhir/OperationDefinition/", "urn:")) for row in rows)


@requirement("http.html#capabilities")
def test_metadata_as_xml_and_with_summary(fhir: Client) -> None:
    assert fhir.get("metadata", Accept=FHIR_XML).text.lstrip().startswith(("<?xml", "<CapabilityStatement"))
    assert len(fhir.get("metadata", query={"_summary": "true"}).content) < len(fhir.get("metadata").content)


@requirement("http.html#capabilities")
def test_no_credentials_are_needed_for_metadata(fhir: Client) -> None:
    assert httpx.get(f"{fhir.base}/metadata", timeout=30).status_code == 200


@requirement("http.html#OPTIONS")
def test_options_lists_the_methods(fhir: Client) -> None:
    answer = fhir.request("OPTIONS", "Patient/1", expect=(200, 204))
    assert {"GET", "PUT", "PATCH", "DELETE"} <= set(answer.headers["allow"].replace(" ", "").split(","))


@requirement("OpenAPI 3")
def test_the_openapi_description(fhir: Client) -> None:
    told = fhir.get(f"{fhir.root}/openapi.json").json()
    assert told["openapi"].startswith("3.")
    paths = " ".join(told["paths"])
    assert "Patient" in paths and "$everything" in paths
    assert any({"get", "put", "patch", "delete"} <= row.keys() for row in told["paths"].values())


@requirement("hearth: health")
def test_health(fhir: Client) -> None:
    assert fhir.get(f"{fhir.root}/health/live").json()["status"] == "ok"
    ready = fhir.get(f"{fhir.root}/health/ready").json()
    assert ready["status"] == "ok"
    assert ready["checks"]["database"] == "ok"


@requirement("hearth: metrics")
@pytest.mark.parametrize("header", ["X_Forwarded_For", "Forwarded", "X_Real_Ip"])
def test_metrics_are_not_for_clients_behind_a_proxy(fhir: Client, header: str) -> None:
    value = "for=203.0.113.9" if header == "Forwarded" else "203.0.113.9"
    answer = fhir.get(f"{fhir.root}/metrics", **{header: value}, expect=(403, 404))
    assert "hearth" not in answer.text.lower().replace("hearth-", "")


@requirement("hearth: metrics")
def test_metrics_tell_counts_and_no_clinical_data(fhir: Client) -> None:
    answer = fhir.get(f"{fhir.root}/metrics", expect=(200, 403, 404))
    if answer.status_code == 200:
        assert "# TYPE" in answer.text
        assert "Okafor" not in answer.text


@requirement("RFC 9110#15.5.5")
def test_an_unknown_path_is_404_with_an_outcome(fhir: Client) -> None:
    outcome_of(fhir.get(f"{fhir.root}/nothing/here", expect=404))
    outcome_of(fhir.get("Patient/1/2/3/4", expect=404))
