"""What is said about each message and when: refused at the door, stored, applied, or seen before.

HL7 v2.5.1 section 2.9: original mode answers once, when applied (or when stored, if that takes long or the sender wants
it so); enhanced mode answers when stored and again when applied. Nothing positive is said before the journal's commit.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from time import monotonic, time
from typing import TypeVar

from hl7_bridge import strangers
from hl7_bridge.ack import Acknowledger
from hl7_bridge.door import Arrival, Caps, arrive, incoming
from hl7_bridge.er7 import Message, Segment, batch
from hl7_bridge.errors import SEGMENT_SEQUENCE, TOO_LONG, Hl7Error, Malformed, Unreadable
from hl7_bridge.mllp.framing import Oversize, Unfinished
from hl7_bridge.mllp.listener import Answer, NoAnswer, Reply, said
from hl7_bridge.outcomes import Outcomes
from hl7_bridge.ports import Receipt
from hl7_bridge.site.model import Sender, Site
from hl7_bridge.site.recognition import Peer, recognised, welcome
from hl7_bridge.strangers import Strangers
from hl7_bridge.telemetry import Telemetry
from hl7_bridge.verdict import Level, Verdict, is_due, is_enhanced
from hl7_bridge.workers import Kept, Writer
from resources.errors import FhirError

log = logging.getLogger("hearth.hl7")

T = TypeVar("T")
_LARGE = 1 << 17
"""Bytes of a message that is looked at beside the event loop, so that others do not wait for it."""
_BEHIND = 32 << 20
"""Bytes that may wait for the journal; beyond, nothing more is read."""
_PAUSE = 0.005
_MESSAGES_MAX = 10_000
"""Messages of one batch."""


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds that an answer waits for a message to be applied: in original mode, and in enhanced mode."""

    original: float = 2.0
    enhanced: float = 600.0


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that was given to the journal, or not: then ``answer`` says why."""

    header: Message | None
    sender: Sender | None
    kept: "Future[Kept] | None"
    answer: bytes
    started: float


class BridgeReception:
    """mllp.listener.Reception. ``backlog`` tells the bytes that wait for the journal; ``late`` is told of messages that
    were answered when stored."""

    def __init__(
        self,
        site: Site,
        writer: Writer,
        backlog: Callable[[], int],
        outcomes: Outcomes,
        late: Callable[[int], None],
        telemetry: Telemetry,
        *,
        caps: Caps | None = None,
        times: Times | None = None,
        is_open: bool = False,
        counted: Strangers | None = None,
    ) -> None:
        self._site, self._writer, self._backlog, self._outcomes = site, writer, backlog, outcomes
        self._late, self._telemetry, self._open = late, telemetry, is_open
        self._caps, self._times = caps or Caps(), times or Times()
        self._strangers = counted or Strangers()

    def renew(self, site: Site) -> None:
        self._site = site

    def welcome(self, peer: Peer) -> bool:
        is_welcome = welcome(self._site, peer, is_open=self._open)
        if not is_welcome:
            self._strangers.note(peer.address, strangers.NOBODY)
        return is_welcome

    async def room(self) -> None:
        while self._backlog() > _BEHIND:
            await asyncio.sleep(_PAUSE)

    async def take(self, raw: bytes, peer: Peer) -> Reply:
        # The journal gets messages in the order they came: what may wait comes after that.
        if batch.is_several(raw):
            return await self._take_batch(raw, peer)
        taken = await self._taken(raw, peer)
        return self._answer(taken)

    def refuse(self, event: Unfinished | Oversize, peer: Peer) -> bytes:
        error: Hl7Error = Malformed(TOO_LONG, "The message is larger than what is taken.")
        if isinstance(event, Unfinished):
            error = Malformed(SEGMENT_SEQUENCE, "The message has no end block (FS CR).")
        self._telemetry.received("", "", "unreadable")
        self._strangers.note(peer.address, strangers.UNFINISHED)
        log.warning("not taken", extra={"peer": peer.address, "reason": error.text})
        return self._acknowledger().refusal(event.head, None, [error])

    def _acknowledger(self) -> Acknowledger:
        site = self._site
        return Acknowledger(site.application, site.facility)

    # --- one message

    async def _taken(self, raw: bytes, peer: Peer) -> Taken:
        started = monotonic()
        look = partial(arrive, raw, self._recogniser(peer), self._caps)
        arrival = await asyncio.get_running_loop().run_in_executor(None, look) if len(raw) > _LARGE else look()
        message, sender = arrival.message, arrival.sender
        if sender is None or arrival.error is not None:
            return Taken(message, sender, None, self._refused(arrival, peer), started)
        if message is not None and message.type == "ACK":
            return Taken(message, sender, None, self._unasked(arrival), started)
        kept = self._writer.put(incoming(arrival, int(time() * 1000)))
        return Taken(message.header if message else None, sender, kept, b"", started)

    def _recogniser(self, peer: Peer) -> Callable[[str, str], Sender | None]:
        return lambda application, facility: recognised(self._site, peer, application, facility, is_open=self._open)

    def _refused(self, arrival: Arrival, peer: Peer) -> bytes:
        error = arrival.error
        assert error is not None
        answer = self._acknowledger().refusal(arrival.raw, arrival.message, [error])
        name = arrival.sender.name if arrival.sender else ""
        log.warning("not taken", extra={"peer": peer.address, "sender": name, "reason": str(error)})
        if arrival.sender is None:  # strangers do not fill the journal
            is_message = not isinstance(error, Unreadable)
            self._strangers.note(peer.address, strangers.UNKNOWN if is_message else strangers.UNREADABLE)
            self._telemetry.received("", "", "stranger" if is_message else "unreadable")
        else:
            self._telemetry.received(name, _type(arrival.message), "refused")
            self._writer.put(incoming(arrival, int(time() * 1000), answer)).add_done_callback(_noted)
        return answer

    def _unasked(self, arrival: Arrival) -> bytes:
        """An acknowledgement that came by itself is kept and never answered: two peers would go on for ever."""
        assert arrival.sender is not None
        error = Malformed(SEGMENT_SEQUENCE, "An acknowledgement that nothing here waits for.")
        kept = Arrival(arrival.raw, arrival.message, arrival.sender, error)
        self._writer.put(incoming(kept, int(time() * 1000))).add_done_callback(_noted)
        self._telemetry.received(arrival.sender.name, "ACK", "refused")
        return b""

    async def _answer(self, taken: Taken) -> Answer:
        answer, then = taken.answer, None
        if taken.kept is not None:
            kept = await self._durable(taken)
            header = taken.header.msh if taken.header else None
            if is_enhanced(header):
                answer = self._acknowledger().accept(b"", taken.header)
                then = self._applied_later(kept, header)
            else:
                answer = await self._original(taken, kept)
        self._telemetry.answered(taken.sender.name if taken.sender else "", _code(answer), monotonic() - taken.started)
        return Answer(answer, then)

    async def _durable(self, taken: Taken) -> Kept:
        assert taken.kept is not None
        try:
            kept = await _settled(taken.kept)
        except Exception as error:  # noqa: BLE001 whatever kept it from being stored, nothing may be said
            raise NoAnswer(f"not stored: {type(error).__name__}") from None
        kept.receipt.add_done_callback(partial(self._count, taken))
        return kept

    async def _original(self, taken: Taken, kept: Kept) -> bytes:
        """The one answer of original mode, or of a message in a batch."""
        assert taken.sender is not None
        if taken.sender.ack == "stored":
            return self._stored(taken)
        until = monotonic() + self._times.original
        try:
            async with asyncio.timeout(self._times.original):
                receipt = await _settled(kept.receipt)
        except FhirError:  # the bridge stops
            return self._stored(taken)
        except TimeoutError:  # it is durable, and the journal is away
            kept.receipt.add_done_callback(self._answered_before)
            return self._stored(taken)
        if receipt.ack:
            return receipt.ack
        outcome = await self._outcomes.wait(receipt.id, max(0.0, until - monotonic()))
        if outcome is not None:
            return outcome.ack
        self._late(receipt.id)
        return self._stored(taken)

    def _answered_before(self, receipt: "Future[Receipt]") -> None:
        if receipt.exception() is None:
            self._late(receipt.result().id)

    def _stored(self, taken: Taken) -> bytes:
        return self._acknowledger().due(b"", taken.header, Level.APPLICATION, Verdict.ACCEPTED, ())

    async def _applied_later(self, kept: Kept, header: Segment | None) -> bytes:
        if not any(is_due(header, Level.APPLICATION, verdict) for verdict in Verdict):
            return b""
        try:
            receipt = await _settled(kept.receipt)
        except FhirError:  # the bridge stops
            return b""
        if receipt.ack:
            return receipt.ack
        outcome = await self._outcomes.wait(receipt.id, self._times.enhanced)
        return outcome.ack if outcome else b""

    def _count(self, taken: Taken, receipt: "Future[Receipt]") -> None:
        name = taken.sender.name if taken.sender else ""
        is_again = receipt.exception() is None and receipt.result().duplicate
        self._telemetry.received(name, _type(taken.header), "duplicate" if is_again else "taken")

    # --- batches

    async def _take_batch(self, raw: bytes, peer: Peer) -> Reply:
        try:
            file = await asyncio.get_running_loop().run_in_executor(None, batch.split, raw)
            if len(file.messages) > _MESSAGES_MAX:
                raise Unreadable(TOO_LONG, f"A batch holds at most {_MESSAGES_MAX} messages.")
        except Unreadable as error:
            self._strangers.note(peer.address, strangers.UNREADABLE)
            self._telemetry.received("", "", "unreadable")
            return said(self._acknowledger().refusal(raw, None, [error]))
        taken = []
        for message in file.messages:
            await self.room()
            taken.append(await self._taken(message, peer))
        return self._answer_batch(file, taken)

    async def _answer_batch(self, file: batch.File, taken: Sequence[Taken]) -> Answer:
        """One reply for each message: a batch has no second answer, whatever its messages ask for."""
        kept = {n: await self._durable(each) for n, each in enumerate(taken) if each.kept}
        waiting = [self._original(taken[n], one) for n, one in kept.items()]
        answers = dict(zip(kept, await asyncio.gather(*waiting), strict=True))
        return Answer(self._acknowledger().batch(file, [answers.get(n, each.answer) for n, each in enumerate(taken)]))


def _type(message: Message | None) -> str:
    """For a metric: of bounded length and few characters."""
    text = message.type if message else ""
    return text if len(text) == 3 and text.isascii() and text.isalnum() else "other"


def _code(answer: bytes) -> str:
    """MSA-1 of an answer, for a metric."""
    at = answer.find(b"\rMSA")
    code = answer[at + 5 : at + 7].decode("ascii", "replace") if at >= 0 else ""
    return code if code in _CODES else ""


_CODES = {level + verdict for level in Level for verdict in Verdict}


def _noted(kept: "Future[Kept]") -> None:
    if kept.exception() is not None:
        log.warning("a refused message was not kept")


async def _settled(future: "Future[T]") -> T:
    """What is settled in this very thread, many at a time: woken without a system call for each."""
    if not future.done():
        news = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda _: None if news.done() else news.set_result(None))
        await news
    return future.result()
