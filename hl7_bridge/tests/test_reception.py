"""What is said when, over a journal on paper: no socket, no database."""

import asyncio
from concurrent.futures import Future

import pytest

from hl7_bridge.mllp.framing import Unfinished
from hl7_bridge.mllp.listener import NoAnswer
from hl7_bridge.ports import Outcome, Receipt, State
from hl7_bridge.reception import BridgeReception, Times
from hl7_bridge.site.model import Sender, Site
from hl7_bridge.site.recognition import Peer
from hl7_bridge.strangers import UNFINISHED, UNKNOWN, Strangers
from hl7_bridge.workers import Kept
from resources.errors import Unavailable

LAB = Peer("10.0.0.1")
SITE = Site(senders=(Sender("lab", applications=("LAB",)), Sender("quick", applications=("QUICK",), ack="stored")))


def message(application="LAB", more="", control="7"):
    return f"MSH|^~\\&|{application}|A|||2026||ORU^R01|{control}|P|2.5.1{more}\rPID|||1^^^H\r".encode()


class Paper:
    """Writes down what it is told."""

    def __init__(self):
        self.said = []

    def received(self, sender, type, verdict):
        self.said.append(("received", sender, type, verdict))

    def answered(self, sender, code, seconds):
        self.said.append(("answered", sender, code))

    def ended(self, sender, state, seconds): ...


class Desk:
    """Writer, outcomes and reception; ``receipt`` and ``outcome`` are what comes, None for nothing in time."""

    def __init__(self, receipt=None, outcome=None, error=None):
        self.receipt, self.outcome, self.error = receipt, outcome, error
        self.put_, self.late, self.paper, self.strangers = [], [], Paper(), Strangers()
        self.receipts = []
        self.reception = BridgeReception(
            SITE, self, lambda: 0, self, self.late.append, self.paper, times=Times(0.05, 0.05), counted=self.strangers
        )  # fmt: skip

    def put(self, incoming):
        self.put_.append(incoming)
        kept, receipt = Future(), Future()
        self.receipts.append(receipt)
        if self.receipt:
            receipt.set_result(self.receipt)
        if self.error:
            kept.set_exception(self.error)
        else:
            kept.set_result(Kept(receipt))
        return kept

    async def wait(self, id, seconds):
        return self.outcome

    def take(self, raw):
        async def taken():
            answer = await (await self.reception.take(raw, LAB))
            return answer.raw, (await answer.then if answer.then else None)

        return asyncio.run(taken())


def code(answer):
    return answer.split(b"\rMSA|")[1][:2].decode() if answer else ""


def test_original_mode_answers_with_what_became_of_it():
    desk = Desk(Receipt(1), Outcome(State.APPLIED, b"the answer"))
    assert desk.take(message()) == (b"the answer", None)
    assert desk.paper.said == [("received", "lab", "ORU", "taken"), ("answered", "lab", "")]


def test_a_duplicate_gets_the_stored_answer():
    desk = Desk(Receipt(1, duplicate=True, ack=b"as before"))
    assert desk.take(message())[0] == b"as before"
    assert ("received", "lab", "ORU", "duplicate") in desk.paper.said


def test_what_takes_long_to_apply_is_answered_and_flagged():
    desk = Desk(Receipt(5))
    assert code(desk.take(message())[0]) == "AA" and desk.late == [5]


def test_what_is_durable_is_answered_in_time_also_while_the_journal_is_away_and_flagged_when_it_is_back():
    desk = Desk()
    assert code(desk.take(message())[0]) == "AA" and desk.late == []
    desk.receipts[0].set_result(Receipt(6))
    assert desk.late == [6]


def test_a_sender_that_wants_it_so_waits_for_nothing_but_the_disk():
    desk = Desk()
    assert code(desk.take(message("QUICK"))[0]) == "AA"


def test_enhanced_mode_answers_twice():
    desk = Desk(Receipt(1), Outcome(State.APPLIED, b"applied"))
    now, then = desk.take(message(more="|||AL|AL"))
    assert (code(now), then) == ("CA", b"applied")


def test_nothing_is_said_of_what_could_not_be_stored():
    with pytest.raises(NoAnswer):
        Desk(error=Unavailable("full")).take(message())


def test_a_stranger_is_refused_and_counted_and_not_kept():
    desk = Desk()
    assert code(desk.take(message("NOBODY"))[0]) == "AR"
    assert desk.put_ == [] and [each.reason for each in desk.strangers.drain()] == [UNKNOWN]
    assert desk.paper.said[0] == ("received", "", "", "stranger")


def test_what_is_refused_is_kept_with_its_answer():
    desk = Desk()
    answer, _ = desk.take(message().replace(b"|P|", b"|X|"))
    [kept] = desk.put_
    assert (kept.state, kept.ack) == (State.REJECTED, answer)


def test_an_acknowledgement_that_nobody_waits_for_is_kept_and_not_answered():
    desk = Desk()
    assert desk.take(message().replace(b"ORU^R01", b"ACK"))[0] == b""
    assert [each.state for each in desk.put_] == [State.REJECTED]


def test_what_has_no_end_is_refused_and_counted():
    desk = Desk()
    assert code(desk.reception.refuse(Unfinished(message()), LAB)) in ("AE", "AR")
    assert [each.reason for each in desk.strangers.drain()] == [UNFINISHED]


def test_a_metric_is_never_given_what_a_sender_made_up():
    desk = Desk(Receipt(1), Outcome(State.APPLIED, b""))
    desk.take(message().replace(b"ORU^R01", b"Miller^John"))
    assert desk.paper.said[0] == ("received", "lab", "other", "taken")
