"""Opening hours by the clock of the place."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from fhir_server.scheduling.hours import has_hours, open_hours

BERLIN = ZoneInfo("Europe/Berlin")


def minute(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) // 60


def opened(resource, first, last, zone=UTC):
    found = open_hours(resource, zone, (minute(first), minute(last)))
    return [tuple(datetime.fromtimestamp(at * 60, zone).strftime("%d %H:%M") for at in span) for span in found]


def role(*rows, **more):
    return {"resourceType": "PractitionerRole", "availableTime": list(rows)} | more


NINE = {"daysOfWeek": ["mon"], "availableStartTime": "09:00:00", "availableEndTime": "12:00:00"}


def test_the_days_named_and_no_others():
    assert opened(role(NINE), "2026-11-16T00:00Z", "2026-11-30T00:00Z") == [
        ("16 09:00", "16 12:00"),
        ("23 09:00", "23 12:00"),
    ]


def test_the_clock_of_the_place_before_and_after_it_is_put_back():
    daily = NINE | {"daysOfWeek": ["sat", "sun"]}
    found = open_hours(role(daily), BERLIN, (minute("2026-10-24T00:00Z"), minute("2026-10-26T00:00Z")))
    assert found == [(minute("2026-10-24T07:00Z"), minute("2026-10-24T10:00Z")),
                     (minute("2026-10-25T08:00Z"), minute("2026-10-25T11:00Z"))]  # fmt: skip


def test_a_day_of_twenty_five_hours_is_open_for_all_of_them():
    [(lo, hi)] = open_hours(
        role({"daysOfWeek": ["sun"], "allDay": True}),
        BERLIN,
        (minute("2026-10-24T12:00Z"), minute("2026-10-26T12:00Z")),
    )
    assert hi - lo == 25 * 60


def test_hours_past_midnight_belong_to_the_day_they_began_on():
    night = {"daysOfWeek": ["mon"], "availableStartTime": "22:00:00", "availableEndTime": "06:00:00"}
    assert opened(role(night), "2026-11-24T00:00Z", "2026-11-25T00:00Z") == [("24 00:00", "24 06:00")]


def test_absence():
    away = {"during": {"start": "2026-11-23T10:00:00Z", "end": "2026-11-23T11:00:00Z"}}
    found = opened(role(NINE, notAvailable=[away]), "2026-11-23T00:00Z", "2026-11-24T00:00Z")
    assert found == [("23 09:00", "23 10:00"), ("23 11:00", "23 12:00")]


@pytest.mark.parametrize("during", [{"start": "2026-11-23", "end": "2026-11-23"}, {"start": "2026-11-01"}])
def test_a_whole_day_away_and_absence_without_end(during):
    assert opened(role(NINE, notAvailable=[{"during": during}]), "2026-11-23T00:00Z", "2026-11-24T00:00Z") == []


def test_absence_in_words_alone_closes_nothing():
    holidays = {"description": "Public holidays"}
    assert opened(role(NINE, notAvailable=[holidays]), "2026-11-23T00:00Z", "2026-11-24T00:00Z")


def test_a_place_has_its_own_words():
    place = {"resourceType": "Location", "hoursOfOperation": [{"openingTime": "08:00:00", "closingTime": "09:00:00"}]}
    assert has_hours(place) and not has_hours({"resourceType": "Location"})
    assert opened(place, "2026-11-23T00:00Z", "2026-11-24T00:00Z") == [("23 08:00", "23 09:00")]


def test_a_day_away_is_a_day_of_the_place():
    evening = {"availableStartTime": "18:00:00", "availableEndTime": "23:00:00"}
    away = {"during": {"start": "2026-12-24", "end": "2026-12-24"}}
    where = ZoneInfo("America/New_York")
    found = opened(role(evening, notAvailable=[away]), "2026-12-23T12:00Z", "2026-12-26T12:00Z", where)
    assert [begin for begin, _ in found] == ["23 18:00", "25 18:00"]


def test_a_leap_second_is_of_its_minute():
    late = {"availableStartTime": "09:00:60", "availableEndTime": "10:00:00.123456789"}
    assert opened(role(late), "2026-11-23T00:00Z", "2026-11-24T00:00Z") == [("23 09:00", "23 10:00")]
