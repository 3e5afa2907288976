"""What an answer to an order changes."""

from typing import Any

import pytest

from hl7_bridge.er7 import parse
from hl7_bridge.outbound.replies import Answered, Consequences, consequences
from hl7_bridge.outbound.tests.record import ORDER, PRESCRIPTION
from hl7_bridge.site.model import Receiver, Site
from resources.repository import Patch, Put
from resources.validation import check

RECEIVER = Receiver("h", 1, name="lab", application="LAB")


def answer(orc: str = "", resource: dict[str, Any] = ORDER, msa: str = "AA|1", err: str = "") -> Consequences:
    lines = ["MSH|^~\\&|LAB||HEARTH||2026||ORL^O22|2|P|2.5.1", f"MSA|{msa}", err, orc]
    reply = parse("\r".join(filter(None, lines)).encode())
    return consequences(Answered(RECEIVER, Site(), resource, 3, 1_767_348_000_000), reply)


def task(found: Consequences) -> dict[str, Any]:
    put = found.commands[0]
    assert isinstance(put, Put)
    check(put.resource)
    return put.resource


@pytest.mark.parametrize(
    ("control", "status"),
    [("OK", "accepted"), ("UA", "rejected"), ("CR", "cancelled"), ("HR", "on-hold"), ("UC", "in-progress")],
)
def test_the_task_says_where_the_order_stands(control: str, status: str) -> None:
    assert task(answer(f"ORC|{control}|P-9^EHR"))["status"] == status


def test_a_plain_acknowledgement_is_a_receipt() -> None:
    found = answer()
    assert (task(found)["status"], len(found.commands), found.told) == ("received", 1, None)


def test_the_fillers_number_joins_the_order_once() -> None:
    found = answer("ORC|OK|P-9^EHR|F-1^LAB")
    patch = found.commands[1]
    assert isinstance(patch, Patch)
    changed = patch.apply(ORDER)
    assert [each["value"] for each in changed["identifier"]] == ["P-9", "F-1"]
    assert (patch.if_match, found.told and found.told.version) == (3, 4)
    assert len(answer("ORC|OK|P-9^EHR|F-2^LAB", changed).commands) == 1


@pytest.mark.parametrize(("resource", "status"), [(ORDER, "revoked"), (PRESCRIPTION, "cancelled")])
def test_a_cancellation_by_the_filler_ends_the_order(resource: dict[str, Any], status: str) -> None:
    patch = answer("ORC|OC|P-9^EHR", resource).commands[1]
    assert isinstance(patch, Patch)
    assert patch.apply(resource)["status"] == status


def test_a_refusal_is_told_in_the_receivers_words() -> None:
    reply = parse(b"MSH|^~\\&|LAB||||2026||ACK|2|P|2.5.1\rMSA|AR|1\rERR||OBR^1^4|103|E||||Test not known\r")
    found = consequences(Answered(RECEIVER, Site(), ORDER, 3, 0), reply, "answered AR")
    assert (task(found)["status"], task(found)["statusReason"]["text"]) == ("failed", "answered AR: Test not known")
    told = answer("ORC|UA|P-9^EHR", err="ERR||OBR^1^4|103|E||||Test not known")
    assert task(told)["statusReason"]["text"] == "Test not known"


@pytest.mark.parametrize("said", ["no\x01t now", "\x1b[2J", " ", "x" * 5000])
def test_what_a_receiver_says_can_always_be_stored(said: str) -> None:
    """Else the answer is never kept, and the order sent again and again."""
    found = answer(f"ORC|UA|P-9^EHR|F\x019{said[:20]}^LAB", msa=f"AA|1|{said}")
    reason = task(found)["statusReason"]["text"]
    assert reason.isprintable() and len(reason) <= 1000
    for command in found.commands[1:]:
        assert isinstance(command, Patch)
        check(command.apply(dict(ORDER)))
