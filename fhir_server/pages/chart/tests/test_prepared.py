"""What the patient prepared, as the chart shows it."""

from datetime import UTC
from typing import Any

from fhir_server.pages.chart.prepared import prepared
from fhir_server.pages.chart.section import Section
from fhir_server.pages.visits.staff import STAFF
from fhir_server.pages.visits.tests.conftest import MARKUP, Rig
from resources.repository import NOTHING, WHOLE_RECORD, Caller, Grants
from smart_auth.model import Person

ADA = {"reference": "Patient/ada"}


def read(rig: Rig, grants: Grants = WHOLE_RECORD) -> Section:
    return prepared(rig.process.repository(Caller("test", grants=grants)), "Patient/ada", UTC)


def answered(rig: Rig, id: str, at: str, **of: Any) -> None:
    inner = [{"linkId": "d", "text": "Name", "answer": [{"valueString": "Metformin"}]},
             {"linkId": "e", "text": "How much", "answer": [{"valueString": "1"}]}]  # fmt: skip
    medicine = {"linkId": "m", "text": "Medicine", "item": inner}
    why = {"linkId": "w", "text": "Why", "answer": [{"valueString": MARKUP}]}
    items = [
        {"linkId": "g", "text": "Reason", "item": [why]},
        {"linkId": "t", "text": "Any medicine?", "answer": [{"valueBoolean": True, "item": [medicine]}]},
    ]
    made = {"status": "completed", "subject": ADA, "source": ADA, "authored": at, "item": items}
    rig.house.put("QuestionnaireResponse", id, **(made | of))


def test_question_and_answer_in_the_patients_words(rig: Rig) -> None:
    answered(rig, "old", "2026-01-01T09:00:00Z", status="amended")
    answered(rig, "new", "2026-02-01T09:00:00Z")
    answered(rig, "draft", "2026-03-01T09:00:00Z", status="in-progress")
    answered(rig, "ben", "2026-04-01T09:00:00Z", source={"reference": "Practitioner/ben"})
    found = read(rig)
    assert [(one.text, list(one.facts)) for one in found.items] == [
        ("Sent 1 Feb 2026, 09:00", ["Ada Okafor's own words, not checked by a clinician"]),
        ("Why", [MARKUP]),
        ("Any medicine?", ["Yes"]),
        ("Medicine", ["Name: Metformin", "How much: 1"]),
    ]
    assert [one.facts for one in found.others if one.text.startswith("Sent")] == [
        ["recorded by Dr Ben Wolf"], ["Ada Okafor's own words, not checked by a clinician"],
    ]  # fmt: skip
    assert [one.tags for one in found.others if one.text.startswith("Sent")] == [[], [("Amended", "warn")]]


def test_who_may_not_see_it_is_told(rig: Rig) -> None:
    assert read(rig, NOTHING).refused == "forbidden" and read(rig).empty


def test_practitioners_may_see_it(rig: Rig) -> None:
    answered(rig, "new", "2026-02-01T09:00:00Z")
    ben = Person(id="1", login="ben", name="Ben", fhir_user="Practitioner/ben", password_argon2="")
    assert read(rig, STAFF.grants(ben)).items
