"""Independent peers: python-hl7 sends over MLLP, by its blocking client and over asyncio; FHIR is read."""

import asyncio
from collections.abc import Callable

import hl7
import pytest
from hl7.client import MLLPClient
from hl7.mllp import open_hl7_connection

from conformance_tests.client import Client
from conformance_tests.hl7.bridge import Bridge, found
from conformance_tests.hl7.messages import HOSPITAL, LOINC, adt, oru

requirement = pytest.mark.requirement
New = Callable[[], str]


def code(answer: str) -> tuple[str, str]:
    """MSA-1 and MSA-2, read by the peer."""
    read = hl7.parse(answer)
    return str(read.segment("MSA")[1]), str(read.segment("MSA")[2])


@requirement("client: python-hl7 MLLPClient")
def test_the_blocking_client_of_python_hl7(bridge: Bridge, record: Client, new: New) -> None:
    patient, admitted, reported = new(), new(), new()
    with MLLPClient("127.0.0.1", bridge.port) as peer:
        assert code(peer.send_message(adt(admitted, "A01", patient)).decode().strip("\x0b\x1c\r")) == ("AA", admitted)
        sent = hl7.parse(oru(reported, patient, ["13.5", "14.25"]))
        assert code(peer.send_message(sent).decode().strip("\x0b\x1c\r")) == ("AA", reported)
    [person] = found(record, "Patient", identifier=f"{HOSPITAL}|{patient}")
    assert (person["name"][0]["family"], person["birthDate"]) == ("Okafor", "1970-01-02")
    [visit] = found(record, "Encounter", patient=person["id"])
    assert visit["class"]["code"] == "IMP"
    results = found(record, "Observation", patient=person["id"], code=f"{LOINC}|718-7")
    assert sorted(each["valueQuantity"]["value"] for each in results) == [13.5, 14.25]
    assert {each["valueQuantity"]["code"] for each in results} == {"g/dL"}


@requirement("client: python-hl7 asyncio")
def test_the_asyncio_client_of_python_hl7(bridge: Bridge, record: Client, new: New) -> None:
    patient, ids = new(), [new() for _ in range(10)]

    async def scenario() -> list[tuple[str, str]]:
        reader, writer = await open_hl7_connection("127.0.0.1", bridge.port)
        for id in ids:
            writer.writemessage(hl7.parse(oru(id, patient)))
        await writer.drain()
        heard = [code(str(await reader.readmessage())) for _ in ids]
        writer.close()
        return heard

    assert asyncio.run(scenario()) == [("AA", id) for id in ids]
    assert len(found(record, "DiagnosticReport", **{"patient.identifier": f"{HOSPITAL}|{patient}"})) == 10
