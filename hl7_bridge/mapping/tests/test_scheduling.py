"""Scheduling messages to Appointments."""

from pathlib import Path

import pytest

from hl7_bridge.er7 import parse
from hl7_bridge.errors import Malformed
from hl7_bridge.mapping.account import account
from hl7_bridge.mapping.messages import map_message
from hl7_bridge.mapping.model import Entry, Key, Policy
from hl7_bridge.mapping.tests.pharmacy_messages import PID, SENDER, only
from resources.validation import check

SAMPLES = Path(__file__).resolve().parents[3] / "../shared/data/hl7v2"
SCH = "SCH|A1^EHR|B1^SCHED||||^flu|CHECKUP|Normal|20|min|^^^20260201090000+0000^20260201092000+0000"
AIP = "AIP|1|A|9^House^G|D^doctor||20260201090000+0000|||20|min"


def appointment(event: str, *segments: str, time: str = "20260101120000+0000") -> Entry:
    """The Appointment of one message."""
    head = f"MSH|^~\\&|SCHED|HOSP|HEARTH|HOSP|{time}||SIU^{event}^SIU_S12|C1|P|2.5.1"
    found = map_message(parse(("\r".join([head, *segments]) + "\r").encode()), SENDER)
    for entry in found.entries:
        check(entry.resource)
    return only(found, "Appointment")


def test_a_new_appointment() -> None:
    entry = appointment(
        "S12", SCH, "NTE|1||bring tablets", "NTE|2||drink water|PI", PID, "RGS|1", "AIS|1|A|V^Video", AIP
    )
    made = entry.resource
    assert entry.keys == (Key("urn:id:EHR", "A1"), Key("urn:id:SCHED", "B1"))
    assert (entry.policy, made["status"], made["minutesDuration"]) == (Policy.ORDER, "booked", 20)
    assert (made["start"], made["end"]) == ("2026-02-01T09:00:00+00:00", "2026-02-01T09:20:00+00:00")
    assert (made["comment"], made["patientInstruction"]) == ("bring tablets", "drink water")
    assert made["serviceType"][0]["coding"][0]["code"] == "V"
    patient, doctor = made["participant"]
    assert patient["status"] == "accepted" and doctor["type"][0]["coding"][0]["code"] == "D"
    assert doctor["period"]["end"] == "2026-02-01T09:20:00+00:00"


@pytest.mark.parametrize(
    ("event", "filler", "status"),
    [
        ("S12", "", "booked"),
        ("S13", "Booked", "booked"),
        ("S14", "Started", "checked-in"),
        ("S14", "COMPLETE", "fulfilled"),
        ("S15", "Booked", "cancelled"),
        ("S16", "", "cancelled"),
        ("S17", "", "entered-in-error"),
        ("S18", "", "booked"),
        ("S23", "", "booked"),
        ("S26", "Booked", "noshow"),
    ],
)
def test_event_and_status(event: str, filler: str, status: str) -> None:
    made = appointment(event, f"{SCH}||||||||||||||{filler}", PID, "RGS|1", AIP).resource
    assert made["status"] == status
    assert ("cancelationReason" in made) == (status == "cancelled")


def test_the_later_message_wins_and_of_the_same_moment_the_later_step() -> None:
    booked, cancelled = (appointment(event, SCH, PID).as_of for event in ("S13", "S15"))
    again = appointment("S12", SCH, PID, time="20260102120000+0000").as_of
    assert booked < cancelled < again
    assert again < appointment("S17", SCH, PID).as_of


@pytest.mark.parametrize(
    ("segments", "start", "end"),
    [
        (("SCH|1", "TQ1|1||||||20260201090000+0000|20260201093000+0000"), "2026-02-01T09:00:00", "2026-02-01T09:30:00"),
        (("SCH|1||||||||30|min", "TQ1|1||||||20260201090000+0000"), "2026-02-01T09:00:00", "2026-02-01T09:30:00"),
        (("SCH|1", "RGS|1", "AIS|1||V|20260201090000+0000|||15|min"), "2026-02-01T09:00:00", "2026-02-01T09:15:00"),
        (("SCH|1", "RGS|1", AIP), "2026-02-01T09:00:00", "2026-02-01T09:20:00"),
        (("SCH|1||||||||||^^^20260201090000+0000^20260101090000+0000",), "2026-02-01T09:00:00", "2026-02-01T09:00:00"),
    ],
)
def test_when_it_is(segments: tuple[str, ...], start: str, end: str) -> None:
    made = appointment("S12", *segments).resource
    assert (made["start"], made["end"]) == (f"{start}+00:00", f"{end}+00:00")


def test_without_a_time_nothing_is_booked_and_an_end_keeps_the_time_that_is_known() -> None:
    assert appointment("S12", "SCH|1", PID).resource["status"] == "proposed"
    assert appointment("S15", "SCH|1", PID).resource.keys() & {"start", "end"} == set()
    assert appointment("S26", "SCH|1", PID).defaults == {"start", "end"}


def test_what_is_taken_off_it_is_not_part_of_it() -> None:
    made = appointment("S14", SCH, PID, "RGS|1", AIP.replace("|A|", "|D|", 1), "AIL|1|A|W1^R2").resource
    assert len(made["participant"]) == 2


def test_each_of_a_series_is_one_of_its_own() -> None:
    first, second = (appointment("S12", SCH.replace("|||", f"|{n}||", 1)) for n in (1, 2))
    assert first.keys != second.keys
    assert not {each["system"] for each in first.resource["identifier"]} & {"urn:id:EHR"}


def test_the_orders_it_is_for() -> None:
    made = appointment("S12", f"{SCH}|||||||||||||||P7^EHR|F7^LAB", PID).resource
    assert len(made["basedOn"]) == 1


def test_a_message_without_sch_is_malformed() -> None:
    with pytest.raises(Malformed):
        appointment("S12", PID)


def test_all_samples_are_mapped_and_valid() -> None:
    if not SAMPLES.exists():
        pytest.skip("no sample data")
    paths = [each for each in sorted(SAMPLES.rglob("*")) if each.is_file() and each.suffix in (".hl7", ".txt")]
    messages = [parse(each.read_bytes()) for each in paths if b"|SIU^" in each.read_bytes()[:400]]
    for message in messages:
        for entry in map_message(message, SENDER).entries:
            check(entry.resource)
        places = {trace.place for trace in account(message, SENDER)}
        assert len(places) >= sum(len(list(segment.populated())) for segment in message.segments)
    assert len(messages) > 10
