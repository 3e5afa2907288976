"""The table of operations agrees with the definitions of the specification."""

from fhir_server.operations.table import OPERATIONS
from resources import definitions

DEFINED = {operation.url: operation for operation in definitions.operations()}


def test_rows_agree_with_the_definitions() -> None:
    for row in OPERATIONS:
        defined = DEFINED[row.definition]
        assert row.name == defined.code
        levels = {level for level in ("system", "type", "instance") if getattr(defined, level)}
        assert row.levels <= levels
