"""Consent: every scope is told, the answers never come to more than was asked, and narrowing is what it says."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_auth.model import Context, Person
from smart_auth.scopes import plain_words
from smart_auth.scopes.algebra import SPECIAL, covers, intersect, parse
from smart_auth.scopes.consent import ALLOW, EVERYTHING, Question, granted, questions

ANN = Person(id="1", login="ann", name="Ann", fhir_user="Patient/1", patient="1")
BOB = Person(id="2", login="bob", name="Bob", fhir_user="RelatedPerson/5", patient="1")
DOC = Person(id="3", login="doc", name="Doc", fhir_user="Practitioner/9")
HERE = Context(patient="1")

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category|"
LAB, VITALS = f"category={CATEGORY}laboratory", f"category={CATEGORY}vital-signs"
SDOH = "category=http://hl7.org/fhir/us/core/CodeSystem/us-core-category|sdoh"
CONCERN = "category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern"

SCOPES = [
    *sorted(SPECIAL), "launch/imagingstudy?role=r", "patient/*.rs", "patient/*.read", "patient/*.cruds", "user/*.*",
    "patient/Observation.rs", "patient/Observation.cruds", f"patient/Observation.rs?{LAB}", "patient/Condition.read",
    f"patient/Condition.c?{CONCERN}", "user/Patient.s", "user/Observation.r?code=x", "user/SubstanceProtein.rs",
    "patient/*.rs?_tag=t", "patient/Observation.rsX",
]  # fmt: skip


def ask(text: str, person: Person = ANN) -> list[Question]:
    return questions(text, person, HERE)


def everything(rows: Sequence[Question]) -> dict[str, list[str]]:
    """The page sent as it was shown."""
    return {row.key: [option.value for option in row.options if option.checked] for row in rows}


def answer(text: str, changes: Mapping[str, Sequence[str]]) -> str:
    rows = ask(text)
    return granted(rows, everything(rows) | changes)


asked = st.lists(st.sampled_from(SCOPES), max_size=5, unique=True).map(" ".join)


@given(asked)
def test_a_page_left_as_it_is_grants_what_was_asked(text: str) -> None:
    rows = ask(text)
    assert set(granted(rows, everything(rows)).split()) == set(str(parse(text)).split())


@given(asked, st.data())
def test_no_answer_grants_more_than_was_asked(text: str, data: st.DataObject) -> None:
    rows = ask(text)
    words = st.sampled_from([ALLOW, EVERYTHING, *plain_words.ACTIONS, LAB, VITALS, CONCERN, "code=x", "_tag=t", "x"])
    touched = data.draw(st.lists(st.sampled_from([*(row.key for row in rows), "user/*", "openid"]), max_size=4))
    changes = {key: data.draw(st.lists(words)) for key in touched}
    found = parse(granted(rows, everything(rows) | changes))
    assert not found.malformed
    assert covers(parse(text), found)
    assert intersect(parse(text), found) == found


def test_nothing_ticked_grants_nothing() -> None:
    rows = ask("openid offline_access launch/patient patient/*.cruds user/Patient.rs")
    assert granted(rows, {}) == ""
    assert granted(rows, {"openid": [ALLOW]}) == "openid launch/patient"


def test_what_only_informs_is_granted_when_nothing_else_was_asked() -> None:
    assert granted(ask("launch launch/patient"), {}) == "launch launch/patient"


def test_a_type_taken_away() -> None:
    assert answer("openid patient/Observation.rs patient/Patient.read", {"patient/Observation": []}) == (
        "openid patient/Patient.read"
    )


def test_a_type_taken_out_of_a_wildcard() -> None:
    found = answer("patient/*.read", {"patient/Observation": []}).split()
    assert "patient/Condition.read" in found
    assert not {"patient/Observation.read", "patient/*.read", "patient/Group.read"} & set(found)
    assert len(found) == len(plain_words.OF_A_RECORD) - 1


def test_what_else_there_is_taken_out_of_a_wildcard() -> None:
    found = answer("patient/*.rs patient/SubstanceProtein.r", {"patient/*": []}).split()
    assert {"patient/Observation.rs", "patient/SubstanceProtein.r"} <= set(found)
    assert "patient/*.rs" not in found


def test_narrowed_to_categories() -> None:
    changes = {"patient/Observation": ["see", LAB, SDOH], "patient/Condition": ["see", CONCERN]}
    found = answer("patient/Condition.rs patient/Observation.read patient/Patient.rs", changes)
    assert set(found.split()) == {
        f"patient/Observation.rs?{LAB}",
        f"patient/Observation.rs?{SDOH}",
        f"patient/Condition.rs?{CONCERN}",
        "patient/Patient.rs",
    }


def test_categories_out_of_a_wildcard() -> None:
    found = answer("patient/*.rs", {"patient/Observation": ["see", LAB]}).split()
    assert f"patient/Observation.rs?{LAB}" in found
    assert not {"patient/*.rs", "patient/Observation.rs"} & set(found)


def test_who_ticks_a_category_and_forgets_all_of_it_gets_the_category() -> None:
    assert answer("patient/Observation.rs", {"patient/Observation": ["see", EVERYTHING, LAB]}) == (
        f"patient/Observation.rs?{LAB}"
    )
    every = [option.value for option in ask("patient/Observation.rs")[0].options]
    assert answer("patient/Observation.rs", {"patient/Observation": every}) == "patient/Observation.rs"


def test_no_part_or_no_action_grants_nothing() -> None:
    assert answer("patient/Observation.rs", {"patient/Observation": ["see"]}) == ""
    assert answer("patient/Observation.rs", {"patient/Observation": [EVERYTHING, LAB]}) == ""


def test_an_action_taken_away() -> None:
    assert answer("patient/Appointment.*", {"patient/Appointment": ["see"]}) == "patient/Appointment.read"
    assert answer("patient/Appointment.*", {"patient/Appointment": ["see", "add"]}) == "patient/Appointment.crs"


def test_of_granular_scopes_some_may_be_taken_away() -> None:
    text = f"patient/Observation.rs?{LAB} patient/Observation.cruds?{VITALS}"
    assert answer(text, {"patient/Observation": ["see", "add", VITALS]}) == f"patient/Observation.crs?{VITALS}"
    assert answer(text, {"patient/Observation": ["see", SDOH]}) == ""
    [row] = ask(text)
    labels = [option.label for option in row.options if option.kind == "part"]
    assert labels == ["Laboratory results", "Vital signs such as blood pressure and weight"]


def test_a_special_scope_taken_away() -> None:
    assert answer("openid fhirUser offline_access", {"offline_access": []}) == "openid fhirUser"


def test_one_row_for_each_type_and_special_scope() -> None:
    rows = ask("openid patient/Observation.read patient/Observation.cud user/Observation.rs system/*.rs patient/X.rs")
    assert [row.key for row in rows] == ["openid", "patient/Observation", "user/Observation"]
    assert (
        rows[1].explanation == "The app may look up what is there, add new entries, change entries and delete entries."
    )


def test_keys_are_unique_in_the_longest_page() -> None:
    keys = [row.key for row in ask("user/*.cruds patient/*.cruds patient/SubstanceProtein.r " + " ".join(SPECIAL))]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("person", "scope", "about"),
    [
        (ANN, "patient/*.rs", "you"),
        (ANN, "user/Patient.rs", "you"),
        (BOB, "patient/Patient.rs", "the person you act for"),
        (DOC, "patient/Patient.rs", "the patient chosen"),
        (DOC, "user/Patient.rs", "everybody whose data you may see"),
    ],
)
def test_whose_data(person: Person, scope: str, about: str) -> None:
    assert {row.about for row in ask(scope, person)} == {about}
