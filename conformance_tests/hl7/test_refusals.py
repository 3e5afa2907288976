"""What is not taken, and the codes of table 0357 that say why, with the place in ERR."""

from collections.abc import Callable

import pytest

from conformance_tests.client import Client
from conformance_tests.hl7.bridge import Bridge, bridged, found
from conformance_tests.hl7.messages import AUTHORITY, adt, msh, obr, obx, oru, pid
from conformance_tests.hl7.wire import Problem, Wire

requirement = pytest.mark.requirement
New = Callable[[], str]


@requirement("hl7:2.15.9.3")
def test_an_unknown_sender_is_rejected(wire: Wire, record: Client, new: New) -> None:
    id = new()
    answer = wire.ask(oru(id, id, app="STRANGER"))
    assert (answer.code, answer.id, answer.problems) == ("AR", id, [Problem("MSH^1^3", "204", "E")])
    assert not found(record, "Patient", identifier=id)


REFUSED = {
    "processing id": (msh("ID", processing="D"), "AR", "MSH^1^11", "202"),
    "no processing id": (msh("ID", processing=""), "AE", "MSH^1^11", "101"),
    "version": (msh("ID", version="7.0"), "AR", "MSH^1^12", "203"),
    "version of another standard": (msh("ID", version="FHIR4"), "AR", "MSH^1^12", "203"),
    "no version": (msh("ID", version=""), "AE", "MSH^1^12", "101"),
    "no type": (msh("ID", ""), "AE", "MSH^1^9", "101"),
    "no control id": (msh(""), "AE", "MSH^1^10", "101"),
    "long control id": (msh("ID" + 200 * "x"), "AE", "MSH^1^10", "104"),
    "message type": (msh("ID", "SIU^S12", app="NARROW"), "AR", "MSH^1^9", "200"),
    "event": (msh("ID", "ORU^R30", app="NARROW"), "AR", "MSH^1^9", "201"),
}


@requirement("hl7:2.15.5")
@pytest.mark.parametrize("what", REFUSED)
def test_headers(wire: Wire, what: str) -> None:
    text, code, place, number = REFUSED[what]
    answer = wire.ask(text + pid("5"))
    assert (answer.code, answer.problems) == (code, [Problem(place, number, "E")])
    assert answer.field("ERR", 3).endswith("^HL70357")
    assert answer.field("ERR", 8)


@requirement("hl7:2.15.9.11")
def test_a_sender_may_have_other_processing_ids(wire: Wire, new: New) -> None:
    id = new()
    assert wire.ask(oru(id, id, app="NARROW", processing="T")).code == "AA"


@requirement("hl7:2.15.9.9")
@pytest.mark.parametrize("version", ["2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8.2"])
def test_every_version_is_answered_in_its_own(wire: Wire, new: New, version: str) -> None:
    id = new()
    answer = wire.ask(oru(id, id, version=version))
    assert (answer.code, answer.field("MSH", 12)) == ("AA", version)


@requirement("hl7:2.15.5.1")
@pytest.mark.parametrize("version", ["2.3", "2.4"])
def test_errors_before_version_2_5_stand_in_err_1(wire: Wire, new: New, version: str) -> None:
    answer = wire.ask(oru(id := new(), id, version=version, processing="D"))
    assert answer.code == "AR"
    assert answer.field("ERR", 1).startswith("MSH^1^11^202&")
    assert len(answer.all("ERR")[0]) == 2
    if version == "2.4":
        assert answer.field("MSA", 6).startswith("202^")


@requirement("hl7:2.15.5")
def test_a_patient_without_authority_is_held(wire: Wire, new: New) -> None:
    id = new()
    answer = wire.ask(oru(id, "1", app="BARE").replace(AUTHORITY, ""))
    assert answer.code == "AE"
    assert [problem.place for problem in answer.problems] == ["PID^1^3"]
    assert answer.problems[0].code in ("101", "103", "204")


@requirement("hl7:2.15.5")
def test_a_message_without_patient_is_held(wire: Wire, new: New) -> None:
    id = new()
    answer = wire.ask(msh(id) + obr(f"P{id}", f"F{id}") + obx(1, "5"))
    assert answer.code == "AE"
    assert answer.problems[0].code in ("100", "101")


@requirement("hl7:2.15.5")
def test_two_patients_for_one_identifier_list_are_held(wire: Wire, record: Client, new: New) -> None:
    one, two, id = new(), new(), new()
    assert wire.ask(oru(new(), one)).code == wire.ask(oru(new(), two)).code == "AA"
    both = f"PID|1||{one}^^^{AUTHORITY}^MR~{two}^^^{AUTHORITY}^MR||Okafor^Ada\r"
    answer = wire.ask(oru(id, one).replace(pid(one), both))
    assert (answer.code, answer.problems[0].code) == ("AE", "205")
    assert answer.problems[0].place == "PID^1^3"
    assert not found(record, "DiagnosticReport", identifier=f"F{id}")


@requirement("hl7:2.15.5")
def test_a_field_that_repeats_too_often(wire: Wire, new: New) -> None:
    id = new()
    answer = wire.ask(oru(id, id) + "NTE|1||" + "x~" * 20_000 + "\r")
    assert (answer.code, answer.problems[0].code) == ("AE", "198")
    assert answer.problems[0].place == "NTE^1^3"


@requirement("hl7:2.15.5")
def test_too_many_segments(wire: Wire, new: New) -> None:
    id = new()
    answer = wire.ask(oru(id, id) + "NTE|1||x\r" * 10_001)
    assert (answer.code, [problem.code for problem in answer.problems]) == ("AE", ["104"])


@requirement("hl7:2.15.5")
def test_an_unmapped_message_is_kept_and_accepted(bridge: Bridge, wire: Wire, new: New) -> None:
    id = new()
    assert wire.ask(msh(id, "DFT^P03") + pid(id)).code == "AA"
    line = next(line for line in bridge.hl7("tail", "--state", "held").splitlines() if id in line)
    assert "no map" in line


@requirement("bridge:nobody's data in answers")
def test_answers_and_logs_quote_no_patient(bridge: Bridge, wire: Wire, new: New) -> None:
    id = new()
    for text in (
        oru(id, "1", app="BARE"),
        msh(new()) + pid(id, "Zebulon^Quixote"),
        adt(new(), "A01", "", name="Zebulon"),
    ):
        answer = wire.ask(text.replace("Okafor^Ada", "Zebulon^Quixote"))
        assert b"Zebulon" not in answer.raw and b"Quixote" not in answer.raw
    assert "Zebulon" not in bridge.printed() and "Quixote" not in bridge.printed()


@requirement("hl7:2.15.9.3")
@pytest.mark.either_database
def test_an_open_server_takes_strangers_of_this_machine(tmp_path, new: New) -> None:  # type: ignore[no-untyped-def]
    with bridged(tmp_path, "", "--open", kit={}) as opened, opened.wire() as wire:
        id = new()
        assert wire.ask(oru(id, id, app="STRANGER")).code == "AA"
        id = new()
        assert wire.ask(oru(id, id, app="STRANGER", processing="D")).code == "AA"
        id = new()
        assert wire.ask(oru(id, id, app="STRANGER", processing="X")).code == "AR"


@requirement("bridge:limits")
@pytest.mark.either_database
def test_frames_over_the_cap_and_silent_connections(tmp_path, new: New) -> None:  # type: ignore[no-untyped-def]
    options = ("--hl7-message-max", "20000", "--hl7-idle-seconds", "2", "--hl7-connections", "5")
    with bridged(tmp_path, "", *options) as capped:
        with capped.wire() as wire:
            id = new()
            answer = wire.ask(oru(id, id) + "NTE|1||" + "x" * 30_000 + "\r")
            assert (answer.code, answer.id, answer.problems[0].code) == ("AE", id, "104")
            assert wire.ask(oru(id, id)).code == "AA"
            assert wire.is_closed(10)
        opened = [capped.wire() for _ in range(5)]
        with capped.wire() as one_more:
            assert one_more.is_closed(1.5)
        for each in opened:
            each.close()
