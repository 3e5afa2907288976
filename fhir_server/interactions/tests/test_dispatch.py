"""From method and path to a row."""

import pytest

from fhir_server.http.errors import WrongMethod
from fhir_server.interactions.dispatch import Dispatcher
from fhir_server.interactions.table import INTERACTIONS, RESTRICTED
from fhir_server.operations.table import OPERATIONS
from resources.errors import Invalid, NotFound

DISPATCHER = Dispatcher(INTERACTIONS, OPERATIONS, RESTRICTED)


@pytest.mark.parametrize(
    ("method", "path", "code", "type", "id", "rest"),
    [
        ("GET", "Patient/1", "read", "Patient", "1", ""),
        ("GET", "Patient/1/_history/3", "vread", "Patient", "1", "3"),
        ("GET", "Patient/1/_history", "history-instance", "Patient", "1", "_history"),
        ("GET", "Patient/_history", "history-type", "Patient", "", ""),
        ("GET", "_history", "history-system", "", "", ""),
        ("GET", "Patient", "search-type", "Patient", "", ""),
        ("POST", "Patient/_search", "search-type", "Patient", "", ""),
        ("GET", "Patient/1/Observation", "search-type", "Patient", "1", "Observation"),
        ("POST", "Patient/1/Observation/_search", "search-type", "Patient", "1", "Observation"),
        ("GET", "Patient/1/*", "search-system", "Patient", "1", "*"),
        ("POST", "Patient/1/_search", "search-system", "Patient", "1", "*"),
        ("PUT", "Patient", "update", "Patient", "", ""),
        ("GET", "metadata", "capabilities", "", "", ""),
        ("GET", "Patient/1/$everything", "$everything", "Patient", "1", "$everything"),
        ("POST", "Patient/$validate", "$validate", "Patient", "", ""),
        ("GET", "$meta", "$meta", "", "", ""),
        ("POST", "Patient/1/$meta-add", "$meta-add", "Patient", "1", "$meta-add"),
    ],
)
def test_found(method: str, path: str, code: str, type: str, id: str, rest: str) -> None:
    route = DISPATCHER.find(method, tuple(path.split("/")))
    assert (route.code, route.type, route.id, route.rest) == (code, type, id, rest)


@pytest.mark.parametrize(
    "path", ["a/b/c/d/e", "Patient/1/_history/2/x", "$nothing", "Patient/1/$nothing", "_nothing", "Patients"]
)
def test_not_found(path: str) -> None:
    with pytest.raises(NotFound):
        DISPATCHER.find("GET", tuple(path.split("/")))


def test_operation_at_the_wrong_place_says_where() -> None:
    with pytest.raises(NotFound, match=r"\[type\]/\[id\]/\$everything of Patient"):
        DISPATCHER.find("GET", ("Observation", "1", "$everything"))
    with pytest.raises(NotFound, match=r"\[type\]/\$validate"):
        DISPATCHER.find("POST", ("$validate",))


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "Patient/1", "DELETE, GET, HEAD, PATCH, PUT"),
        ("PUT", "metadata", "GET, HEAD"),
        ("GET", "Patient/1/$meta-add", "POST"),
        ("DELETE", "AuditEvent/1", "GET, HEAD"),
        ("POST", "AuditEvent", "GET, HEAD"),
        ("BREW", "Patient", "DELETE, GET, HEAD, PATCH, POST, PUT"),
    ],
)
def test_wrong_method_lists_the_right_ones(method: str, path: str, allow: str) -> None:
    with pytest.raises(WrongMethod) as caught:
        DISPATCHER.find(method, tuple(path.split("/")))
    assert caught.value.allow == allow


@pytest.mark.parametrize("path", ["AuditEvent/1/_history", "AuditEvent/1/_history/1", "AuditEvent/1/$meta"])
def test_restricted_types_have_no_other_paths(path: str) -> None:
    with pytest.raises(NotFound):
        DISPATCHER.find("GET", tuple(path.split("/")))


def test_no_id() -> None:
    with pytest.raises(Invalid):
        DISPATCHER.find("GET", ("Patient", "a b"))
