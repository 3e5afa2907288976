"""Messages in groups: nothing lost or moved, and results with their own order and patient."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7_bridge.er7 import Message, parse
from hl7_bridge.er7.batch import split
from hl7_bridge.er7.serializer import as_it_came
from hl7_bridge.errors import Unreadable
from hl7_bridge.structure import Group, Tree, notes, walk

SAMPLES = Path(__file__).resolve().parents[3] / "../shared/data/hl7v2"
NAMES = st.sampled_from(re.findall("...", "PIDPV1PV2PD1NK1ORCOBROBXNTETQ1SPMSACZABZPDRXERXRRXOAISRGSIN1MSHXYZ"))
TYPES = st.sampled_from(
    ["ORU^R01", "ORM^O01", "OML^O21", "ADT^A01", "ADT^A40", "RDE^O11", "SIU^S12", "OUL^R22", "ZZZ^Z01", "VXU", "ACK"]
)
VERSIONS = st.sampled_from(["2.1", "2.3", "2.5.1", "2.7", "2.8.2", "2.9", "2.3.z", "x"])


def message(names: str, type: str = "ORU^R01^ORU_R01", version: str = "2.5.1") -> Message:
    """``PID ORC:NW OBR``: segments by name, with their first field."""
    lines = [f"MSH|^~\\&|A|B|C|D|1||{type}|1|P|{version}", *(name.replace(":", "|") for name in names.split())]
    return parse("\r".join(lines).encode())


def shape(group: Group) -> str:
    """``PATIENT(PID VISIT(PV1))`` without the message's own group."""
    inner = " ".join(f"{c.name}({shape(c)})" if isinstance(c, Group) else c.name for c in group.children)
    return inner.removeprefix("MSH ")


def groups(names: str, type: str = "ORU^R01^ORU_R01", version: str = "2.5.1") -> str:
    return shape(walk(message(names, type, version)))


@given(st.lists(NAMES, max_size=40).map(" ".join), TYPES, VERSIONS)
def test_every_segment_is_there_once_in_the_order_it_came(names: str, type: str, version: str) -> None:
    read = message(names, type, version)
    assert [id(segment) for segment in walk(read).every()] == [id(segment) for segment in read.segments]


@pytest.mark.parametrize(
    ("names", "version", "expected"),
    [
        (
            "PID PV1 ORC OBR OBX NTE OBX SPM OBX",
            "2.5.1",
            "PATIENT_RESULT(PATIENT(PID VISIT(PV1)) ORDER_OBSERVATION(ORC OBR OBSERVATION(OBX NTE) OBSERVATION(OBX) "
            "SPECIMEN(SPM OBX)))",
        ),
        (
            "PID OBR ZAB OBX ZCD OBX ZEF",
            "2.5.1",
            "PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBR ZAB OBSERVATION(OBX ZCD) OBSERVATION(OBX ZEF)))",
        ),
        (
            "PID OBR OBX PID ORC OBR OBX",
            "2.5.1",
            "PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBR OBSERVATION(OBX))) "
            "PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(ORC OBR OBSERVATION(OBX)))",
        ),
        (
            "PV1 PID OBR OBX",
            "2.5.1",
            "PATIENT_RESULT(PATIENT(VISIT(PV1) PID) ORDER_OBSERVATION(OBR OBSERVATION(OBX)))",
        ),
        (
            "PID ORC OBR OBX NTE OBR OBX",
            "2.8",
            "PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(COMMON_ORDER(ORC) OBR OBSERVATION(OBX NTE)) "
            "ORDER_OBSERVATION(OBR OBSERVATION(OBX)))",
        ),
        (
            "PID OBX OBR OBX",
            "2.5.1",
            "PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBSERVATION(OBX)) ORDER_OBSERVATION(OBR OBSERVATION(OBX)))",
        ),
        (
            "PID OBR SPM OBX OBX SPM",
            "2.5.1",
            "PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBR SPECIMEN(SPM) OBSERVATION(OBX) OBSERVATION(OBX) "
            "SPECIMEN(SPM)))",
        ),
        (
            "PID OBR OBX PV1 OBX",
            "2.5.1",
            "PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBR OBSERVATION(OBX PV1) OBSERVATION(OBX)))",
        ),
        (
            "OBR OBX TQ1 OBX",
            "2.6",
            "PATIENT_RESULT(ORDER_OBSERVATION(OBR OBSERVATION(OBX) TIMING_QTY(TQ1) OBSERVATION(OBX)))",
        ),
    ],
)
def test_results(names: str, version: str, expected: str) -> None:
    assert groups(names, version=version) == expected


@pytest.mark.parametrize(
    ("names", "type", "expected"),
    [
        (
            "PID ORC OBR OBX OBR OBX ORC RXO",
            "ORM^O01",
            "PATIENT(PID) ORDER(ORC ORDER_DETAIL(OBR OBSERVATION(OBX))) ORDER(ORDER_DETAIL(OBR OBSERVATION(OBX))) "
            "ORDER(ORC ORDER_DETAIL(RXO))",
        ),
        (
            "PID ORC OBR PID ORC OBR",
            "ORM^O01",
            "PATIENT(PID) ORDER(ORC ORDER_DETAIL(OBR)) PATIENT(PID) ORDER(ORC ORDER_DETAIL(OBR))",
        ),
        ("PID OBR", "ORM^O01", "PATIENT(PID) ORDER(ORDER_DETAIL(OBR))"),
        (
            "PID ORC:NW OBR SPM ORC:NW OBR SPM",
            "OML^O21",
            "PATIENT(PID) ORDER(ORC OBSERVATION_REQUEST(OBR SPECIMEN(SPM))) "
            "ORDER(ORC OBSERVATION_REQUEST(OBR SPECIMEN(SPM)))",
        ),
        (
            "PID ORC:NW OBR PID ORC:PR OBR OBX ORC:PR OBR OBX ORC:NW OBR",
            "OML^O21",
            "PATIENT(PID) ORDER(ORC OBSERVATION_REQUEST(OBR PRIOR_RESULT(PATIENT_PRIOR(PID) "
            "ORDER_PRIOR(ORC OBR OBSERVATION_PRIOR(OBX)) ORDER_PRIOR(ORC OBR OBSERVATION_PRIOR(OBX))))) "
            "ORDER(ORC OBSERVATION_REQUEST(OBR))",
        ),
        (
            "PID ORC RXE TQ1 RXR RXC ORC RXO RXE RXR RXE",
            "RDE^O11",
            "PATIENT(PID) ORDER(ORC RXE TIMING_ENCODED(TQ1) RXR RXC) ORDER(ORC ORDER_DETAIL(RXO) RXE RXR) ORDER(RXE)",
        ),
        (
            "SPM OBX ORC OBR OBX NTE ORC OBR OBX SPM OBR OBX",
            "OUL^R22",
            "SPECIMEN(SPM OBX ORDER(ORC OBR RESULT(OBX NTE)) ORDER(ORC OBR RESULT(OBX))) "
            "SPECIMEN(SPM ORDER(OBR RESULT(OBX)))",
        ),
        (
            "SCH PID RGS AIL AIP AIS NTE AIG RGS AIS",
            "SIU^S12",
            "SCH PATIENT(PID) RESOURCES(RGS LOCATION_RESOURCE(AIL) PERSONNEL_RESOURCE(AIP) SERVICE(AIS NTE) "
            "GENERAL_RESOURCE(AIG)) RESOURCES(RGS SERVICE(AIS))",
        ),
        ("SCH AIS AIL", "SIU^S14", "SCH RESOURCES(SERVICE(AIS) LOCATION_RESOURCE(AIL))"),
        ("PID RXA RXR OBX RXA", "VXU^V04", "PID ORDER(RXA RXR OBSERVATION(OBX)) ORDER(RXA)"),
    ],
)
def test_orders(names: str, type: str, expected: str) -> None:
    assert groups(names, type) == expected


@pytest.mark.parametrize(
    ("names", "type", "version", "expected"),
    [
        ("EVN PV1 PID PD1 NK1", "ADT^A08", "2.5.1", "EVN PV1 PID PD1 NK1"),
        ("EVN PID IN1 IN2 OBX IN1 IN2", "ADT^A01", "2.5.1", "EVN PID INSURANCE(IN1 IN2) OBX INSURANCE(IN1 IN2)"),
        ("EVN PID MRG PID MRG", "ADT^A40", "2.5.1", "EVN PATIENT(PID MRG) PATIENT(PID MRG)"),
        ("EVN PID MRG", "ADT^A34", "2.3", "EVN PID MRG"),
        ("EVN PID PV1 TXA OBX OBX", "MDM^T02", "2.5.1", "EVN PID PV1 TXA OBSERVATION(OBX) OBSERVATION(OBX)"),
        ("MSA ERR", "ACK^A01^ACK", "2.5.1", "MSA ERR"),
    ],
)
def test_other_messages(names: str, type: str, version: str, expected: str) -> None:
    tree = walk(message(names, type, version))
    assert shape(tree) == expected and not tree.misplaced


def test_what_the_structure_has_no_place_for_stays_and_is_told() -> None:
    tree = walk(message("PID OBR OBX PV1 OBX SCH ZZZ"))
    assert [segment.name for segment in tree.misplaced] == ["PV1", "SCH"]
    flat = walk(message("PID OBX", "ZZZ^Z01"))
    assert (flat.structure, shape(flat)) == ("", "PID OBX")


def test_reading_a_tree() -> None:
    tree = walk(message("PID NTE ORC OBR NTE OBX:1 NTE OBX:2"))
    order = tree.first("ORDER_OBSERVATION")
    assert isinstance(tree, Tree) and order and tree.first("NOWHERE") is None
    assert (
        [s.name for s in order.segments()]
        == ["ORC", "OBR", "NTE"]
        == [s.name for s in order.segments("ORC", "OBR", "NTE")]
    )
    assert order.segment("OBR") is not None and order.segment("OBX") is None
    assert [group.segments("OBX")[0][1] for group in tree.all("OBSERVATION")] == ["1", "2"]
    assert [group.name for group in order.groups()] == ["OBSERVATION", "OBSERVATION"] and order.groups("SPECIMEN") == []
    assert [s.name for s in order.every("NTE", "OBX")] == ["NTE", "OBX", "NTE", "OBX"]
    assert repr(order) == "ORDER_OBSERVATION of 5"


def test_notes_belong_to_what_they_follow() -> None:
    read = message("PID NTE OBR ZAB NTE NTE OBX OBX NTE")
    assert {read.segments[of].name: len(found) for of, found in notes(read.segments).items()} == {
        "PID": 1,
        "OBR": 2,
        "OBX": 1,
    }
    assert 8 in notes(read.segments)


# --- The samples

REASONS = {
    "ORM": "a second OBR under one ORC is an order of its own here, a second detail of the first there",
    "OML": "an order is a prior result only with PID or ORC-1 PR here, always there",
}


def samples() -> list[bytes]:
    found = []
    for path in sorted(SAMPLES.rglob("*")):
        if path.suffix in (".hl7", ".txt"):
            try:
                found += split(path.read_bytes()).messages
            except Unreadable:
                continue
    return found


@pytest.mark.samples
def test_samples_lose_nothing() -> None:
    found = samples()
    if not found:
        pytest.skip("no sample data")
    for raw in found:
        try:
            read = parse(raw, "latin-1")
        except Unreadable:
            continue
        tree = walk(read)
        assert [id(segment) for segment in tree.every()] == [id(segment) for segment in read.segments]


@pytest.mark.samples
def test_samples_agree_with_another_reader() -> None:
    """hl7apy, where it keeps every segment and finds a structure; it gets ours in MSH-9.3 and four delimiters."""
    parser = pytest.importorskip("hl7apy.parser")
    compared = 0
    for raw in [raw for raw in samples() if len(raw) < 2500][::3]:
        try:
            read = parse(raw, "latin-1")
        except Unreadable:
            continue
        tree = walk(read)
        theirs = _theirs(parser, read, tree)
        if theirs and re.sub(r"\w+\(|\)", "", theirs) == " ".join(s.name for s in read.segments):
            compared += 1
            assert theirs.removeprefix("MSH ") == shape(tree) or read.type in REASONS, (tree.structure, read.version)
    assert compared > 50 or not samples()


def _theirs(parser: object, read: Message, tree: Tree) -> str:
    if not tree.structure:
        return ""
    read.msh.raw[2], read.msh.raw[9] = "^~\\&", f"{read.type}^{read.event}^{tree.structure}"
    try:
        found = parser.parse_message(as_it_came(read).decode(read.charset))  # type: ignore[attr-defined]
        # Without a name no structure was found, and everything is in one row.
        return _their_shape(found, f"{found.name}_") if found.name == tree.structure else ""
    except Exception:  # noqa: BLE001 whatever it cannot read is not compared
        return ""


def _their_shape(group: object, prefix: str) -> str:
    parts = []
    for child in group.children:  # type: ignore[attr-defined]
        if child.classname != "Group":
            parts.append(child.name)
            continue
        name, inner = child.name.removeprefix(prefix), _their_shape(child, prefix)
        # Choices have no group here, and the names made of segments have been given their own.
        is_choice = name == "CHOICE" or name.startswith("OBRRQD")
        parts.append(inner if is_choice else f"{_NAMED.get(name, name)}({inner})")
    return " ".join(parts)


_NAMED = {"OBXTCDSIDNTE_SUPPGRP": "RESULT", "OBXNTE_SUPPGRP": "OBSERVATION"}
