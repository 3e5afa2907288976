"""Several messages in one commit: as if each had come alone, and none is the others' end."""

import random

import pytest

from hl7_bridge.mapping.model import Key, Policy
from hl7_bridge.record import Source, Statement, apply_together
from resources.errors import Conflict, FhirError
from resources.repository import Mark

LAB = Key("urn:org", "lab")


def oru(draft, number, time=1000, status="final", value="5", lab=None):
    made = draft(time)
    patient = made.patient(Key("urn:mrn", str(number)), policy=Policy.MENTION)
    glucose = made.observation(patient, Key("urn:obx", str(number)), status, value)
    made.report(patient, Key("urn:fill", str(number)), [glucose], status)
    if lab:
        made.add(Policy.MENTION, {"resourceType": "Organization", "name": "Lab"}, *lab)
    made.add(Policy.ALWAYS, {"resourceType": "Basic", "code": {"text": "log"}, "subject": glucose.reference})
    return made.mapped


def statements(*mapped, marks=()):
    return [Statement(each, Source("lab", f"T{n}", 1_700_000_000_000), marks) for n, each in enumerate(mapped)]


def test_those_that_have_nothing_in_common_are_one_commit(bench, draft, monkeypatch):
    commits, commit = [], type(bench.repository).commit
    monkeypatch.setattr(
        type(bench.repository), "commit", lambda self, *a, **k: commits.append(a) or commit(self, *a, **k)
    )
    together = apply_together(bench.record, bench.repository, statements(*(oru(draft, n) for n in range(3))))
    assert together.done == {0, 1, 2} and len(commits) == 1
    for n in range(3):
        found = bench.one("Observation", Key("urn:obx", str(n)))
        assert found["subject"]["reference"] == f"Patient/{bench.one('Patient', Key('urn:mrn', str(n)))['id']}"
        assert found["meta"]["source"] == f"urn:hl7v2:lab#T{n}"
        assert bench.apply(oru(draft, n)).changed == ()  # the stamps are there: it says nothing new


@pytest.mark.parametrize("lab", [(LAB,), (LAB, Key("urn:org", "second"))])
def test_what_two_would_make_is_left_to_the_second_alone(bench, draft, lab):
    several = statements(oru(draft, 1, lab=lab), oru(draft, 2, lab=lab[-1:]), oru(draft, 3))
    assert apply_together(bench.record, bench.repository, several).done == {0, 2}
    assert apply_together(bench.record, bench.repository, several[1:2]).done == {0}
    assert len(bench.find("Organization", *lab)) == 1


def test_the_same_patients_messages_do_not_go_together(bench, draft):
    bench.apply(oru(draft, 1))
    several = statements(oru(draft, 1, 2000, "corrected", "6"), oru(draft, 1, 3000, "corrected", "7"))
    assert apply_together(bench.record, bench.repository, several).done == {0}


def test_who_waits_for_what_another_makes_does_not_go_together_with_it(bench, draft):
    other = draft()
    patient = other.patient(Key("urn:mrn", "2"), policy=Policy.MENTION)
    key = Key("urn:obx", "1")
    reference = {"type": "Observation", "identifier": key._asdict()}
    other.observation(patient, Key("urn:obx", "2"), derivedFrom=[reference], pending=(key,))
    assert apply_together(bench.record, bench.repository, statements(other.mapped, oru(draft, 1))).done == {0}


def test_what_a_person_must_decide_is_left_out(bench, draft):
    for n in (1, 2):
        bench.apply(oru(draft, n))
    both = draft()
    both.patient(Key("urn:mrn", "1"), Key("urn:mrn", "2"))
    assert apply_together(bench.record, bench.repository, statements(both.mapped, oru(draft, 3))).done == {1}


def test_nothing_is_stored_when_one_of_them_is_refused(bench, draft):
    wrong = draft()
    wrong.patient(Key("urn:mrn", "2"), policy=Policy.MENTION, gender="nonsense")
    with pytest.raises(FhirError):
        apply_together(bench.record, bench.repository, statements(oru(draft, 1), wrong.mapped))
    assert bench.find("Observation", Key("urn:obx", "1")) == []


def test_a_mark_that_does_not_hold_stops_all(bench, draft):
    bench.store.register_mark("tests.none", "SELECT :id AS id WHERE 1 = 0")
    one, other = statements(oru(draft, 1), oru(draft, 2))
    with pytest.raises(Conflict):
        apply_together(bench.record, bench.repository, [one, other._replace(marks=(Mark("tests.none", {"id": 1}, 1),))])
    assert bench.find("Observation", Key("urn:obx", "1")) == []


def test_any_grouping_comes_to_the_same_end(bench, draft):
    chance = random.Random(4)
    messages = [
        (n, time, status, str(time))
        for n in range(3)
        for time, status in ((1, "preliminary"), (2, "final"), (3, "corrected"))
    ]
    for _ in range(4):
        chance.shuffle(messages)
        for start in range(0, len(messages), 4):
            some = statements(*(oru(draft, *each) for each in messages[start : start + 4]))
            done = apply_together(bench.record, bench.repository, some).done
            for n in set(range(len(some))) - done:
                bench.apply(some[n].mapped)
    found = [bench.one("Observation", Key("urn:obx", str(n))) for n in range(3)]
    assert [(each["status"], each["valueString"]) for each in found] == [("corrected", "3")] * 3
    assert all(int(each["meta"]["versionId"]) <= 3 for each in found)
