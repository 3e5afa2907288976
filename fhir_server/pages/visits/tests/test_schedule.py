from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from fhir_server.pages.chart.found import find
from fhir_server.pages.visits.schedule import of_day, whose
from fhir_server.pages.visits.tests.conftest import NOW, ZONE, Rig, at
from resources.repository import WHOLE_RECORD, Caller, Grant, Grants, Repository

TODAY = NOW.astimezone(ZoneInfo(ZONE))


@pytest.fixture
def record(rig: Rig) -> Repository:
    return rig.process.repository(Caller("test", grants=WHOLE_RECORD))


def test_the_visits_of_a_day_and_of_somebody(rig: Rig, record: Repository) -> None:
    house = rig.house
    house.booked("later", minutes=60)
    house.booked("now", "PractitionerRole/eves")
    house.booked("tomorrow", start=at(24 * 60), end=at(24 * 60 + 9))
    house.booked("office", minutes=30, serviceType=[{"text": "Office"}])
    house.visit("today")
    house.visit("lastweek", status="finished", period={"start": at(-9000), "end": at(-8990)})
    house.visit("adhoc", status="planned", period=None)
    found = of_day(record, TODAY, ())
    assert [one.place for one in found.visits][:2] == ["Encounter/today", "Appointment/now"]
    assert {one.place for one in found.visits} == {
        "Encounter/today", "Appointment/now", "Appointment/later", "Encounter/adhoc"
    }  # fmt: skip
    assert [one.place for one in found.others] == ["Appointment/office"] and not found.more and not found.refused
    assert whose(record, "Practitioner/eve") == ("Practitioner/eve", "PractitionerRole/eves")
    mine = of_day(record, TODAY, whose(record, "Practitioner/eve"))
    assert [one.place for one in mine.visits] == ["Appointment/now"] and not mine.others


def test_an_appointment_comes_with_the_encounter_that_is_not_over_and_of_its_patient(
    rig: Rig, record: Repository
) -> None:
    house = rig.house
    linked = {"appointment": [{"reference": house.booked("a")}]}
    house.put("Patient", "bo")
    house.visit("over", status="finished", period={"start": at(-9), "end": at(-5)}, **linked)
    house.visit("open", **linked)
    house.visit("foreign", subject={"reference": "Patient/bo"}, **linked)
    found = of_day(record, TODAY, ())
    assert [(one.place, one.patient) for one in found.visits if one.appointment] == [("Appointment/a", "Patient/ada")]
    assert [one.encounter["id"] for one in found.visits if one.appointment and one.encounter] == ["open"]
    assert [one.place for one in found.visits if not one.appointment] == ["Encounter/foreign"]


def test_who_came_early_or_late_is_on_the_list_of_today(rig: Rig, record: Repository) -> None:
    place = rig.house.booked("yesterday", start=at(-24 * 60), end=at(-24 * 60 + 20))
    rig.house.visit("arrived", status="arrived", period=None, appointment=[{"reference": place}])
    assert [one.place for one in of_day(record, TODAY, ()).visits] == ["Encounter/arrived"]
    assert [one.place for one in of_day(record, TODAY + timedelta(days=1), ()).visits] == ["Encounter/arrived"]


def test_what_may_not_be_seen_or_was_not_read_is_told(rig: Rig, record: Repository) -> None:
    for n in range(5):
        rig.house.put("Observation", f"o{n}", status="final", code={"text": "x"}, subject={"reference": "Patient/ada"})
    few = find(record, "Observation", ("patient", "Patient/ada"), most=3)
    assert (len(few.matches), few.more) == (3, 2)
    blind = rig.process.repository(Caller("test", grants=Grants((Grant("Patient", "rs"),))))
    assert find(blind, "Observation").refused == "forbidden" and of_day(blind, TODAY, ()).refused == "forbidden"
    assert find(record, "Observation", ("patiant", "x")).refused == "failed"
