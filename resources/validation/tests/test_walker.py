"""The walker words every issue: all at once, in order, with the value found and what is expected."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from resources.validation.tests.mutations import damaged
from resources.validation.tests.planted import VALID
from resources.validation.walker import MOST_ISSUES, walk


def _texts(resource: object) -> list[str]:
    return [issue.text for issue in walk(resource)]


def test_all_issues_come_at_once() -> None:
    broken = {"resourceType": "Patient", "gendr": "x", "birthDate": "1980-02-31", "name": {}, "gender": "m"}
    assert [issue.expression for issue in walk(broken)] == [
        "Patient.gendr", "Patient.birthDate", "Patient.name", "Patient.gender",
    ]  # fmt: skip


def test_an_unknown_element_names_the_nearest() -> None:
    assert _texts({"resourceType": "Patient", "gendr": "x"}) == [
        "Patient.gendr: Patient has no element 'gendr'; did you mean 'gender'?"
    ]


def test_an_unknown_type_names_the_nearest() -> None:
    assert _texts({"resourceType": "Pateint"}) == [
        "resourceType: 'Pateint' is no resource type of FHIR R4; did you mean 'Patient'?"
    ]


def test_a_day_that_does_not_exist_says_why() -> None:
    assert _texts({"resourceType": "Patient", "birthDate": "2023-02-29"}) == [
        "Patient.birthDate: '2023-02-29' is no date; expected a day that exists (month 2023-02 has 28 days)"
    ]


def test_a_code_outside_its_value_set_lists_the_codes() -> None:
    [text] = _texts({"resourceType": "Patient", "gender": "mann"})
    assert "'mann'" in text
    assert "expected one of female, male, other, unknown" in text


def test_a_long_value_is_shortened() -> None:
    [text] = _texts({"resourceType": "Patient", "birthDate": "x" * 5000})
    assert len(text) < 200


def test_no_resource_at_all() -> None:
    assert [issue.code for issue in walk([])] == ["structure"]
    assert [issue.code for issue in walk({})] == ["required"]


def test_issues_are_bounded() -> None:
    assert len(walk({"resourceType": "Patient", **{f"x{n}": 1 for n in range(10_000)}})) == MOST_ISSUES


def test_a_deep_resource_is_walked_to_the_end() -> None:
    item: dict[str, object] = {"linkId": "0", "type": "display", "text": "x", "nosuch": 1}
    for depth in range(1, 90):
        item = {"linkId": str(depth), "type": "group", "item": [item]}
    found = walk({"resourceType": "Questionnaire", "status": "draft", "item": [item]})
    assert [issue.expression for issue in found] == ["Questionnaire" + ".item[0]" * 90 + ".nosuch"]


@given(st.sampled_from(sorted(VALID)), st.integers(0, 2**32), st.integers(1, 6))
@settings(max_examples=300, deadline=None)
def test_it_answers_whatever_it_is_given(name: str, seed: int, times: int) -> None:
    for issue in walk(damaged(VALID[name], Random(seed), times)):
        assert issue.text.startswith(issue.expression)
        assert len(issue.text) < 2000
