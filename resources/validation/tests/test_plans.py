"""What the walker needs to know of a type."""

from resources.validation.plans import is_primitive, plan


def test_required_elements_and_choices() -> None:
    observation = plan("Observation")
    assert [group[0].name for group in observation.required] == ["status", "code"]
    assert [group[0].choice for group in observation.choices] == ["effective", "value"]
    assert [group[0].choice for group in plan("MedicationRequest").required if group[0].choice] == ["medication"]


def test_rules_come_with_their_keys() -> None:
    assert [key for key, _ in plan("Observation").rules] == ["obs-6", "obs-7"]
    assert "Attachment.size" in [key for key, _ in plan("Attachment").rules]


def test_primitives() -> None:
    assert is_primitive("date")
    assert not is_primitive("Period")
