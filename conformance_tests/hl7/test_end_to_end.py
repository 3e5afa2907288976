"""From admission to the corrected result: ADT in, the order out, results in, and what can be read of it all."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import hl7
import pytest
from hl7.mllp import HL7StreamReader, HL7StreamWriter, start_hl7_server

from conformance_tests.client import Client, Json
from conformance_tests.hl7.bridge import KIT, Bridge, bridged, found, until
from conformance_tests.hl7.messages import AUTHORITY, HOSPITAL, LOINC, adt, msh, obx, pid
from conformance_tests.hl7.wire import Wire
from conformance_tests.process import free_port, postgresql

requirement = pytest.mark.requirement
New = Callable[[], str]


class Laboratory:
    """python-hl7's server: keeps the orders that come and accepts them."""

    def __init__(self, port: int) -> None:
        self.got: list[hl7.Message] = []
        self.port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        self._server = self._loop.run_until_complete(start_hl7_server(self._met, "127.0.0.1", self.port))
        self._loop.run_forever()

    async def _met(self, reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
        try:
            while True:
                message = await reader.readmessage()
                self.got.append(message)
                writer.writemessage(message.create_ack("AA"))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def orders(self, number: str) -> list[hl7.Message]:
        return [each for each in list(self.got) if number in str(each)]

    def __enter__(self) -> "Laboratory":
        self._thread.start()
        return self

    def __exit__(self, *ended: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Bridge, Laboratory, Client]]:
    """A hospital that sends its orders to a laboratory."""
    lab = Laboratory(free_port())
    routes = '[[routes]]\ntype = "ServiceRequest"\nmessage = "OML^O21"\n'
    receiver = f'host = "127.0.0.1"\nport = {lab.port}\napplication = "LAB"\nsender = "lab"\n{routes}'
    with ExitStack() as opened:
        database = opened.enter_context(postgresql()) if request.param == "postgresql" else ""
        kit = {**KIT, "receivers/laboratory.toml": receiver}
        bridge = opened.enter_context(bridged(tmp_path_factory.mktemp("house"), database, kit=kit))
        opened.enter_context(lab)
        yield bridge, lab, bridge.client()


def order(patient: str, number: str, system: str) -> Json:
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PLAC"}]}
    identifier = {"type": kind, "value": number} | ({"system": system} if system else {})
    return {
        "resourceType": "ServiceRequest",
        "identifier": [identifier],
        "status": "active",
        "intent": "order",
        "code": {"coding": [{"system": LOINC, "code": "24323-8", "display": "Panel"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "authoredOn": "2026-03-01T10:00:00Z",
    }


def result(id: str, patient: str, placed: tuple[str, str], status: str, value: str, at: str) -> str:
    """ORU^R01 of the order ``placed`` (ORC-2 and ORC-3 as they stand in a message)."""
    placer, filler = placed
    orc = f"ORC|RE|{placer}|{filler}\r"
    request = f"OBR|1|{placer}|{filler}|24323-8^Panel^LN|||20260301110000+0000|||||||||||||||{at}+0000|||{status}\r"
    return msh(id, at=f"{at}+0000") + pid(patient) + orc + request + obx(1, value, status=status)


def one(record: Client, type: str, **query: str) -> Any:
    [only] = found(record, type, **query)
    return only


@requirement("bridge:end to end")
@pytest.mark.parametrize("system", ["urn:id:HIS", ""])
def test_admitted_ordered_reported_corrected(house: tuple[Bridge, Laboratory, Client], new: New, system: str) -> None:
    bridge, lab, record = house
    patient, number = new(), new()
    with bridge.wire() as wire:
        assert wire.ask(adt(new(), "A01", patient)).code == "AA"
        person = one(record, "Patient", identifier=f"{HOSPITAL}|{patient}")
        placed = record.create(order(person["id"], number, system))
        until(lambda: bool(lab.orders(patient)))
        [sent] = lab.orders(patient)
        assert str(sent.segment("MSH")[9]).startswith("OML^O21")
        assert str(sent.segment("ORC")[1]) == "NW"
        assert patient in str(sent.segment("PID")[3])
        placer = str(sent.segment("ORC")[2])
        versions = []
        for status, value, at in (
            ("P", "13.0", "20260301120000"),
            ("F", "13.5", "20260301130000"),
            ("C", "13.6", "20260301140000"),
        ):
            text = result(new(), patient, (placer, f"F{number}^LAB"), status, value, at)
            assert wire.ask(text).code == "AA"
            seen = one(record, "Observation", patient=person["id"], code=f"{LOINC}|718-7")
            report = one(record, "DiagnosticReport", patient=person["id"])
            wanted = {"P": "preliminary", "F": "final", "C": "corrected"}[status]
            assert (seen["status"], seen["valueQuantity"]["value"], report["status"]) == (wanted, float(value), wanted)
            assert [each["reference"] for each in report["result"]] == [f"Observation/{seen['id']}"]
            versions.append(seen["meta"]["versionId"])
            for _ in range(5):
                assert wire.ask(text).code == "AA"
            again = one(record, "Observation", patient=person["id"], code=f"{LOINC}|718-7")
            assert again["meta"]["versionId"] == versions[-1]
        assert versions == ["1", "2", "3"]
        stale = result(new(), patient, (placer, f"F{number}^LAB"), "P", "13.0", "20260301120000")
        assert wire.ask(stale).code == "AA"
    seen = one(record, "Observation", patient=person["id"], code=f"{LOINC}|718-7")
    assert (seen["status"], seen["valueQuantity"]["value"]) == ("corrected", 13.6)
    assert [each["reference"] for each in report["basedOn"]] == [f"ServiceRequest/{placed['id']}"]
    assert len(found(record, "ServiceRequest", patient=person["id"])) == 1
    assert found(record, "Provenance", target=f"Observation/{seen['id']}")
    trail = found(record, "AuditEvent", entity=f"Observation/{seen['id']}")
    assert any("hl7:lab" in str(each["agent"]) for each in trail)
    # The laboratory is not told what it said itself.
    assert len(lab.orders(patient)) == 1


@requirement("bridge:end to end")
def test_a_merge_sticks_against_a_later_update(house: tuple[Bridge, Laboratory, Client], new: New) -> None:
    bridge, _, record = house
    loser, survivor = new(), new()
    with bridge.wire() as wire:
        assert wire.ask(adt(new(), "A04", loser), adt(new(), "A04", survivor)).code == "AA"
        merge = (
            msh(new(), "ADT^A40^ADT_A39", at="20260301130000+0000") + "EVN|A40|20260301130000+0000\r" + pid(survivor)
        )
        assert wire.ask(merge + f"MRG|{loser}^^^{AUTHORITY}^MR\r").code == "AA"
        assert wire.ask(adt(new(), "A08", loser, name="Later^Name", at="20260301140000+0000")).code == "AA"
    kept = [each for each in found(record, "Patient", identifier=f"{HOSPITAL}|{survivor}") if each.get("active", True)]
    assert len(kept) == 1
    replaced = [link["other"]["reference"] for link in kept[0].get("link", ()) if link["type"] == "replaces"]
    assert len(replaced) == 1
    gone = record.get(replaced[0]).json()
    assert gone["active"] is False
    assert [link["type"] for link in gone["link"]] == ["replaced-by"]
    with bridge.wire() as wire:
        text = result(new(), loser, (f"P{loser}", f"F{loser}"), "F", "9.5", "20260301150000")
        assert wire.ask(text).code == "AA"
    assert len(found(record, "Observation", patient=kept[0]["id"])) == 1


def resent(wire: Wire, text: str) -> set[bytes]:
    return {wire.ask(text).raw for _ in range(5)}


@requirement("bridge:end to end")
def test_five_resends_of_an_admission_make_no_version(house: tuple[Bridge, Laboratory, Client], new: New) -> None:
    bridge, _, record = house
    patient = new()
    with bridge.wire() as wire:
        assert len(resent(wire, adt(new(), "A01", patient))) == 1
        person = one(record, "Patient", identifier=f"{HOSPITAL}|{patient}")
        assert person["meta"]["versionId"] == "1"
        # The same content under new control ids: not a resend, and still nothing new is said.
        for _ in range(5):
            assert wire.ask(adt(new(), "A01", patient)).code == "AA"
    assert one(record, "Patient", identifier=f"{HOSPITAL}|{patient}")["meta"]["versionId"] == "1"
    assert one(record, "Encounter", patient=person["id"])["meta"]["versionId"] == "1"
