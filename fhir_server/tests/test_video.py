"""Visits over the whole server: operations at the edge, facts through the spool, on both databases."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import ANY
from urllib.parse import urlsplit

import psycopg
import pytest

from fhir_server import wiring
from fhir_server.commands.admin import audit_verify
from fhir_server.conftest import BASE, Client
from fhir_server.preparation import prepare
from fhir_server.settings import SettingError, Settings, load
from fhir_server.video import AuditWatch, VisitRecord, desk, files, now, sealer, spool
from fhir_server.video_service import redeemed
from fhir_server.visits.booking import VISITS
from fhir_server.wiring import Process
from resources.errors import Forbidden
from resources.json_codec import decode_stored
from resources.repository import WHOLE_RECORD, Caller, Grant, Grants, HistoryRequest, Put, SearchRequest
from video.errors import Refused
from video.ports import Fact, FactKind, Role
from video.signalling.tickets import open_ticket
from video.visit.delivery import Delivery
from video.visit.encryption import EXTENSION, is_encrypted
from video.visit.virtual_service import services

Json = dict[str, Any]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    given = {"DATA_DIR": str(tmp_path), "DATABASE": database_url, "OPEN": True, "PUBLIC_URL": BASE}
    made = load(
        given | {"VIDEO_PUBLIC_URL": "https://visit.example.org", "AT_REST": "envelope", "STATEMENT_TIMEOUT": 1}, {}
    )
    prepare(made)
    return made


@pytest.fixture
def process(settings: Settings) -> Iterator[Process]:
    with Process(settings) as made:
        yield made


@pytest.fixture
def client(process: Process) -> Client:
    return Client(wiring.compose(process))


class House:
    """A patient, a practitioner, and the appointment between them."""

    def __init__(self, client: Client, start: str = "2026-01-05T10:00:00Z") -> None:
        self.client = client
        name = [{"given": ["Ada"], "family": "Okafor"}]
        self.patient = "Patient/" + client.create({"resourceType": "Patient", "name": name})
        name = [{"prefix": ["Dr"], "family": "Bergmann"}]
        self.doctor = "Practitioner/" + client.create({"resourceType": "Practitioner", "name": name})
        self.appointment = "Appointment/" + client.create(self.booked(start))

    def booked(self, start: str, **more: Any) -> Json:
        people = [{"actor": {"reference": who}, "status": "accepted"} for who in (self.patient, self.doctor)]
        made: Json = {"resourceType": "Appointment", "status": "booked", "participant": people}
        return made | {"start": start, "end": start.replace("T10:0", "T10:3")} | more

    def start(self, **given: str) -> Any:
        answer = self.client.send("POST", f"{self.appointment}/$start-visit?" + "&".join(map("=".join, given.items())))
        assert answer.status == 200, answer.body
        return answer.json

    def join(self, place: str, who: str) -> Json:
        answer = self.client.send("POST", f"{place}/$join?participant={who}")
        assert answer.status == 200, answer.body
        assert answer.headers["cache-control"] == "no-store"
        return values(answer.json)


def values(parameters: Json) -> Json:
    return {
        part["name"]: value
        for part in parameters.get("parameter", ())
        for key, value in part.items()
        if key.startswith("value")
    }


@pytest.fixture
def house(client: Client) -> House:
    return House(client)


def events(process: Process, subtype: str) -> list[Json]:
    process.spool.drain(process.trail())
    repository = process.repository(Caller("auditor", grants=WHOLE_RECORD))
    page = repository.search(SearchRequest("AuditEvent", (("subtype", subtype), ("_count", "100"))))
    return [json.loads(hit.version.doc) for hit in page.hits]


# --- operations


def test_a_visit_is_started_once(house, process):
    first, again = house.start(), house.start()
    assert first == again
    assert (first["status"], first["class"]["code"]) == ("planned", "VR")
    assert first["subject"]["reference"] == house.patient
    assert [one["individual"]["reference"] for one in first["participant"]] == [house.doctor]
    [service] = services(first)
    assert service.address == "https://visit.example.org/visit"
    assert services(house.client.send("GET", house.appointment).json) == [service]


def test_visits_started_at_the_same_time_are_one(process, client, house):
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(house.start()["id"])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_a_visit_is_encrypted_when_that_is_said_before_it_begins(house, process):
    def ticket(who: str) -> Any:
        return open_ticket(sealer(process), house.join(house.appointment, who)["ticket"], now() // 1000)

    first = house.start()
    assert not ticket(house.doctor).encrypted
    assert is_encrypted(house.start(encrypted="true")) and is_encrypted(house.start())
    assert ticket(house.patient).encrypted and ticket(house.doctor).encrypted
    place = f"Encounter/{first['id']}"
    going = house.client.send("GET", place).json | {"status": "in-progress"}
    plain = going | {"extension": [one for one in going["extension"] if one["url"] != EXTENSION]}
    assert house.client.send("PUT", place, plain).status == 200
    assert house.client.send("POST", f"{house.appointment}/$start-visit?encrypted=true").status == 422


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error", "pending"])
def test_what_is_not_booked_is_not_started(client, house, status):
    id = client.create(house.booked("2026-01-05T10:00:00Z", status=status))
    assert client.send("POST", f"Appointment/{id}/$start-visit").status == 422


def test_a_ticket_is_for_whom_the_visit_names(house, process):
    encounter = f"Encounter/{house.start()['id']}"
    for place in (house.appointment, encounter):
        for who, role, name in (
            (house.patient, Role.PATIENT, "Ada Okafor"),
            (house.doctor, "practitioner", "Dr Bergmann"),
        ):
            seat = house.join(place, who)
            ticket = open_ticket(sealer(process), seat["ticket"], now() // 1000)
            assert seat["url"] == f"https://visit.example.org/visit#ticket={seat['ticket']}"
            assert (ticket.role, ticket.actor, ticket.name) == (role, who, name)
            assert (ticket.encounter, ticket.appointment, ticket.patient) == (
                encounter,
                house.appointment,
                house.patient,
            )
            assert seat["expires"]
            assert house.patient.split("/")[1] not in ticket.room + ticket.member
    one, two = (house.join(encounter, house.patient)["ticket"] for _ in range(2))
    opened = [open_ticket(sealer(process), sealed, now() // 1000) for sealed in (one, two)]
    assert opened[0].member == opened[1].member
    assert opened[0].id != opened[1].id
    assert len(events(process, "video-ticket")) == 6


def test_joining_an_appointment_begins_its_visit(house, process):
    seat = house.join(house.appointment, house.patient)
    assert house.start()["id"] == seat["encounter"]["reference"].split("/")[1]


def test_strangers_and_absent_visits_are_refused(house, client):
    other = House(client)
    assert client.send("POST", f"{house.appointment}/$join?participant={other.patient}").status == 403
    assert client.send("POST", f"{house.appointment}/$join").status == 400
    assert client.send("POST", "Appointment/absent/$join?participant=Patient/1").status == 404
    assert client.send("GET", f"{house.appointment}/$join").status == 405


def test_an_encounter_of_another_patient_does_not_lead_into_the_visit(house, client, process):
    other = House(client)
    trap = {"resourceType": "Encounter", "status": "planned", "class": {"code": "VR"}}
    trap |= {"subject": {"reference": other.patient}, "appointment": [{"reference": house.appointment}]}
    id = client.create(trap)
    seat = house.join(house.appointment, house.patient)
    assert seat["encounter"]["reference"] != f"Encounter/{id}"
    ticket = open_ticket(sealer(process), other.join(f"Encounter/{id}", other.patient)["ticket"], now() // 1000)
    assert ticket.appointment == ""
    assert client.send("POST", f"Encounter/{id}/$join?participant={house.patient}").status == 403


def test_a_visit_opens_shortly_before_its_start_but_for_the_practitioner(client):
    house = House(client, "2099-01-05T10:00:00Z")
    assert house.join(house.appointment, house.doctor)["role"] == "practitioner"
    answer = client.send("POST", f"{house.appointment}/$join?participant={house.patient}")
    assert (answer.status, answer.issue["code"]) == (422, "business-rule")


def test_what_is_no_video_visit_is_not_joined_until_it_is_started(house, client):
    ward = {"resourceType": "Encounter", "status": "in-progress", "class": {"code": "IMP"}}
    ward |= {"subject": {"reference": house.patient}, "appointment": [{"reference": house.appointment}]}
    id = client.create(ward)
    for place in (f"Encounter/{id}", house.appointment):
        assert client.send("POST", f"{place}/$join?participant={house.patient}").status == 422
    assert house.start()["id"] == id
    assert house.join(house.appointment, house.patient)["encounter"]["reference"] == f"Encounter/{id}"


def test_a_cancelled_appointment_is_not_joined(house, client):
    house.start()
    booked = client.send("GET", house.appointment).json
    client.send("PUT", house.appointment, booked | {"status": "cancelled"})
    assert client.send("POST", f"{house.appointment}/$join?participant={house.patient}").status == 422


def test_a_practitioner_named_by_role(client, house, process):
    role = client.create({"resourceType": "PractitionerRole", "practitioner": {"reference": house.doctor}})
    people = [{"actor": {"reference": f"PractitionerRole/{role}"}, "status": "accepted"}]
    people.append({"actor": {"reference": house.patient}, "status": "accepted"})
    id = client.create(house.booked("2026-01-05T10:00:00Z", participant=people))
    assert house.join(f"Appointment/{id}", house.doctor)["role"] == "practitioner"


# --- callers that are confined


def as_caller(process: Process, who: str, *grants: Grant) -> Client:
    """The server as a person of the record meets it."""
    application = wiring.compose(process)
    application._caller_of = lambda request: Caller(who, grants=Grants(grants))
    return Client(application)


def patient_grants(patient: str) -> Grant:
    return Grant("*", "rs", compartment=("Patient", patient.split("/")[1]))


def test_a_patient_joins_their_own_visit_and_knows_of_no_other(house, client, process):
    stranger = House(client)
    own = as_caller(process, house.patient, patient_grants(house.patient))
    answer = own.send("POST", f"{house.appointment}/$join")
    assert values(answer.json)["role"] == "patient"
    encounter = values(answer.json)["encounter"]["reference"]
    assert own.send("POST", f"{encounter}/$join").status == 200
    other = as_caller(process, stranger.patient, patient_grants(stranger.patient))
    absent = other.send("POST", "Appointment/absent/$join")
    for place in (house.appointment, encounter):
        foreign = other.send("POST", f"{place}/$join")
        assert (foreign.status, foreign.issue["code"]) == (absent.status, absent.issue["code"]) == (404, "not-found")
    for name in ("start-visit", "invite?role=guest&name=Eve"):
        assert own.send("POST", f"{house.appointment}/${name}").status == 403
    assert own.send("GET", f"{house.appointment}/$invitations").status == 403
    assert own.send("POST", f"{house.appointment}/$join?participant={house.doctor}").status == 403


def test_a_practitioner_joins_where_named(house, client, process):
    stranger = House(client)
    every = Grant("*", "cruds")
    named, other = (as_caller(process, who, every) for who in (house.doctor, stranger.doctor))
    assert named.send("POST", f"{house.appointment}/$start-visit").status == 200
    assert values(named.send("POST", f"{house.appointment}/$join").json)["role"] == "practitioner"
    assert other.send("POST", f"{house.appointment}/$join").status == 403
    reader = as_caller(process, house.doctor, Grant("*", "rs"))
    assert reader.send("POST", f"{house.appointment}/$invite?role=guest&name=Eve").status == 403
    assert named.send("POST", f"{house.appointment}/$invite?role=guest&name=Eve").status == 200


def test_a_service_names_the_participant_and_needs_to_be_allowed_to_change_the_visit(house, process):
    reader, portal = (as_caller(process, "portal", Grant("*", letters)) for letters in ("rs", "rsu"))
    assert reader.send("POST", f"{house.appointment}/$join?participant={house.patient}").status == 403
    assert portal.send("POST", f"{house.appointment}/$join?participant={house.patient}").status == 200


# --- invitations


def invite(house: House, **given: str) -> Any:
    return house.client.send("POST", f"{house.appointment}/$invite?" + "&".join(map("=".join, given.items())))


def secret(answer: Any) -> str:
    assert answer.status == 200, answer.body
    url: str = values(answer.json)["url"]
    assert url.startswith("https://visit.example.org/visit#invitation=")
    return url.rpartition("=")[2]


def test_a_link_buys_tickets_until_it_is_revoked(house, process):
    made = invite(house, role="interpreter", name="Ngozi")
    link, id = secret(made), values(made.json)["id"]
    front = desk(process)
    seats = [front.redeem(link) for _ in range(2)]
    assert [(one.role, one.member) for one in seats] == [("interpreter", seats[0].member)] * 2
    ticket = open_ticket(sealer(process), seats[0].ticket, now() // 1000)
    assert (ticket.name, ticket.actor, ticket.patient) == ("Ngozi", "", house.patient)
    listed = house.client.send("GET", f"{house.appointment}/$invitations").json
    assert [{part["name"] for part in one["part"]} >= {"id", "role", "used"} for one in listed["parameter"]] == [True]
    assert link not in json.dumps(listed)
    assert front.put_out({seats[0].room: (house.appointment,)}) == []
    assert house.client.send("POST", f"{house.appointment}/$revoke-invitation?id=other").status == 404
    assert house.client.send("POST", f"{house.appointment}/$revoke-invitation?id={id}").status == 200
    for word in (link, "", "guessed", "x" * 100_000):
        with pytest.raises(Refused):
            front.redeem(word)
    rooms = {seats[0].room: (seats[0].encounter, house.appointment), "other": ("Encounter/other", "")}
    assert front.put_out(rooms) == [(seats[0].room, seats[0].member)]
    rows = process.store.session().query("SELECT body, secret FROM video_invitation")
    assert not any(text in bytes(column) for row in rows for column in row for text in (b"Ngozi", link.encode()))
    assert len(events(process, "video-invitation")) == 2


def test_the_visit_of_one_patient_is_not_held_in_an_encounter_of_another(house, client):
    other = {"reference": "Patient/" + client.create({"resourceType": "Patient"})}
    number = [{"system": VISITS, "value": f"{house.appointment.removeprefix('Appointment/')}.1"}]
    trap = {"resourceType": "Encounter", "status": "planned", "subject": other, "identifier": number}
    client.create(trap | {"class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR"}})
    assert house.start()["subject"] == {"reference": house.patient}
    assert house.start()["id"] == house.start()["id"]


def test_a_link_opens_no_visit_that_became_somebody_elses(house, process, client):
    link = secret(invite(house, role="patient", participant=house.patient))
    other = "Patient/" + client.create({"resourceType": "Patient"})
    booked = client.send("GET", house.appointment).json
    people = [{"actor": {"reference": who}, "status": "accepted"} for who in (other, house.doctor)]
    assert client.send("PUT", house.appointment, booked | {"participant": people}).status == 200
    with pytest.raises(Refused):
        desk(process).redeem(link)
    assert client.send("GET", f"Encounter?appointment={house.appointment}&_summary=count").json["total"] == 0


def test_who_joins_is_sent_to_the_process_that_has_the_visit(house, process):
    front = desk(process)
    link = secret(invite(house, role="guest", name="Ngozi"))
    before = front.redeem(link)
    assert before.url.startswith("https://visit.example.org/visit#ticket=")
    assert redeemed(process, front, link) == {"ticket": ANY}
    front.nodes.beat("https://two.example.org", 0, draining=False)
    there = front.redeem(link)
    assert there.room == before.room and there.url.startswith("https://two.example.org/visit#ticket=")
    assert redeemed(process, front, link) == {"ticket": ANY, "url": ANY}


def test_a_patient_without_an_account_comes_by_link(house, process):
    link = secret(invite(house, role="patient", participant=house.patient))
    seat = desk(process).redeem(link)
    assert (seat.role, seat.patient) == ("patient", house.patient)
    assert seat.member == open_ticket(sealer(process), seat.ticket, now() // 1000).member


@pytest.mark.parametrize(
    "given",
    [
        {"role": "practitioner", "name": "Eve"},
        {"role": "guest"},
        {"role": "patient", "participant": "Patient/another"},
        {"role": "patient", "name": "Eve"},
        {"role": "guest", "name": "Eve", "days": "0"},
        {"role": "guest", "name": "Eve", "participant": "Patient/1"},
    ],
)
def test_invitations_that_cannot_be(house, given):
    assert invite(house, **given).status == 400


def test_a_link_ends_with_its_visit(house, process):
    link = secret(invite(house, role="guest", name="Eve"))
    encounter = house.start()
    house.client.send("PUT", f"Encounter/{encounter['id']}", encounter | {"status": "finished"})
    with pytest.raises(Refused, match="over"):
        desk(process).redeem(link)
    answer = house.client.send("POST", f"{house.appointment}/$start-visit")
    assert answer.status == 422
    assert house.start(again="true")["id"] != encounter["id"]
    assert desk(process).redeem(link).encounter != f"Encounter/{encounter['id']}"


def test_no_more_than_so_many_links(house):
    for _ in range(20):
        secret(invite(house, role="guest", name="Eve"))
    assert invite(house, role="guest", name="Eve").status == 422


# --- facts


def told(house: House, process: Process, *rows: tuple[FactKind, Role | None, Json]) -> list[Fact]:
    """Facts of the appointment's room, a second apart, that ended just now."""
    seat = house.join(house.appointment, house.patient)
    ticket = open_ticket(sealer(process), seat["ticket"], now() // 1000)
    actors = {Role.PATIENT: house.patient, Role.PRACTITIONER: house.doctor}
    begun = now() - 1000 * len(rows)
    return [
        Fact(
            kind, ticket.room, n, begun + 1000 * n, ticket.encounter, ticket.appointment, ticket.patient,
            f"m{role.value}" if role else "", role.value if role else "", actors.get(role, "") if role else "", detail,
        )
        for n, (kind, role, detail) in enumerate(rows, 1)
    ]  # fmt: skip


VISIT: tuple[tuple[FactKind, Role | None, Json], ...] = (
    (FactKind.JOINED, Role.PATIENT, {"standing": "checking"}),
    (FactKind.WAITING, Role.PATIENT, {}),
    (FactKind.JOINED, Role.PRACTITIONER, {"standing": "admitted"}),
    (FactKind.ADMITTED, Role.PATIENT, {"by": "m1"}),
    (FactKind.STARTED, None, {}),
    (FactKind.CHAT, Role.PATIENT, {"text": "Hello"}),
    (FactKind.DENIED, Role.GUEST, {"by": "m1", "standing": "waiting"}),
    (FactKind.LEFT, Role.PATIENT, {"reason": "left", "standing": "admitted"}),
    (FactKind.QUALITY, Role.PATIENT, {"seconds": 3, "lost": 0.5}),
    (FactKind.ENDED, None, {"reason": "ended", "by": "m1"}),
)


def test_facts_become_the_record_once_with_their_audit(house, process):
    facts, on_the_way = told(house, process, *VISIT), spool(process)
    delivery = Delivery(on_the_way, files(process), VisitRecord(process), now)
    for one in facts:
        on_the_way.put([one])
        assert delivery.step() == 1
    encounter = house.client.send("GET", facts[0].encounter).json
    assert encounter["status"] == "finished"
    assert [entry["status"] for entry in encounter["statusHistory"]][-3:] == ["arrived", "in-progress", "finished"]
    assert encounter["participant"][0]["period"].keys() == {"start", "end"}
    assert house.client.send("GET", house.appointment).json["status"] == "fulfilled"
    versions = encounter["meta"]["versionId"]
    for type in ("Communication", "Observation"):
        found = house.client.send("GET", f"{type}?encounter={facts[0].encounter}&patient={house.patient}").json
        assert len(found["entry"]) == 1
    on_the_way._database.execute("DELETE FROM fact")  # a spool that was lost after the record had it all
    on_the_way.put(facts)
    delivery.step()
    on_the_way.close()
    assert house.client.send("GET", facts[0].encounter).json["meta"]["versionId"] == versions
    joins = events(process, "video-join")
    assert sorted(one["outcomeDesc"] for one in joins) == [
        "joined patient checking", "joined practitioner admitted", "waiting patient"
    ]  # fmt: skip
    assert {one["outcome"] for one in events(process, "video-admit")} == {"0", "4"}
    assert len(events(process, "video-leave")) == len(events(process, "video-end")) == 1
    assert process.store.session().query("SELECT count(*) FROM video_fact")[0][0] == len(facts)
    assert audit_verify(process.settings) == 0


def test_a_file_becomes_a_document_and_is_erased_here(house, process):
    sent = (FactKind.FILE, Role.PATIENT, {"file": "f1", "name": "Brief.pdf", "type": "application/pdf", "size": 8})
    facts, on_the_way, kept = told(house, process, sent, VISIT[-1]), spool(process), files(process)
    kept.put(facts[0].room, "f1", b"%PDF-1.7")
    on_the_way.put(facts)
    delivery = Delivery(on_the_way, kept, VisitRecord(process), now)
    assert (delivery.step(), delivery.step(), kept.rooms()) == (1, 1, [])
    on_the_way._database.execute("DELETE FROM fact")  # as after a kill before the spool heard of the commit
    on_the_way.put(facts)
    delivery.step()
    on_the_way.close()
    [entry] = house.client.send("GET", f"DocumentReference?patient={house.patient}").json["entry"]
    document = entry["resource"]
    assert document["context"]["encounter"] == [{"reference": facts[0].encounter}]
    assert document["author"] == [{"reference": house.patient}] == [document["subject"]]
    url = document["content"][0]["attachment"]["url"]
    assert house.client.send("GET", url).body == b"%PDF-1.7"
    assert len(events(process, "video-file")) == 1


def test_the_database_goes_away_in_the_middle_and_the_record_is_complete(house, process, settings):
    """PostgreSQL takes no connections and ends those there are; of SQLite somebody else holds the file."""
    facts, on_the_way = told(house, process, *VISIT), spool(process)
    delivery = Delivery(on_the_way, files(process), VisitRecord(process), now)
    on_the_way.put(facts[:3])
    assert delivery.step() == 3
    with away(settings):
        on_the_way.put(facts[3:])
        for _ in range(3):
            assert delivery.step() == 0
            on_the_way._database.execute("UPDATE fact SET due = 0")
    while on_the_way.counts()[0]:
        on_the_way._database.execute("UPDATE fact SET due = 0")
        delivery.step()
    assert on_the_way.aside() == []
    on_the_way.close()
    encounter = house.client.send("GET", facts[0].encounter).json
    assert [entry["status"] for entry in encounter["statusHistory"]][-3:] == ["arrived", "in-progress", "finished"]
    assert len(events(process, "video-join")) == 3


@contextmanager
def away(settings: Settings) -> Iterator[None]:
    if settings.database_url.startswith("sqlite"):
        holder = sqlite3.connect(settings.database_url.removeprefix("sqlite:///"), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.rollback()
        holder.close()
        return
    server, name = os.environ["HEARTH_TEST_POSTGRESQL"], urlsplit(settings.database_url).path[1:]
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        yield
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_a_room_that_emptied_gives_way_to_another(house, process):
    facts, on_the_way = told(house, process, VISIT[1], (FactKind.ENDED, None, {"reason": "expired"})), spool(process)
    on_the_way.put(facts)
    assert Delivery(on_the_way, files(process), VisitRecord(process), now).step() == 2
    on_the_way.close()
    again = open_ticket(sealer(process), house.join(house.appointment, house.patient)["ticket"], now() // 1000)
    assert (again.encounter, again.room != facts[0].room) == (facts[0].encounter, True)


def test_others_who_write_the_encounter_meanwhile_lose_nothing(house, process):
    facts, on_the_way = told(house, process, *VISIT), spool(process)
    delivery = Delivery(on_the_way, files(process), VisitRecord(process), now)
    for n, one in enumerate(facts):
        on_the_way.put([one])
        current = house.client.send("GET", one.encounter).json
        house.client.send("PUT", one.encounter, current | {"language": ("fr", "de")[n % 2]})
        delivery.step()
    on_the_way.close()
    after = house.client.send("GET", facts[0].encounter).json
    assert (after["status"], after["language"]) == ("finished", "de")


def test_the_scribe_can_write_visits_and_nothing_else(process, house):
    record = VisitRecord(process)
    patient = record.read(*house.patient.split("/"))
    with pytest.raises(Forbidden):
        record.commit([Put(decode_stored(patient.doc) | {"active": False}, "Patient", patient.id)], (), ())
    history = process.repository(Caller("test", grants=WHOLE_RECORD)).history(HistoryRequest("Patient", patient.id))
    assert len(history.versions) == 1


def test_refusals_of_the_service_are_audited_and_bounded(process):
    watch = AuditWatch(process.refusals)
    for _ in range(100):
        watch.refused("ticket-forged", "", "")
    watch.refused("command", "room", "member")
    process.refusals.settle(last=True)
    found = events(process, "video-join")
    assert len(found) == 21
    assert {one["outcome"] for one in found} == {"4"}
    assert len(events(process, "refused")) == 1


# --- settings


@pytest.mark.parametrize(
    "given",
    [
        {"VIDEO_PORT": "8081", "VIDEO_HOST": "0.0.0.0"},
        {"VIDEO_PUBLIC_URL": "http://visit.example.org"},
        {"VIDEO_TLS_CERT": "a.pem"},
        {"VIDEO_ICE_SERVERS": "stun:stun.example.org", "VIDEO_ICE_SECRET": "s"},
        {"VIDEO_ICE_SERVERS": "turn:turn.example.org"},
        {"VIDEO_RELAY_ONLY": "true"},
        {"OPEN": True, "VIDEO_HOST": "10.0.0.1"},
    ],
)
def test_settings_that_cannot_be(given):
    with pytest.raises(SettingError):
        load(given, {})


def test_without_video_there_are_no_operations_of_visits():
    assert not load({}, {}).video
    assert load({"VIDEO_PORT": "8081"}, {}).video_url == "http://127.0.0.1:8081"
