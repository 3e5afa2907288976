"""Input of operations."""

import io
import json
from typing import Any, cast

import pytest

from fhir_server.http.request import Request, parse_query
from fhir_server.interactions.exchange import Exchange, Service
from fhir_server.operations.parameters import Parameters, read_parameters
from resources.errors import BadSyntax, Invalid
from resources.repository import Repository


def given(body: Any = None, query: str = "", method: str = "POST") -> Parameters:
    data = b"" if body is None else json.dumps(body).encode()
    environ = {
        "wsgi.input": io.BytesIO(data),
        "CONTENT_LENGTH": str(len(data)),
        "CONTENT_TYPE": "application/fhir+json",
    }
    request = Request(method, ("Patient", "$x"), parse_query(query), environ, "r1")
    none = cast(Repository, None)
    exchange = Exchange(request, none, Service("https://h.example/fhir", lambda: b""), lambda e: cast(Any, None))
    return read_parameters(exchange, ("resource", "mode", "flag", "meta", "_type"))


def parameters(*parts: Any) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(parts)}


def test_query() -> None:
    found = given(query="mode=create&_type=A,B&_type=C&_format=xml", method="GET")
    assert (found.value("mode"), found.all("_type"), found.value("flag")) == ("create", ["A", "B", "C"], "")


def test_bare_resource() -> None:
    assert given({"resourceType": "Patient"}).resources == {"resource": {"resourceType": "Patient"}}


def test_parameters_and_query_together() -> None:
    found = given(
        parameters(
            {"name": "resource", "resource": {"resourceType": "Patient"}},
            {"name": "flag", "valueBoolean": True},
            {"name": "meta", "valueMeta": {"tag": []}},
        ),
        "mode=update",
    )
    assert found.value("flag") == "true"
    assert found.value("mode") == "update"
    assert found.complex == {"meta": {"tag": []}}
    assert found.resources["resource"] == {"resourceType": "Patient"}


def test_no_body() -> None:
    assert given() == Parameters((), {}, {})


def test_unknown_names_are_refused() -> None:
    with pytest.raises(Invalid, match="colour is no parameter"):
        given(query="colour=red", method="GET")


@pytest.mark.parametrize("part", [1, {}, {"name": "mode"}, {"name": "mode", "valueCode": "a", "valueString": "b"}])
def test_broken_parts(part: Any) -> None:
    with pytest.raises(BadSyntax):
        given(parameters(part))


def test_parameter_must_be_a_list() -> None:
    with pytest.raises(BadSyntax):
        given({"resourceType": "Parameters", "parameter": {}})
