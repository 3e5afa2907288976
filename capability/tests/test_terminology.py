"""The TerminologyCapabilities say what the rows serve."""

import msgspec

from capability.rows import Operation
from capability.terminology import terminology_statement
from resources import validation

ROW = Operation("expand", "http://example.org/expand", frozenset({"type"}), frozenset({"ValueSet"}), print, "Lists.")


def test_only_what_is_done_is_stated() -> None:
    stated = msgspec.json.decode(terminology_statement("https://example.org/fhir", (ROW,)))
    validation.check(stated)
    assert "expansion" in stated and "translation" not in stated
    assert {"uri": "http://hl7.org/fhir/administrative-gender"} in stated["codeSystem"]
