"""Changes of the record reach an independent MLLP peer once and in order, and its answers reach the record.

The peer is python-hl7's asyncio server; the record and the journal are real, on SQLite and PostgreSQL.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import time
from typing import Any

import hl7
import pytest
from hl7.mllp import HL7StreamReader, HL7StreamWriter, start_hl7_server

from fhir_server.preparation import prepare
from fhir_server.settings import load
from fhir_server.wiring import Process
from hl7_bridge.journal import Sealing, SqlJournal
from hl7_bridge.journal.marks import MARKS
from hl7_bridge.outbound.delivery import Delivery
from hl7_bridge.outbound.follower import Follower
from hl7_bridge.outbound.replies import TASK_SYSTEM
from hl7_bridge.outbound.tests.record import APPOINTMENT, DOCTOR, ORDER, PATIENT, SPECIMEN, VISIT
from hl7_bridge.ports import State
from hl7_bridge.site.model import Receiver, Route, Site
from resources import json_codec
from resources.repository import WHOLE_RECORD, Caller, Create, Grant, Grants, Put, SearchRequest

LAB_ROUTE = Route("ServiceRequest", "OML^O21", "intent=order")
Answers = Callable[[hl7.Message, int], str]


def accept(message: hl7.Message, number: int) -> str:
    return str(message.create_ack("AA"))


@dataclass
class Peer:
    """Answers by ``answer`` (message, how many came before) and keeps what it got."""

    answer: Answers = accept
    got: list[str] = field(default_factory=list)

    async def connected(self, reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
        try:
            while True:
                message = await reader.readmessage()
                self.got.append(str(message))
                answer = self.answer(message, len(self.got) - 1)
                if answer:
                    writer.writemessage(hl7.parse(answer))
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def controls(self) -> list[str]:
        """ORC-1 of each message, the event where there is none."""
        return [_control(hl7.parse(text)) for text in self.got]


def _control(message: hl7.Message) -> str:
    names = [str(segment[0]) for segment in message]
    return str(message.segment("ORC")[1]) if "ORC" in names else str(message.segment("MSH")[9])


class Rig:
    """A record, a journal, and a bridge whose only receiver is ``peer``."""

    def __init__(self, process: Process, journal: SqlJournal, peer: Peer) -> None:
        self.process, self.journal, self.peer = process, journal, peer
        self.people = process.repository(Caller("Practitioner/doc", grants=WHOLE_RECORD))

    def bridge(self, name: str) -> Any:
        return self.process.repository(Caller(f"hl7:{name}", client="hl7", grants=WHOLE_RECORD))

    def put(self, *resources: dict[str, Any]) -> None:
        self.people.commit([Put(each, each["resourceType"], each["id"]) for each in resources])

    def read(self, reference: str) -> dict[str, Any]:
        return json_codec.decode_stored(self.people.read(*reference.split("/")).doc)

    def tasks(self) -> list[dict[str, Any]]:
        found = self.people.search(SearchRequest("Task", (("identifier", f"{TASK_SYSTEM}|"),)))
        return [json_codec.decode_stored(hit.version.doc) for hit in found.hits]

    def run(self, *, until: Callable[[], bool], routes: tuple[Route, ...] = (LAB_ROUTE,), **receiver: Any) -> None:
        """Follow and deliver until ``until`` is so; fails after a while."""
        asyncio.run(self._run(until, routes, receiver))

    async def _run(self, until: Callable[[], bool], routes: tuple[Route, ...], more: dict[str, Any]) -> None:
        server = await start_hl7_server(self.peer.connected, host="127.0.0.1", port=0)
        port = server.sockets[0].getsockname()[1]
        waits = {"retry_seconds": (0.01,), "timeout_seconds": 60.0, **more}
        receiver = Receiver("127.0.0.1", port, name="lab", application="LAB", routes=routes, **waits)
        site = Site(receivers=(receiver,))
        follower = Follower(site, self.bridge("outbound"), self.journal.outbox, self.journal.stamps)
        about = self.journal.outbox.about
        delivery = Delivery(site, self.journal, about, self.bridge, lambda: int(time() * 1000))
        stop = asyncio.Event()
        running = asyncio.create_task(delivery.run(stop))
        async with asyncio.timeout(90):  # what others have open in the same cluster holds the changes back
            while not until():
                await asyncio.to_thread(follower.step)
                await asyncio.sleep(0.02)
        stop.set()
        await running
        server.close()

    def standing(self) -> list[str]:
        """States of what went out, oldest first."""
        from hl7_bridge.journal.reading import Query

        return [entry.state.value for entry in reversed(self.journal.search(Query(direction="out")))]


@pytest.fixture
def rig(database_url: str, tmp_path: Path) -> Iterator[Rig]:
    settings = load({"DATA_DIR": str(tmp_path), "DATABASE": database_url, "OPEN": True}, {})
    prepare(settings)
    journal = SqlJournal(database_url, Sealing(b"hash key of the tests, 32 bytes."))
    with Process(settings) as process:
        for name, sql in MARKS.items():
            process.store.register_mark(name, sql)
        made = Rig(process, journal, Peer())
        made.put(PATIENT, DOCTOR, VISIT, SPECIMEN)
        yield made
    journal.close()


def test_an_order_and_its_cancellation_reach_the_peer_once(rig: Rig) -> None:
    rig.put(ORDER)
    rig.run(until=lambda: rig.standing() == ["applied"])
    rig.put(ORDER | {"status": "revoked"})
    rig.run(until=lambda: rig.standing() == ["applied", "applied"])
    rig.run(until=lambda: rig.journal.outbox.position("outbound") > 0)
    assert rig.peer.controls() == ["NW", "CA"]
    (task,) = rig.tasks()
    assert (task["status"], task["focus"]["reference"]) == ("received", "ServiceRequest/order")


def test_tasks_that_a_patient_writes_keep_no_answer_from_the_record(rig: Rig) -> None:
    """With the number of ours, which they read in their own chart: the next message would be sent for ever."""
    rig.put(ORDER)
    rig.run(until=lambda: rig.standing() == ["applied"])
    [task] = rig.tasks()
    own = Caller("Patient/p", grants=Grants((Grant("Task", "crus", compartment=("Patient", PATIENT["id"])),)))
    forged = {name: value for name, value in task.items() if name not in ("id", "meta")} | {"status": "rejected"}
    for _ in range(2):
        rig.process.repository(own).commit([Create(forged)])
    rig.put(ORDER | {"status": "revoked"})
    rig.run(until=lambda: rig.standing() == ["applied", "applied"])
    assert rig.peer.controls() == ["NW", "CA"]
    [mine] = [one for one in rig.tasks() if one["id"] == task["id"]]
    assert mine["status"] == "received" and mine["meta"]["versionId"] == "2"


def test_the_first_receiver_is_not_told_the_history(rig: Rig) -> None:
    rig.put(ORDER)
    site = Site(receivers=(Receiver("127.0.0.1", 1, name="lab", application="LAB", routes=(LAB_ROUTE,)),))
    for _ in range(2):  # a second start goes on from where the first one stood
        Follower(site, rig.bridge("outbound"), rig.journal.outbox, rig.journal.stamps).begin()
        rig.put(ORDER | {"id": "later"})
    rig.run(until=lambda: rig.standing() == ["applied"])
    assert rig.tasks()[0]["focus"]["reference"] == "ServiceRequest/later"


def test_what_no_route_asks_for_stays_here(rig: Rig) -> None:
    rig.put(ORDER | {"category": [{"text": "x"}]}, APPOINTMENT)
    imaging = Route("ServiceRequest", "OML^O21", "category=http://snomed.info/sct|363679005")
    rig.run(until=lambda: rig.journal.outbox.position("outbound") > 0, routes=(imaging,))
    assert rig.peer.got == []


def orl(control: str, filler: str = "F-1^LAB") -> Answers:
    def answer(message: hl7.Message, number: int) -> str:
        head = f"MSH|^~\\&|LAB||HEARTH||20260102||ORL^O22^ORL_O22|R{number}|P|2.5.1"
        return f"{head}\rMSA|AA|{message.segment('MSH')[10]}\rORC|{control}|P-9^EHR|{filler}\r"

    return answer


def test_an_accepting_answer_gives_the_order_its_number_and_is_no_echo(rig: Rig) -> None:
    rig.peer.answer = orl("OK")
    rig.put(ORDER)
    rig.run(until=lambda: rig.standing() == ["applied"])
    order = rig.read("ServiceRequest/order")
    filler = [each for each in order["identifier"] if each["type"]["coding"][0]["code"] == "FILL"]
    assert [(each["system"], each["value"]) for each in filler] == [("urn:id:LAB", "F-1")]
    assert [task["status"] for task in rig.tasks()] == ["accepted"]
    rig.peer.answer = orl("OK", "F-2^LAB")
    rig.put(ORDER | {"id": "second"})  # changes are followed in their order: what the answer changed comes before it
    rig.run(until=lambda: rig.standing() == ["applied", "applied"])
    assert rig.peer.controls() == ["NW", "NW"]


def test_a_refused_order_shows_in_its_task(rig: Rig) -> None:
    rig.peer.answer = orl("UA", "")
    rig.put(ORDER)
    rig.run(until=lambda: rig.standing() == ["applied"])
    assert [task["status"] for task in rig.tasks()] == ["rejected"]
    assert rig.read("ServiceRequest/order")["status"] == "active"


def test_a_cancelling_answer_revokes_the_order(rig: Rig) -> None:
    rig.peer.answer = orl("OC")
    rig.put(ORDER)
    rig.run(until=lambda: rig.standing() == ["applied"])
    assert rig.read("ServiceRequest/order")["status"] == "revoked"
    assert [task["status"] for task in rig.tasks()] == ["cancelled"]


def test_an_error_is_tried_again_and_then_a_dead_letter(rig: Rig) -> None:
    rig.peer.answer = lambda message, number: str(message.create_ack("AE"))
    rig.put(ORDER)
    rig.run(until=lambda: rig.standing() == ["dead"])
    assert len(rig.peer.got) == 2
    assert len(set(rig.peer.got)) == 1
    assert [task["status"] for task in rig.tasks()] == ["failed"]


def test_a_rejection_is_a_dead_letter_at_once_and_the_next_goes_on(rig: Rig) -> None:
    rig.peer.answer = lambda message, number: str(message.create_ack("AR" if number == 0 else "AA"))
    rig.put(ORDER)
    rig.put(ORDER | {"id": "second"})
    rig.run(until=lambda: rig.standing() == ["dead", "applied"])
    assert len(rig.peer.got) == 2


def foreign(message: hl7.Message, number: int) -> str:
    answer = str(message.create_ack("AA"))
    return answer.replace(str(message.segment("MSH")[10]), "SOMETHING-ELSE") if number == 0 else answer


def silent(message: hl7.Message, number: int) -> str:
    return "" if number == 0 else str(message.create_ack("AA"))


@pytest.mark.parametrize("answer", [foreign, silent], ids=["foreign", "silent"])
def test_without_an_answer_to_it_a_message_is_sent_again_as_it_was(rig: Rig, answer: Answers) -> None:
    rig.peer.answer = answer
    rig.put(ORDER)
    rig.run(until=lambda: rig.standing() == ["applied"], timeout_seconds=0.5)
    assert len(rig.peer.got) >= 2
    assert len(set(rig.peer.got)) == 1


def test_what_a_receiver_sent_us_does_not_go_back_to_it(rig: Rig) -> None:
    from resources.repository import Mark

    sent = ORDER | {"meta": {"source": "urn:hl7v2:lab#77"}}
    version = rig.bridge("lab").commit([Put(sent, "ServiceRequest", "order")])[0].version
    rows = json_codec.encode({"0": ["ServiceRequest", "order", str(version.version), "1", "{}"]}).decode()
    rig.people.commit([], [Mark("hl7.stamp", {"rows": rows})])
    rig.run(until=lambda: rig.journal.outbox.position("outbound") > 0)
    assert rig.peer.got == []
    rig.put(sent | {"priority": "routine"})  # a person changed it and left meta.source as it was
    rig.run(until=lambda: rig.standing() == ["applied"])
    assert rig.peer.controls() == ["XX"]


def test_an_order_of_no_patient_keeps_back_no_other(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    place = {"resourceType": "Location", "id": "ward", "name": "Ward 3"}
    rig.put(place, ORDER | {"id": "of-a-ward", "subject": {"reference": "Location/ward"}})
    rig.put(ORDER | {"id": "of-nobody", "subject": {"display": "Somebody"}}, ORDER)
    rig.run(until=lambda: rig.standing() == ["applied"])
    assert rig.tasks()[0]["focus"] == {"reference": "ServiceRequest/order"}
    told = [vars(one)["type"] for one in caplog.records if one.message == "no message can be made"]
    assert told == ["ServiceRequest"] * 2


def test_an_appointment_tells_its_story(rig: Rig) -> None:
    route = (Route("Appointment", "SIU"),)
    states: list[str] = []
    for change in ({}, {"comment": "x"}, {"status": "cancelled"}):
        rig.put(APPOINTMENT | change)
        states.append(State.APPLIED.value)
        rig.run(until=lambda: rig.standing() == states, routes=route)
    assert [text.split("|")[8].split("^")[1] for text in rig.peer.got] == ["S12", "S14", "S15"]
