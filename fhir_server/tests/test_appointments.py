"""Scheduling over the whole server, on both databases: one winner for a time, whoever asks and however often."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from conftest import DIALECTS
from fhir_server import wiring
from fhir_server.appointments import diary
from fhir_server.conftest import Client
from fhir_server.operations import visit
from fhir_server.scheduling import agenda
from fhir_server.tests.processes import running_on
from fhir_server.wiring import Process
from resources.errors import BusinessRule, FhirError, Forbidden, Unavailable
from resources.json_codec import decode_stored
from resources.repository import Caller, Grant, Grants
from video.visit.virtual_service import services

Json = dict[str, Any]

MONDAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=14)
MONDAY -= timedelta(days=MONDAY.weekday())
WORK = [{"daysOfWeek": ["mon", "tue"], "availableStartTime": "09:00:00", "availableEndTime": "12:00:00"}]


def at(hour: int, minute: int = 0, day: int = 0) -> str:
    return (MONDAY + timedelta(days=day, hours=hour, minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(scope="module", params=DIALECTS)
def process(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One for all: each test has a practitioner of its own."""
    folder: Path = tmp_path_factory.mktemp("data")
    settings = {"TIME_ZONE": "UTC", "VIDEO_PUBLIC_URL": "https://visit.example.org"}
    with running_on(request.param, folder, **settings) as made:
        yield made


class Clinic:
    """A practitioner with hours on two mornings, their schedule, and a patient."""

    def __init__(self, process: Process) -> None:
        self.client = Client(wiring.compose(process))
        create = self.client.create
        self.patient = "Patient/" + create({"resourceType": "Patient", "name": [{"family": "Okafor"}]})
        self.doctor = "Practitioner/" + create({"resourceType": "Practitioner", "name": [{"family": "Bergmann"}]})
        who = {"reference": self.doctor}
        self.role = "PractitionerRole/" + create(
            {"resourceType": "PractitionerRole", "practitioner": who, "availableTime": WORK}
        )
        self.schedule = self.scheduled(length=30, after=10)

    def scheduled(self, **rules: int) -> str:
        parts = [{"url": name, "valueUnsignedInt": value} for name, value in rules.items()]
        extension = [{"url": "urn:x-hearth:schedule-rules", "extension": parts}] if parts else []
        body: Json = {"resourceType": "Schedule", "actor": [{"reference": self.role}], "extension": extension}
        return "Schedule/" + self.client.create(body if parts else {k: v for k, v in body.items() if k != "extension"})

    def ask(self, method: str, path: str, status: int = 200, **given: str) -> Json:
        query = "&".join(f"{name}={value}" for name, value in given.items())
        answer = self.client.send(method, f"{path}?{query}")
        assert answer.status == status, answer.body
        found: Json = answer.json
        return found

    def refused(self, status: int, method: str, path: str, **given: str) -> str:
        said: str = self.ask(method, path, status, **given)["issue"][0]["details"]["text"]
        return said

    def free(self, place: str = "", **given: str) -> list[str]:
        window = {"start": at(0), "end": at(0, day=2), "count": "100"}
        found = self.ask("GET", f"{place or self.schedule}/$find", **(window | given))
        return [entry["resource"]["start"][:16] + "Z" for entry in found.get("entry", ())]

    def book(self, status: int = 200, **given: str) -> Json:
        asked = {"schedule": self.schedule, "patient": self.patient} | given
        found = self.ask("POST", "Appointment/$book", status, **asked)
        return {part["name"]: part.get("resource", part.get("valueUrl")) for part in found.get("parameter", ())}


@pytest.fixture
def clinic(process: Process) -> Clinic:
    session = process.store.session()
    with session.transaction():  # what other tests hold
        session.query("DELETE FROM scheduling_taken WHERE until > 0")
    return Clinic(process)


def short(*hours: tuple[int, int]) -> list[str]:
    return [at(*hour).replace(":00Z", "Z") for hour in hours]


def test_what_is_open_is_found_and_what_is_booked_is_not(clinic):
    assert clinic.free(end=at(10, 40)) == short((9, 0), (9, 30), (10, 0))
    clinic.book(start=at(9, 30))
    # Ten minutes after it stay free, and ten before the next would reach into it.
    assert clinic.free(end=at(12)) == short((10, 30), (11, 0), (11, 30))


def test_numbers_that_are_too_long_are_told(clinic):
    place = f"Appointment/{clinic.book(start=at(9))['appointment']['id']}"
    for text in ("1" * 5000, "0000000001", "0"):
        assert "from 1 to 500" in clinic.refused(400, "GET", f"{clinic.schedule}/$find", count=text)
        assert "from 1 to 365" in clinic.refused(400, "POST", f"{place}/$invite", role="guest", name="Ngozi", days=text)


def test_what_others_wrote_without_references_is_moved_where_it_can_be(clinic):
    """A Slot of a schedule that is not here, and a schedule whose actor is nobody of this server."""
    create, times = clinic.client.create, {"start": at(9), "end": at(9, 30)}
    who = [{"actor": {"reference": clinic.patient}, "status": "accepted"}]
    nobody = create({"resourceType": "Schedule", "actor": [{"display": "Dr Elsewhere"}]})
    for n, schedule in enumerate(({"display": "of another clinic"}, {"reference": f"Schedule/{nobody}"})):
        slot = create({"resourceType": "Slot", "schedule": schedule, "status": "busy"} | times)
        slots = [{"reference": f"Slot/{slot}"}]
        made = create({"resourceType": "Appointment", "status": "booked", "slot": slots, "participant": who} | times)
        said = clinic.refused(422, "POST", f"Appointment/{made}/$reschedule", start=at(10))
        assert "of this server" in said
        moved = clinic.ask("POST", f"Appointment/{made}/$reschedule", start=at(10, 0, n), schedule=clinic.schedule)
        assert [one["actor"]["reference"] for one in moved["participant"]] == [clinic.patient, clinic.role]


def test_an_appointment_says_who_when_and_why(clinic):
    made = clinic.book(start=at(9), reason="Cough", comment="since Friday")
    appointment, slot = made["appointment"], made["slot"]
    assert appointment["status"] == "booked" and slot["status"] == "busy"
    assert [one["actor"]["reference"] for one in appointment["participant"]] == [clinic.patient, clinic.role]
    assert appointment["slot"] == [{"reference": f"Slot/{slot['id']}"}]
    assert appointment["reasonCode"] == [{"text": "Cough"}] and appointment["comment"] == "since Friday"
    assert (appointment["start"][:16], appointment["minutesDuration"]) == (at(9)[:16], 30)
    assert "visit" not in made


def test_a_visit_by_video_is_booked_with_its_link(clinic):
    made = clinic.book(start=at(9), virtual="true")
    assert services(made["appointment"])
    assert made["visit"].startswith("https://visit.example.org/")


def test_of_fifty_who_want_one_time_one_gets_it(process, clinic):
    book, schedule = diary(process), decode_stored(clinic.client.send("GET", clinic.schedule).body)
    caller = Caller("Practitioner/desk", grants=Grants((Grant("*", "cruds"),)))
    start = int(MONDAY.timestamp()) // 60 + 9 * 60

    def one(number: int) -> str:
        try:
            book.book(caller, schedule, start + 30 * (number % 2), clinic.patient, lambda made: made)
        except FhirError as error:
            return error.code
        return "booked"

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(one, range(50)))
    assert said.count("booked") == 1, said  # half of them asked for a time that overlaps by its ten minutes
    assert set(said) == {"booked", "conflict"}
    assert len(clinic.ask("GET", "Appointment", patient=clinic.patient)["entry"]) == 1


def test_one_practitioner_with_two_schedules_has_one_day(clinic):
    other = clinic.scheduled()
    clinic.book(start=at(9))
    assert at(9).replace(":00Z", "Z") not in clinic.free(other)
    clinic.book(409, schedule=other, start=at(9))


def test_an_actor_named_by_a_version_has_the_same_day(clinic):
    actor = [{"reference": f"{clinic.doctor}/_history/1"}]
    named = "Schedule/" + clinic.client.create({"resourceType": "Schedule", "actor": actor})
    clinic.book(start=at(9))
    assert at(9).replace(":00Z", "Z") not in clinic.free(named)
    clinic.book(schedule=named, start=at(11))
    assert at(11).replace(":00Z", "Z") not in clinic.free()


def test_what_is_held_is_booked_by_who_holds_it(process, clinic):
    slot = clinic.ask("POST", f"{clinic.schedule}/$hold", start=at(9))
    assert slot["status"] == "busy-tentative"
    assert short((9, 0))[0] not in clinic.free()
    clinic.book(409, start=at(9))
    made = clinic.book(slot=f"Slot/{slot['id']}")
    assert made["slot"]["id"] == slot["id"] and made["slot"]["status"] == "busy" and "extension" not in made["slot"]
    clinic.book(409, slot=f"Slot/{slot['id']}")


def test_a_hold_lapses(process, clinic):
    clinic.ask("POST", f"{clinic.schedule}/$hold", start=at(9))
    _until(process, clinic, 1)
    assert short((9, 0))[0] in clinic.free()
    clinic.book(start=at(9))


def test_nobody_holds_a_whole_day(clinic):
    for hour, minute in ((9, 0), (10, 0), (11, 0), (33, 0), (34, 0)):
        clinic.ask("POST", f"{clinic.schedule}/$hold", start=at(hour, minute))
    assert "hold" in clinic.refused(422, "POST", f"{clinic.schedule}/$hold", start=at(35))


def test_cancelled_is_free_again(clinic):
    before = clinic.free()
    made = clinic.book(start=at(9))
    place = f"Appointment/{made['appointment']['id']}"
    cancelled = clinic.ask("POST", f"{place}/$cancel", reason="better")
    assert (cancelled["status"], cancelled["cancelationReason"]) == ("cancelled", {"text": "better"})
    assert clinic.free() == before
    assert "cancelled" in clinic.refused(422, "POST", f"{place}/$cancel")


def test_what_an_app_cancels_by_itself_is_free_again(clinic):
    made = clinic.book(start=at(9))["appointment"]
    answer = clinic.client.send("PUT", f"Appointment/{made['id']}", made | {"status": "cancelled"})
    assert answer.status == 200
    assert short((9, 0))[0] in clinic.free()
    clinic.book(start=at(9))
    statuses = [entry["resource"]["status"] for entry in clinic.ask("GET", "Slot", schedule=clinic.schedule)["entry"]]
    assert sorted(statuses) == ["busy", "free"]


def test_moved_by_less_than_its_length(clinic):
    """Its own time does not stand in its way."""
    schedule = clinic.scheduled(length=30, every=15)
    made = clinic.book(start=at(9), schedule=schedule)
    moved = clinic.ask("POST", f"Appointment/{made['appointment']['id']}/$reschedule", start=at(9, 15))
    assert moved["start"][:16] == at(9, 15)[:16]
    assert short((9, 0))[0] not in clinic.free(schedule) and short((9, 45))[0] in clinic.free(schedule)
    clinic.book(409, start=at(9, 30), schedule=schedule)


def test_moved_to_a_taken_time_it_stays(clinic):
    first, second = clinic.book(start=at(9)), clinic.book(start=at(11))
    clinic.ask("POST", f"Appointment/{second['appointment']['id']}/$reschedule", 409, start=at(9))
    kept = clinic.ask("GET", f"Appointment/{second['appointment']['id']}")
    assert kept["start"] == second["appointment"]["start"]
    clinic.book(409, start=at(11))
    assert first["appointment"]["status"] == "booked"


def test_nobody_holds_more_by_asking_all_at_once(process, clinic):
    times = [at(9 + minutes // 60, minutes % 60, day) for day in (0, 1) for minutes in (0, 40, 80, 120)]
    asks = [f"{clinic.schedule}/$hold?start={time}" for time in times]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda ask: clinic.client.send("POST", ask).status, asks))
    assert sorted(answers) == [201] * 5 + [422] * 3 or sorted(answers) == [200] * 5 + [422] * 3


def test_refusals_name_what_the_caller_gave(clinic):
    asked = {"schedule": clinic.schedule, "start": at(9), "patient": "Patient/none"}
    issue = clinic.ask("POST", "Appointment/$book", 422, **asked)["issue"][0]
    assert issue["expression"] == ["patient"] and issue["details"]["text"].startswith("patient refers to Patient/none")
    parts = [{"name": name, "valueString": value} for name, value in asked.items() if name != "patient"]
    parts += [{"name": "patient", "valueString": clinic.patient}, {"name": "reason", "valueString": "a\x01b"}]
    answer = clinic.client.send("POST", "Appointment/$book", {"resourceType": "Parameters", "parameter": parts})
    assert answer.issue["expression"] == ["reason"] and "Bundle" not in answer.issue["details"]["text"]


def test_no_link_no_booking(process, clinic, monkeypatch):
    """What cannot be had is told before anything is written."""

    def broken(*_: Any) -> str:
        raise Unavailable("no links just now")

    monkeypatch.setattr(visit, "invited", broken)
    clinic.book(503, start=at(9), virtual="true")
    assert short((9, 0))[0] in clinic.free()


def test_schedules_that_were_not_looked_through_are_counted(clinic):
    for _ in range(21):
        clinic.scheduled(length=30)
    found = clinic.ask("GET", "Schedule/$find", actor=clinic.role, start=at(0), end=at(0, day=1))
    outcome = found["entry"][-1]
    assert outcome["search"]["mode"] == "outcome"
    assert "20 schedules were looked through and 2 were not" in outcome["resource"]["issue"][0]["details"]["text"]


@pytest.mark.parametrize("status", ["busy", "busy-unavailable"])
def test_slots_of_others_close_and_open(clinic, status):
    ends = {"start": at(9), "end": at(10)}
    clinic.client.create({"resourceType": "Slot", "schedule": {"reference": clinic.schedule}, "status": status} | ends)
    extra = {"start": at(18), "end": at(19)}
    clinic.client.create({"resourceType": "Slot", "schedule": {"reference": clinic.schedule}, "status": "free"} | extra)
    found = clinic.free(end=at(23))
    assert short((9, 0))[0] not in found and short((9, 30))[0] not in found
    assert short((18, 0))[0] in found
    clinic.book(409 if status == "busy" else 422, start=at(9))
    clinic.book(start=at(18))


def test_a_holiday_is_one_slot_of_weeks(clinic):
    """Slots are searched by when they begin, and this one began long before the day that is asked for."""
    away = {"start": at(0, day=-10), "end": at(0, day=1)}
    clinic.client.create(
        {"resourceType": "Slot", "schedule": {"reference": clinic.schedule}, "status": "busy-unavailable"} | away
    )
    assert clinic.free(end=at(23)) == []
    clinic.book(422, start=at(9))
    clinic.book(start=at(9, day=1))


def test_what_an_interface_booked_is_taken(clinic):
    people = [{"actor": {"reference": who}, "status": "accepted"} for who in (clinic.patient, clinic.doctor)]
    body = {"resourceType": "Appointment", "status": "booked", "participant": people}
    clinic.client.create(body | {"start": at(9), "end": at(9, 30)})
    assert short((9, 0))[0] not in clinic.free()
    clinic.book(409, start=at(9))


def test_schedules_are_found_by_their_practitioner(clinic):
    clinic.scheduled()
    found = clinic.ask("GET", "Schedule/$find", actor=clinic.role, start=at(9), end=at(10))
    assert [entry["resource"]["start"][:16] for entry in found["entry"]] == [at(9)[:16]] * 2 + [at(9, 30)[:16]] * 2
    assert "Which schedules" in clinic.refused(400, "GET", "Schedule/$find")


@pytest.mark.parametrize(
    ("given", "status", "word"),
    [
        ({"start": "2001-01-01T09:00:00Z"}, 422, "over"),
        ({"start": at(13)}, 422, "not open"),
        ({"start": "tomorrow"}, 400, "instant"),
        ({"start": at(9), "patient": "Group/1"}, 400, "patient"),
        ({"start": at(9), "schedule": "Patient/1"}, 400, "Schedule"),
    ],
)
def test_what_can_not_be_booked_is_said(clinic, given, status, word):
    asked = {"schedule": clinic.schedule, "patient": clinic.patient} | given
    assert word in clinic.refused(status, "POST", "Appointment/$book", **asked)


def test_a_patient_books_for_themselves_alone(process, clinic):
    own = Grants((Grant("Appointment", "crus", compartment=tuple(clinic.patient.split("/"))),))  # type: ignore[arg-type]
    caller, book = Caller(clinic.patient, grants=own), diary(process)
    schedule = decode_stored(clinic.client.send("GET", clinic.schedule).body)
    stranger = "Patient/" + clinic.client.create({"resourceType": "Patient"})
    start = int(MONDAY.timestamp()) // 60 + 9 * 60
    with pytest.raises(Forbidden):
        book.book(caller, schedule, start, stranger, lambda made: made)
    made, slot = book.book(caller, schedule, start, clinic.patient, lambda made: made)
    assert decode_stored(slot.doc)["status"] == "busy"
    cancelled = book.cancel(caller, decode_stored(made.doc), "")
    assert decode_stored(cancelled.doc)["status"] == "cancelled"


def test_who_names_the_slot_of_another_does_not_give_it_back(clinic):
    booked = clinic.book(start=at(9))["slot"]
    held = clinic.ask("POST", f"{clinic.schedule}/$hold", start=at(11))
    stranger = "Patient/" + clinic.client.create({"resourceType": "Patient"})
    people = [{"actor": {"reference": stranger}, "status": "accepted"}]
    slots = [{"reference": f"Slot/{slot['id']}"} for slot in (booked, held)]
    body = {"resourceType": "Appointment", "status": "booked", "participant": people, "slot": slots}
    ends = {"start": at(9), "end": at(9, 30)}
    moved, cancelled = (f"Appointment/{clinic.client.create(body | ends)}" for _ in range(2))
    clinic.ask("POST", f"{moved}/$reschedule", start=at(10, 15))
    clinic.ask("POST", f"{cancelled}/$cancel")
    statuses = [clinic.ask("GET", f"Slot/{slot['id']}")["status"] for slot in (booked, held)]
    assert statuses == ["busy", "busy-tentative"]
    clinic.book(409, start=at(9))
    clinic.book(slot=f"Slot/{held['id']}")


def test_a_hold_booked_as_it_lapses_is_not_given_back(process, clinic):
    """Who books next saw it lapsed, and commits after it was booked."""
    held = clinic.ask("POST", f"{clinic.schedule}/$hold", start=at(9))
    _until(process, clinic, 1)
    late = diary(process)
    repository_of = late._repository_of

    def after_the_other(caller: Caller) -> Any:
        _until(process, clinic, late.now() + 60_000)
        clinic.book(slot=f"Slot/{held['id']}")
        return repository_of(caller)

    late._repository_of = after_the_other  # type: ignore[method-assign]
    caller = Caller("Practitioner/desk", grants=Grants((Grant("*", "cruds"),)))
    schedule = decode_stored(clinic.client.send("GET", clinic.schedule).body)
    late.book(caller, schedule, int(MONDAY.timestamp()) // 60 + 11 * 60, clinic.patient, lambda made: made)
    assert clinic.ask("GET", f"Slot/{held['id']}")["status"] == "busy"
    rows = process.store.session().query("SELECT until FROM scheduling_taken WHERE actor = $1", (clinic.doctor,))
    assert len(rows) == 16 and {until for (until,) in rows} == {0}


def _until(process: Process, clinic: Clinic, until: int) -> None:
    session = process.store.session()
    with session.transaction():
        session.query("UPDATE scheduling_taken SET until = $1 WHERE actor = $2", (until, clinic.doctor))


@pytest.mark.parametrize("far", ["9999-12-30T09:00:00Z", "9999-12-31T23:59:00Z"])
def test_the_calendar_ends(clinic, far):
    assert "entry" not in clinic.ask("GET", f"{clinic.schedule}/$find", start=far)
    assert "not open" in clinic.refused(422, "POST", f"{clinic.schedule}/$hold", start=far)


def test_what_was_given_back_is_not_read_again(clinic, monkeypatch):
    """Who books and cancels over and over does not close a day for the others."""
    monkeypatch.setattr(agenda, "_MOST", 2)
    for _ in range(4):
        made = clinic.book(start=at(9))["appointment"]
        clinic.ask("POST", f"Appointment/{made['id']}/$cancel")
    assert short((9, 0))[0] in clinic.free()


@pytest.mark.parametrize("who", ["", "RelatedPerson/1"])
def test_a_patient_takes_not_all_times_and_the_clinic_may(process, clinic, who, monkeypatch):
    book = diary(process)
    monkeypatch.setattr(book, "_most_ahead", 2)
    schedule = decode_stored(clinic.client.send("GET", clinic.schedule).body)
    grants = Grants((Grant("*", "cruds"),))
    own, desk = Caller(who or clinic.patient, grants=grants), Caller("Practitioner/desk", grants=grants)
    starts = [int(MONDAY.timestamp()) // 60 + (9 + n) * 60 for n in range(3)]
    held = decode_stored(book.hold(own, schedule, starts[2]).doc)
    made, _ = [book.book(own, schedule, start, clinic.patient, lambda made: made)[0] for start in starts[:2]]
    with pytest.raises(BusinessRule, match="2 appointments are ahead already"):
        book.book_held(own, held, clinic.patient, lambda made: made)
    with pytest.raises(BusinessRule, match="2 appointments are ahead already"):
        book.book(own, schedule, starts[0] + 1440, clinic.patient, lambda made: made)
    book.book(desk, schedule, starts[1] + 1440, clinic.patient, lambda made: made)
    book.cancel(own, decode_stored(made.doc), "")
    monkeypatch.setattr(book, "_most_ahead", 3)
    book.book_held(own, held, clinic.patient, lambda made: made)
