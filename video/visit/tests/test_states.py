import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources import validation
from video.ports import FactKind, Role
from video.visit.states import TABLE, changed
from video.visit.tests.script import appointment, encounter, fact, play, shuffled, visit

NO_ONE_CAME = [
    fact(FactKind.JOINED, 1, 0, Role.PRACTITIONER, standing="admitted"),
    fact(FactKind.ENDED, 2, 20, reason="ended"),
]


def statuses(made):
    return [(entry["status"], entry["period"]["start"][11:16]) for entry in made["statusHistory"]]


def test_the_table_has_a_row_for_every_kind():
    assert set(TABLE) == set(FactKind)


def test_a_visit_step_by_step():
    facts, steps = visit(), []
    made, held = encounter(), appointment()
    for one in facts:
        after = changed(one, made, held)
        made, held = after.encounter, after.appointment
        validation.check(made)
        validation.check(held)
        if not steps or steps[-1] != (made["status"], held["status"]):
            steps.append((made["status"], held["status"]))
    assert steps == [
        ("planned", "booked"),
        ("arrived", "arrived"),
        ("arrived", "checked-in"),
        ("in-progress", "checked-in"),
        ("onleave", "checked-in"),
        ("in-progress", "checked-in"),
        ("finished", "fulfilled"),
    ]


def test_period_length_and_history_are_those_of_the_media():
    made, _, _ = play(visit())
    assert [word for word, _ in statuses(made)] == ["arrived", "in-progress", "onleave", "in-progress", "finished"]
    assert made["period"] == {
        "start": made["statusHistory"][1]["period"]["start"],
        "end": made["statusHistory"][4]["period"]["start"],
    }
    assert float(made["length"]["value"]) == 8  # 4 to 7 and 9 to 14: less the time away


def test_participants_have_periods_and_the_patient_is_none():
    made, _, _ = play(visit())
    doctor, *interpreter = made["participant"]
    assert doctor["individual"] == {"reference": "Practitioner/2"}
    assert doctor["period"]["end"] == made["period"]["end"]
    assert [set(entry["period"]) for entry in interpreter] == [{"start", "end"}] * 2
    assert interpreter[0]["type"][0]["coding"][0]["code"] == "translator"
    assert not any("individual" in entry for entry in interpreter)


def test_chat_and_quality_are_resources_that_validate():
    _, _, [message, quality] = play(visit())
    for one in (message, quality):
        validation.check(one)
        assert one["encounter"] == {"reference": "Encounter/9"}
        assert one["subject"] == {"reference": "Patient/1"}
    assert message["sender"] == {"reference": "Practitioner/2"}
    assert message["payload"] == [{"contentString": "Can you hear me?"}]
    assert len(quality["component"]) == 4


@given(st.integers(0, 2**32), st.integers(0, 40))
def test_any_order_with_any_repetition_comes_to_the_same(seed, repeated):
    straight = play(visit())[:2]
    facts = visit()
    made, held, _ = play(shuffled([*facts, *shuffled(facts, seed + 1)[:repeated]], seed))
    again = {key: sorted(map(str, value)) if key == "participant" else value for key, value in made.items()}
    first = {key: sorted(map(str, value)) if key == "participant" else value for key, value in straight[0].items()}
    assert again == first
    assert held == straight[1]


@pytest.mark.parametrize("cut", range(len(visit()) + 1))
def test_a_repeated_fact_changes_nothing(cut):
    facts = visit()
    made, held, _ = play(facts[:cut])
    for one in facts[:cut]:
        after = changed(one, made, held)
        assert after.encounter is made
        assert after.appointment is held


@given(st.integers(0, 2**32))
def test_nothing_ever_goes_back(seed):
    rank = ["planned", "arrived", "onleave", "in-progress", "cancelled", "finished"]
    order = ["booked", "noshow", "arrived", "checked-in", "fulfilled"]
    made, held = encounter(), appointment()
    for one in shuffled(visit(), seed):
        after = changed(one, made, held)
        was, now = rank.index(made["status"]), rank.index(after.encounter["status"])
        assert now >= was or {made["status"], after.encounter["status"]} <= {"in-progress", "onleave"}
        assert order.index(after.appointment["status"]) >= order.index(held["status"])
        made, held = after.encounter, after.appointment


def test_nobody_came():
    made, held, _ = play(NO_ONE_CAME)
    assert (made["status"], held["status"]) == ("cancelled", "noshow")
    assert "length" not in made


def test_the_patient_waited_in_vain_and_is_no_no_show():
    facts = [fact(FactKind.WAITING, 1, 0, Role.PATIENT), fact(FactKind.ENDED, 2, 20, reason="ended")]
    for order in (facts, facts[::-1]):
        made, held, _ = play(order)
        assert (made["status"], held["status"]) == ("cancelled", "arrived")


def test_an_empty_room_ends_what_began_and_nothing_else():
    waited = [fact(FactKind.WAITING, 1, 0, Role.PATIENT), fact(FactKind.ENDED, 2, 20, reason="expired")]
    made, held, _ = play(waited)
    assert (made["status"], held["status"]) == ("arrived", "arrived")
    validation.check(made)
    later = [fact(FactKind.STARTED, 3, 30), fact(FactKind.ENDED, 4, 45, reason="expired")]
    for order in ([*waited, *later], [*later, *waited], [later[1], waited[1], later[0], waited[0]]):
        made, held, _ = play(order)
        assert (made["status"], held["status"]) == ("finished", "fulfilled")
        assert float(made["length"]["value"]) == 15


@pytest.mark.parametrize("status", ["finished", "cancelled", "entered-in-error"])
def test_what_a_person_closed_stays_closed(status):
    made, _, _ = play(visit(), encounter(status))
    assert made["status"] == status
    assert "statusHistory" not in made


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_a_cancelled_appointment_stays_so(status):
    assert play(visit(), None, appointment(status))[1]["status"] == status


@pytest.mark.parametrize(("status", "after"), [("in-progress", "in-progress"), ("triaged", "triaged")])
def test_an_encounter_of_somebody_else_does_not_go_back(status, after):
    made = changed(fact(FactKind.WAITING, 1, 0, Role.PATIENT), encounter(status), None).encounter
    assert made["status"] == after
    validation.check(made)


def test_whoever_was_not_let_in_took_no_part():
    facts = [
        fact(FactKind.JOINED, 1, 0, Role.GUEST, standing="checking"),
        fact(FactKind.DENIED, 2, 1, Role.GUEST, standing="waiting"),
    ]
    made, _, _ = play(facts)
    assert made["participant"] == encounter()["participant"]


def test_without_encounter_or_appointment_there_is_nothing_to_change():
    after = changed(fact(FactKind.STARTED, 1, 0), None, None)
    assert (after.encounter, after.appointment, after.new) == (None, None, ())
    assert changed(fact(FactKind.CHAT, 1, 0, Role.GUEST, text="  "), None, None).new == ()
    assert changed(fact(FactKind.QUALITY, 1, 0, Role.GUEST), None, None).new == ()
    [message] = changed(fact(FactKind.CHAT, 1, 0, Role.GUEST, text="hi"), None, None).new
    validation.check(message)
    assert "sender" not in message
