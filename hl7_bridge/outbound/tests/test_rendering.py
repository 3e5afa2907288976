"""Changes as messages: read back by our tokenizer and, independently, by hl7apy."""

from typing import Any

import pytest
from hl7apy.parser import parse_message

from hl7_bridge.er7 import Message, parse
from hl7_bridge.outbound.events import Outgoing
from hl7_bridge.outbound.rendering import render
from hl7_bridge.outbound.tests.record import ALL, APPOINTMENT, NOTE, ORDER, PRESCRIPTION
from hl7_bridge.site.model import Receiver, Site
from resources import json_codec
from resources.repository import Version

SITE = Site(facility="GENERAL", authorities={"HOSP": "urn:oid:1.2.3.4"})
RECEIVER = Receiver("127.0.0.1", 2575, name="lab", application="LAB", facility="NORTH")

OML = Outgoing("OML", "O21", "OML_O21", "NW")
ORM = Outgoing("ORM", "O01", "ORM_O01", "CA")
RDE = Outgoing("RDE", "O11", "RDE_O11", "NW")
OMP = Outgoing("OMP", "O09", "OMP_O09", "NW")
SIU = Outgoing("SIU", "S12", "SIU_S12")
MDM = Outgoing("MDM", "T02", "MDM_T02")
EVERY = [(ORDER, OML), (ORDER, ORM), (PRESCRIPTION, RDE), (PRESCRIPTION, OMP), (APPOINTMENT, SIU), (NOTE, MDM)]


def rendered(resource: dict[str, Any], outgoing: Outgoing) -> bytes:
    version = Version(resource["resourceType"], resource["id"], 1, 1_767_348_000_000, json_codec.encode(resource))
    return render(SITE, RECEIVER, version, resource, outgoing, ALL.get)[1]


def read(resource: dict[str, Any], outgoing: Outgoing) -> Message:
    return parse(rendered(resource, outgoing))


@pytest.mark.parametrize(("resource", "outgoing"), EVERY, ids=lambda each: getattr(each, "structure", ""))
def test_an_independent_parser_reads_every_message(resource: dict[str, Any], outgoing: Outgoing) -> None:
    raw = rendered(resource, outgoing).decode()
    theirs = parse_message(raw, find_groups=False)
    ours = parse(raw.encode())
    assert [segment.name for segment in theirs.children] == [segment.name for segment in ours.segments]
    assert theirs.pid.pid_5.pid_5_1.to_er7() == "Love\\F\\lace\\S\\"


@pytest.mark.parametrize(("resource", "outgoing"), EVERY, ids=lambda each: getattr(each, "structure", ""))
def test_the_same_change_is_the_same_bytes(resource: dict[str, Any], outgoing: Outgoing) -> None:
    assert rendered(resource, outgoing) == rendered(resource, outgoing)


def test_the_header_names_both_sides() -> None:
    msh = read(ORDER, OML).msh
    assert [msh.text(n) for n in (3, 4, 5, 6, 11, 12)] == ["HEARTH", "GENERAL", "LAB", "NORTH", "P", "2.5.1"]
    assert [msh.text(9, n) for n in (1, 2, 3)] == ["OML", "O21", "OML_O21"]
    assert msh.text(7) == "20260102100000+0000"
    assert 0 < len(msh.text(10)) <= 20


def test_the_patient_is_told_with_all_identifiers() -> None:
    pid = read(ORDER, OML).all("PID")[0]
    first, second = pid.all(3)
    assert (first.text(1), first.text(4), first.part(4).text(2), first.text(5)) == ("A-1", "HOSP", "1.2.3.4", "MR")
    assert (second.text(1), second.text(4)) == ("77", "NAT")
    assert (pid.text(5), pid.text(5, 2), pid.text(5, 3)) == ("Love|lace^", "Ada", "King")
    assert (pid.text(7), pid.text(8), pid.text(11), pid.text(13, 12), pid.text(14, 4)) == (
        "18151210",
        "F",
        "1 Main St",
        "555-1",
        "a@b",
    )


def test_an_order_has_number_time_test_and_specimen() -> None:
    message = read(ORDER, OML)
    assert [s.name for s in message.segments] == ["MSH", "PID", "PV1", "ORC", "TQ1", "OBR", "NTE", "SPM"]
    orc, obr, spm = (message.all(name)[0] for name in ("ORC", "OBR", "SPM"))
    assert (orc.text(1), orc.text(2), orc.text(2, 2), orc.text(9)) == ("NW", "P-9", "EHR", "20260102100000+0000")
    assert (orc.text(12), orc.text(12, 2), orc.text(12, 9, 2)) == (
        "1234567893",
        "House",
        "http://hl7.org/fhir/sid/us-npi",
    )
    assert [obr.text(4, n) for n in (1, 2, 3, 9)] == ["718-7", "Hemoglobin", "LN", "Hb"]
    assert message.all("TQ1")[0].text(9) == "S"
    assert message.all("NTE")[0].text(3) == "fasting\nsince 8"
    assert (spm.first(2).text(1, 1), spm.text(4), spm.text(17)) == ("S1", "119297000", "20260102100500+0100")


def test_what_has_no_number_goes_by_our_id() -> None:
    orc = read({key: value for key, value in ORDER.items() if key != "identifier"}, OML).all("ORC")[0]
    assert (orc.text(2), orc.text(2, 2)) == ("order", "HEARTH")


def test_a_prescription_has_drug_dose_supply_and_route() -> None:
    message = read(PRESCRIPTION, RDE)
    assert [s.name for s in message.segments] == ["MSH", "PID", "ORC", "RXE", "TQ1", "RXR"]
    rxe = message.all("RXE")[0]
    assert (rxe.text(2), rxe.text(2, 3), rxe.text(3), rxe.text(5)) == ("308182", "RXNORM", "250", "mg")
    assert (rxe.text(7, 2), rxe.text(9), rxe.text(10), rxe.text(12)) == ("1 capsule three times a day", "N", "21", "1")
    assert message.all("TQ1")[0].text(3) == "TID"
    assert message.all("RXR")[0].text(1) == "26643006"


def test_an_appointment_has_time_people_and_words() -> None:
    message = read(APPOINTMENT, SIU)
    assert [s.name for s in message.segments] == ["MSH", "SCH", "NTE", "PID", "RGS", "AIS", "AIP"]
    sch = message.all("SCH")[0]
    assert (sch.text(1), sch.text(11, 4), sch.text(11, 5), sch.text(25)) == (
        "app",
        "20260201090000+0000",
        "20260201092000+0000",
        "Booked",
    )
    assert message.all("AIP")[0].text(3, 2) == "House"


def test_a_document_goes_with_its_content() -> None:
    message = read(NOTE, MDM)
    assert [s.name for s in message.segments] == ["MSH", "EVN", "PID", "PV1", "TXA", "OBX"]
    txa, obx = message.all("TXA")[0], message.all("OBX")[0]
    assert (txa.text(12), txa.text(17), txa.text(19), txa.text(9, 2)) == ("D-1", "AU", "AV", "House")
    assert (obx.text(2), obx.text(5, 2), obx.text(5, 3), obx.text(5, 5)) == ("ED", "AP", "pdf", "JVBERi0=")
