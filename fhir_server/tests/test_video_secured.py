"""Visits of a secured server: tokens at the operations, tickets at the door, and links that are revoked meanwhile."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_server import video, wiring
from fhir_server.conftest import Answer, Client
from fhir_server.preparation import prepare
from fhir_server.settings import load
from fhir_server.tests.test_video import events, values
from fhir_server.tests.test_video_service import There, serving, until
from fhir_server.video_service import watch_links
from fhir_server.wiring import Process
from smart_auth.model import Approval, Context, Person
from smart_auth.model import Client as App
from smart_auth.people.secret import fresh
from video.signalling.tests.consult import Page

BASE = "http://127.0.0.1:8080/fhir"


class Clinic:
    """A doctor and two patients with accounts, and the appointment of one of them."""

    def __init__(self, process: Process) -> None:
        self.client, self.service = Client(wiring.compose(process)), process.authorization.service
        self.service.records.put_client(App(id="app", name="app", redirect_uris=("https://app.example/",)))
        self.robot = self.token(None, "system/*.cruds")
        self.doctor = self.create("Practitioner", name=[{"family": "Bergmann"}])
        self.patient, self.stranger = (self.create("Patient", name=[{"family": name}]) for name in ("Okafor", "Lund"))
        people = [{"actor": {"reference": who}, "status": "accepted"} for who in (self.patient, self.doctor)]
        times = {"start": "2026-01-05T10:00:00Z", "end": "2026-01-05T10:30:00Z"}
        self.appointment = self.create("Appointment", status="booked", participant=people, **times)

    def create(self, type: str, **fields: Any) -> str:
        made = self.send(self.robot, "POST", type, {"resourceType": type, **fields})
        assert made.status == 201, made.body
        return f"{type}/{made.json['id']}"

    def token(self, who: str | None, scope: str) -> str:
        person, id = None, (who or "").rpartition("/")[2]
        if who:
            patient = id if who.startswith("Patient/") else ""
            person = Person(id=f"id-{id}", login=id, name=id, fhir_user=who, patient=patient)
            self.service.records.put_person(person)
        context = Context(patient=id if who and who.startswith("Patient/") else "")
        owner = person.id if person else ""
        approval = Approval(id=fresh(), client="app", scopes=scope, person=owner, context=context)
        self.service.records.put_approval(approval)
        token: str = self.service.issue.response(approval, person, scope)["access_token"]
        return token

    def send(self, token: str, method: str, path: str, body: Any = None) -> Answer:
        return self.client.send(method, path, body, Authorization=f"Bearer {token}")

    def ask(self, token: str, operation: str) -> dict[str, Any]:
        answer = self.send(token, "POST", f"{self.appointment}/${operation}")
        assert answer.status == 200, answer.body
        return values(answer.json)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    settings = load({"DATA_DIR": str(tmp_path), "PUBLIC_URL": BASE, "VIDEO_PORT": 8081, "LOG_LEVEL": "error"}, {})
    prepare(settings)
    with Process(settings) as made:
        video.take_turns(made)
        yield made


def test_a_visit_by_tokens_tickets_and_a_link_that_is_revoked(process: Process) -> None:
    clinic = Clinic(process)
    doctor = clinic.token(clinic.doctor, "user/*.cruds")
    patient = clinic.token(clinic.patient, "patient/*.rs")
    stranger = clinic.token(clinic.stranger, "patient/*.rs")
    assert clinic.send("", "POST", f"{clinic.appointment}/$join").status == 401
    assert clinic.send(doctor, "POST", f"{clinic.appointment}/$start-visit").status == 200
    assert clinic.send(patient, "POST", f"{clinic.appointment}/$start-visit").status == 403
    for place in (clinic.appointment, "Appointment/absent"):
        assert clinic.send(stranger, "POST", f"{place}/$join").status == 404
        assert clinic.send(stranger, "POST", f"{place}/$invite?role=guest&name=Eve").status == 403
    invited = clinic.ask(doctor, "invite?role=guest&name=Eve")
    tickets = [clinic.ask(token, "join")["ticket"] for token in (patient, doctor)]
    desk = video.desk(process)
    tickets += [desk.redeem(invited["url"].rpartition("=")[2]).ticket]
    asyncio.run(_visit(clinic, process, doctor, invited["id"], tickets))
    refused = [one["outcomeDesc"] for one in events(process, "video-join") if one["outcome"] == "4"]
    assert sorted(refused) == ["ticket-forged", "ticket-replayed"]
    assert denials(process) == ["denied guest revoked"]


def denials(process: Process) -> list[str]:
    return [one["outcomeDesc"] for one in events(process, "video-admit") if one["outcome"] == "4"]


async def _visit(clinic: Clinic, process: Process, token: str, link: str, tickets: list[str]) -> None:
    async with serving(process) as there:
        watching = asyncio.create_task(watch_links(process, there.service.visits))
        patient, doctor, guest = [await there.page(ticket) for ticket in tickets]
        for bad in (tickets[0], tickets[0][:-4] + "AAAA"):
            await _turned_away(there, bad)
        for page in (patient, guest):
            assert (await page.do("ready"))["done"]
            assert (await doctor.do("admit", member=page.seat["member"]))["done"]
        await guest.hear("admitted")
        assert clinic.ask(token, f"revoke-invitation?id={link}")["good"] is False
        await guest.hear("denied")
        await guest.when(lambda: guest.closed)
        assert guest.closed == 4003
        assert (await guest.http.get("/visit/events")).status == 403
        assert (await doctor.do("chat", text="we are alone"))["done"]
        await until(lambda: denials(process))
        watching.cancel()
        for page in (patient, doctor, guest):
            await page.close()


async def _turned_away(there: There, ticket: str) -> None:
    page = Page(there)  # type: ignore[arg-type]
    assert (await page.join(ticket)).status == 403
    await page.close()
