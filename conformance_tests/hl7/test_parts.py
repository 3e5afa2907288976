"""A message in several frames: parts by DSC-1 and MSH-14, each kept and answered, the whole applied with the last."""

from collections.abc import Callable

import pytest

from conformance_tests.client import Client
from conformance_tests.hl7.bridge import Bridge, found, until
from conformance_tests.hl7.messages import HOSPITAL, msh, obr, obx, oru, pid
from conformance_tests.hl7.wire import Wire

requirement = pytest.mark.requirement
New = Callable[[], str]


def first(id: str, patient: str, *, points: str) -> str:
    return (
        msh(f"{id}-1")
        + pid(patient)
        + f"ORC|RE|P{id}|F{id}\r"
        + obr(f"P{id}", f"F{id}")
        + obx(1, "1")
        + f"DSC|{points}|F\r"
    )


def later(id: str, number: int, *, follows: str, points: str = "") -> str:
    more = f"DSC|{points}|F\r" if points else ""
    code = f"718{number}-7^Substance^LN"
    return msh(f"{id}-{number}", continuation=follows) + obx(number, str(number), code=code) + more


def values(record: Client, patient: str) -> list[float]:
    got = found(record, "Observation", **{"patient.identifier": f"{HOSPITAL}|{patient}"})
    return sorted(each["valueQuantity"]["value"] for each in got if "valueQuantity" in each)


def state(bridge: Bridge, id: str) -> str:
    """The row of the journal."""
    [line] = [line for line in bridge.hl7("tail", "--control-id", id).splitlines() if id in line]
    return line


@requirement("hl7:2.10.2")
def test_parts_are_answered_and_applied_as_one(bridge: Bridge, wire: Wire, record: Client, new: New) -> None:
    id = new()
    assert wire.ask(first(id, id, points=f"{id}a")).code == "AA"
    assert wire.ask(later(id, 2, follows=f"{id}a", points=f"{id}b")).code == "AA"
    assert values(record, id) == []
    assert "part" in state(bridge, f"{id}-1")
    answer = wire.ask(later(id, 3, follows=f"{id}b"))
    assert (answer.code, answer.id) == ("AA", f"{id}-3")
    assert values(record, id) == [1, 2, 3]
    assert len(found(record, "DiagnosticReport", identifier=f"F{id}")) == 1
    assert all("applied" in state(bridge, f"{id}-{n}").split() for n in (1, 2, 3))


@requirement("hl7:2.10.2")
def test_a_segment_goes_on_in_the_next_part(wire: Wire, record: Client, new: New) -> None:
    id = new()
    text = first(id, id, points=id).replace(
        "DSC|", f"{obx(2, 'begun and ', code='8251-1^Comment^LN', type='TX').split('||||')[0]}\rADD\rDSC|"
    )
    assert wire.ask(text).code == "AA"
    assert wire.ask(msh(f"{id}-2", continuation=id) + "ADD|ended||||||F\r").code == "AA"
    [told] = [
        each["valueString"]
        for each in found(record, "Observation", **{"patient.identifier": f"{HOSPITAL}|{id}"})
        if "valueString" in each
    ]
    assert told == "begun and ended"


@requirement("hl7:2.10.2")
def test_a_part_whose_predecessor_is_missing_is_held_until_it_comes(
    bridge: Bridge, wire: Wire, record: Client, new: New
) -> None:
    id = new()
    answer = wire.ask(later(id, 2, follows=f"{id}a"))
    assert (answer.code, answer.problems[0].place, answer.problems[0].code) == ("AE", "MSH^1^14", "100")
    assert "held" in state(bridge, f"{id}-2").split()
    assert wire.ask(first(id, id, points=f"{id}a")).code == "AA"
    until(lambda: values(record, id) == [1, 2])
    assert wire.ask(later(id, 2, follows=f"{id}a")).code == "AA"


@requirement("hl7:2.10.2")
def test_a_resent_part_is_the_same_part(wire: Wire, record: Client, new: New) -> None:
    id = new()
    for _ in range(3):
        assert wire.ask(first(id, id, points=id)).code == "AA"
    for _ in range(3):
        assert wire.ask(later(id, 2, follows=id)).code == "AA"
    assert values(record, id) == [1, 2]
    assert wire.ask(first(id, id, points=id)).code == "AA"
    assert values(record, id) == [1, 2]


@requirement("hl7:2.10.2")
def test_two_parts_under_one_pointer_are_never_guessed_between(wire: Wire, record: Client, new: New) -> None:
    one, two, pointer = new(), new(), new()
    assert wire.ask(first(one, one, points=pointer)).code == wire.ask(first(two, two, points=pointer)).code == "AA"
    answer = wire.ask(later(two, 2, follows=pointer))
    assert (answer.code, answer.problems[0].code) == ("AE", "205")
    assert values(record, one) == values(record, two) == []


@requirement("hl7:2.10.2")
def test_words_in_msh_14_that_point_nowhere_do_no_harm(wire: Wire, record: Client, new: New) -> None:
    id = new()
    assert wire.ask(oru(id, id, continuation="456")).code == "AA"
    assert values(record, id) == [13.5]


@requirement("hl7:2.10.2")
def test_parts_of_several_senders_do_not_meet(wire: Wire, record: Client, new: New) -> None:
    id = new()
    assert wire.ask(first(id, id, points=id)).code == "AA"
    assert wire.ask(later(id, 2, follows=id).replace("|LAB|", "|LATER|", 1)).code == "AA"
    assert values(record, id) == []
    assert wire.ask(later(id, 3, follows=id)).code == "AA"
    assert values(record, id) == [1, 3]
