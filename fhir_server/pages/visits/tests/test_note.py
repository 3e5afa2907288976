from dataclasses import replace
from uuid import uuid4

import pytest

from fhir_server.pages.visits.note import Writing, notes, written
from fhir_server.pages.visits.tests.conftest import Rig, concept
from resources.errors import BusinessRule, PreconditionFailed
from resources.repository import WHOLE_RECORD, Caller, Repository

BEN = "Practitioner/ben"


@pytest.fixture
def record(rig: Rig) -> Repository:
    rig.house.visit()
    return rig.process.repository(Caller("test", grants=WHOLE_RECORD))


def writing(text: str, **of: object) -> Writing:
    made = Writing(text, False, "", 0, str(uuid4()), "Patient/ada", "Encounter/visit", BEN, "2026-11-23T10:00:00.000Z")
    return replace(made, **of)  # type: ignore[arg-type]


def test_a_draft_is_that_of_its_author(record: Repository) -> None:
    written(record, writing("Ben's ünïcode"))
    mine, others = notes(record, "Encounter/visit", BEN), notes(record, "Encounter/visit", "Practitioner/eve")
    assert mine.draft and mine.draft.text == "Ben's ünïcode" and not mine.others
    assert not others.draft and [(one.mine, one.author) for one in others.others] == [(False, "Dr Ben Wolf")]


def test_what_is_signed_stays(record: Repository) -> None:
    note = written(record, writing("Done.", sign=True))
    assert note.signed
    with pytest.raises(BusinessRule):
        written(record, writing("More.", id=note.id, version=note.version))
    with pytest.raises(PreconditionFailed):
        written(record, writing("More.", id=note.id, version=note.version + 1))


def test_other_documents_are_no_notes_and_those_in_other_formats_are_not_guessed_at(
    rig: Rig, record: Repository
) -> None:
    pdf = [{"attachment": {"contentType": "application/pdf", "url": "http://x.example/1"}}]
    about = {"subject": {"reference": "Patient/ada"}, "context": {"encounter": [{"reference": "Encounter/visit"}]}}
    rig.house.put("DocumentReference", "a", status="current", content=pdf, type=concept("", "34109-9"), **about)
    rig.house.put("DocumentReference", "b", status="current", content=pdf, type=concept("Consent"), **about)
    rig.house.put("DocumentReference", "c", status="superseded", content=pdf, type=concept("", "34109-9"), **about)
    assert [(one.id, one.text) for one in notes(record, "Encounter/visit", BEN).others] == [("a", None)]
