"""Who is answered what and when: original and enhanced mode, duplicates, batches."""

from collections.abc import Callable

import pytest

from conformance_tests.client import Client
from conformance_tests.hl7.bridge import Bridge, found, until
from conformance_tests.hl7.messages import HOSPITAL, msh, oru, pid
from conformance_tests.hl7.wire import Wire, framed

requirement = pytest.mark.requirement
New = Callable[[], str]


def results(record: Client, patient: str) -> int:
    return len(found(record, "Observation", **{"patient.identifier": f"{HOSPITAL}|{patient}"}))


@requirement("hl7:2.9.2.1")
def test_original_mode_answers_when_applied(wire: Wire, record: Client, new: New) -> None:
    id = new()
    answer = wire.ask(oru(id, id))
    assert results(record, id) == 1
    assert (answer.field("MSH", 9).split("^")[:2], answer.field("MSH", 5)) == (["ACK", "R01"], "LAB")
    assert (answer.field("MSH", 3), answer.field("MSH", 11), answer.field("MSH", 15)) == ("HEARTH", "P", "")
    assert wire.is_silent(0.5)


@requirement("hl7:2.9.2.1")
def test_application_and_facility_change_sides(wire: Wire, new: New) -> None:
    id = new()
    answer = wire.ask(oru(id, id).replace("|LAB|NORTH|||", "|LAB|NORTH|CLINIC|WEST|"))
    assert [answer.field("MSH", n) for n in (3, 4, 5, 6)] == ["CLINIC", "WEST", "LAB", "NORTH"]


ENHANCED = {
    ("AL", "AL"): (["CA", "AA"], ["CR"]),
    ("AL", "NE"): (["CA"], ["CR"]),
    ("AL", ""): (["CA"], ["CR"]),
    ("NE", "AL"): (["AA"], []),
    ("ER", "AL"): (["AA"], ["CR"]),
    ("SU", "SU"): (["CA", "AA"], []),
    ("ER", "ER"): ([], ["CR"]),
    ("NE", "NE"): ([], []),
    ("al", "ne"): (["CA"], ["CR"]),
}
"""By MSH-15 and MSH-16 what a message that is applied hears, and one that is refused."""


@requirement("hl7:2.9.3")
@pytest.mark.parametrize(("accept", "final"), ENHANCED)
def test_enhanced_mode_says_what_was_asked_for(wire: Wire, record: Client, new: New, accept: str, final: str) -> None:
    id, bad, last = new(), new(), new()
    wire.send(
        framed(oru(id, id, accept=accept, final=final), oru(bad, bad, accept=accept, final=final, processing="X"))
    )
    wanted = [(code, id) for code in ENHANCED[accept, final][0]] + [(code, bad) for code in ENHANCED[accept, final][1]]
    heard = [wire.answer() for _ in wanted]
    assert sorted((answer.code, answer.id) for answer in heard) == sorted(wanted)
    assert wire.ask(oru(last, last)).id == last
    until(lambda: results(record, id) == 1)


@requirement("hl7:2.9.3")
def test_the_accept_acknowledgement_comes_first_and_asks_for_none(wire: Wire, new: New) -> None:
    wire.send(framed(oru(new(), new(), accept="AL", final="AL")))
    first, second = wire.answer(), wire.answer()
    assert (first.code, second.code) == ("CA", "AA")
    assert [first.field("MSH", n) for n in (15, 16)] == ["NE", "NE"]


@requirement("hl7:2.9.3")
def test_enhanced_mode_tells_of_what_is_held(wire: Wire, new: New) -> None:
    text = oru(new(), "1", app="BARE", accept="AL", final="ER").replace("HOSP&2.16.840.1.113883.19.4.6&ISO", "")
    wire.send(framed(text))
    assert [wire.answer().code, wire.answer().code] == ["CA", "AE"]


@requirement("bridge:ack stored")
def test_a_sender_may_be_answered_when_stored(wire: Wire, record: Client, new: New) -> None:
    id = new()
    assert wire.ask(oru(id, id, app="LATER")).code == "AA"
    until(lambda: results(record, id) == 1)
    held = oru(new(), "1", app="LATER").replace("HOSP&2.16.840.1.113883.19.4.6&ISO", "")
    assert wire.ask(held).code == "AA"


@requirement("hl7:2.9.2")
def test_a_resend_gets_the_stored_answer_byte_for_byte(bridge: Bridge, record: Client, new: New) -> None:
    id = new()
    heard = set()
    for _ in range(3):
        with bridge.wire() as wire:
            heard.add(wire.ask(oru(id, id)).raw)
    assert len(heard) == 1
    [result] = found(record, "Observation", **{"patient.identifier": f"{HOSPITAL}|{id}"})
    assert result["meta"]["versionId"] == "1"
    assert bridge.hl7("tail", "--control-id", id).count(id) == 1


@requirement("hl7:2.9.2")
def test_a_resend_of_what_is_held_hears_that_again(wire: Wire, new: New) -> None:
    text = oru(new(), "1", app="BARE").replace("HOSP&2.16.840.1.113883.19.4.6&ISO", "")
    first = wire.ask(text)
    assert (first.code, wire.ask(text).raw) == ("AE", first.raw)


@requirement("hl7:2.9.2")
def test_resends_on_one_connection_at_once(wire: Wire, record: Client, new: New) -> None:
    id = new()
    wire.send(framed(*[oru(id, id)] * 10))
    assert len({wire.answer().raw for _ in range(10)}) == 1
    assert results(record, id) == 1


@requirement("hl7:2.15.9.10")
def test_another_content_under_the_same_control_id_is_processed_and_flagged(
    bridge: Bridge, wire: Wire, record: Client, new: New
) -> None:
    id = new()
    assert wire.ask(oru(id, id, ["5"], order=f"a{id}")).code == "AA"
    assert wire.ask(oru(id, id, ["6"], order=f"b{id}")).code == "AA"
    assert results(record, id) == 2
    shown = [line.split()[0] for line in bridge.hl7("tail", "--control-id", id).splitlines() if id in line]
    assert len(shown) == 2
    assert "control id reused" in bridge.hl7("show", max(shown, key=int))


@requirement("hl7:2.9.2")
def test_an_acknowledgement_that_nobody_waits_for_is_not_answered(wire: Wire, new: New) -> None:
    wire.send(framed(msh(new(), "ACK^R01^ACK") + "MSA|AA|1\r"))
    id = new()
    assert wire.ask(oru(id, id)).id == id


# --- batches


def batch(*messages: str, count: str = "") -> str:
    return f"BHS|^~\\&|LAB|NORTH|||20260301||||B1\r{''.join(messages)}BTS|{count or len(messages)}\r"


@requirement("hl7:2.10.3")
def test_a_batch_is_answered_by_one_batch(wire: Wire, record: Client, new: New) -> None:
    one, two, three = new(), new(), new()
    answer = wire.ask(batch(oru(one, one), oru(two, two, processing="X"), oru(three, three)))
    assert [segment[0] for segment in answer.segments if segment[0] in ("BHS", "BTS")] == ["BHS", "BTS"]
    assert [(msa[1], msa[2]) for msa in answer.all("MSA")] == [("AA", one), ("AR", two), ("AA", three)]
    assert answer.field("BTS", 1) == "3"
    assert results(record, one) == results(record, three) == 1


@requirement("hl7:2.10.3")
def test_a_file_of_batches_is_answered_by_a_file(wire: Wire, new: New) -> None:
    inside = batch(oru(one := new(), one)) + batch(oru(two := new(), two), oru(three := new(), three))
    answer = wire.ask(f"FHS|^~\\&|LAB|NORTH\r{inside}FTS|2\r")
    names = [segment[0] for segment in answer.segments if segment[0] in ("FHS", "BHS", "BTS", "FTS")]
    assert names == ["FHS", "BHS", "BTS", "BHS", "BTS", "FTS"]
    assert [bts[1] for bts in answer.all("BTS")] == ["1", "2"]


@requirement("hl7:2.10.3")
def test_a_wrong_count_is_said_and_the_messages_are_taken(wire: Wire, record: Client, new: New) -> None:
    id = new()
    answer = wire.ask(batch(oru(id, id), count="7"))
    assert answer.code == "AA" and "7" in answer.field("BTS", 2)
    assert results(record, id) == 1


@requirement("hl7:2.10.3")
def test_several_messages_in_one_frame_are_told_apart(wire: Wire, record: Client, new: New) -> None:
    one, two = new(), new()
    answer = wire.ask(oru(one, one) + oru(two, two))
    assert [(msa[1], msa[2]) for msa in answer.all("MSA")] == [("AA", one), ("AA", two)]
    assert results(record, one) == results(record, two) == 1


@requirement("hl7:2.10.3")
def test_an_empty_batch(wire: Wire) -> None:
    answer = wire.ask(batch(count="0"))
    assert [segment[0] for segment in answer.segments] == ["BHS", "BTS"]


@requirement("hl7:2.15.9.3")
def test_a_stranger_in_a_batch_is_refused_alone(wire: Wire, record: Client, new: New) -> None:
    one, two = new(), new()
    answer = wire.ask(batch(oru(one, one), msh(two, app="STRANGER") + pid(two)))
    assert [msa[1] for msa in answer.all("MSA")] == ["AA", "AR"]
