"""Where a rule is asked."""

from resources.validation.scope import Scope


def test_root_and_contained() -> None:
    inner = {"resourceType": "Medication", "id": "m"}
    outer = {"resourceType": "MedicationRequest", "contained": [inner, 1]}
    assert not Scope(outer).contained
    assert Scope(inner, Scope(outer)).contained
    assert Scope(inner, Scope(outer)).contained_types == {"m": "Medication"}
    assert Scope({"contained": 1}).contained_types == {}
