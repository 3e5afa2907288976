"""The table of interactions."""

from fhir_server.interactions.addresses import shape
from fhir_server.interactions.table import INTERACTIONS

CODES = {
    "read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create", "search-type",
    "transaction", "batch", "search-system", "history-system", "capabilities",
}  # fmt: skip


def test_every_code_of_the_specification_is_served() -> None:
    assert {row.code for row in INTERACTIONS} == CODES


def test_paths_are_shapes_that_dispatch_knows() -> None:
    examples = {"{type}": "Patient", "{id}": "1", "{other}": "Observation", "{vid}": "2"}
    for row in INTERACTIONS:
        segments = tuple(examples.get(part, part) for part in row.path.split("/")) if row.path else ()
        assert shape(segments) == row.path
