"""Delivers what is queued: each receiver its messages in order, again after failures, into dead letters after refusals.

HL7 v2.5.1 section 2.9.2 and table 0008: AA and CA are the end, AE may be the moment's, AR and CR never change.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from hl7_bridge.er7 import Message, parse
from hl7_bridge.mllp.client import Client, Unanswered
from hl7_bridge.outbound.events import Sent
from hl7_bridge.outbound.replies import ORDERS, Answered, consequences
from hl7_bridge.ports import APPLIED, TOLD, State, Work
from hl7_bridge.reply import read_reply
from hl7_bridge.site.model import Receiver, Site
from hl7_bridge.verdict import Verdict
from resources import json_codec
from resources.errors import Conflict, FhirError, Gone, NotFound, PreconditionFailed
from resources.repository import Mark, Repository

log = logging.getLogger("hearth.hl7")

LEASE = 120.0
"""Seconds that a claimed message is ours; longer than the longest wait for an answer."""
_PAUSE = 0.25
"""Seconds between two looks at an empty queue."""
_ATTEMPTS = 5
"""How often an answer is brought into the record anew when others change the order at the same time."""
_STRANGE = 60.0
"""Seconds after which a message to a receiver nobody knows any more is looked at again."""


class Queue(Protocol):
    """The journal, as delivery uses it."""

    def claim(self, count: int, lease_seconds: float, direction: str = "in") -> list[Work]: ...

    def settle(self, id: int, state: State, reason: str = "", ack: bytes = b"") -> None: ...

    def postpone(self, id: int, reason: str, seconds: float) -> None: ...


About = Callable[[str, str], tuple[str, str] | None]
"""By receiver and control id the (type, id) that a message told of."""


class Delivery:
    """``repository_for`` gives the record as the receiver of that name may change it."""

    def __init__(
        self,
        site: Site,
        queue: Queue,
        about: About,
        repository_for: Callable[[str], Repository],
        now: Callable[[], int],
    ) -> None:
        """``now`` in ms since 1970 UTC."""
        self._site, self._queue, self._about = site, queue, about
        self._repository_for, self._now = repository_for, now
        self._receivers: Mapping[str, Receiver] = {receiver.name: receiver for receiver in site.receivers}
        self._clients: dict[str, Client] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until ``stop`` is set; what is under way then is finished."""
        while not stop.is_set():
            for work in await self._claimed():
                task = asyncio.create_task(self._deliver(work))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            if not self._running:
                await _wait(stop, _PAUSE)
            else:
                await asyncio.wait(self._running, timeout=_PAUSE, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*self._running, return_exceptions=True)
        for client in self._clients.values():
            await client.close()

    async def _claimed(self) -> list[Work]:
        try:
            return await asyncio.to_thread(self._queue.claim, 16, LEASE, "out")
        except FhirError as error:
            log.warning("outgoing messages cannot be read", extra={"code": error.code})
            return []

    async def _deliver(self, work: Work) -> None:
        receiver = self._receivers.get(work.sender)
        try:
            if receiver is None:
                await asyncio.to_thread(self._queue.postpone, work.id, f"No receiver {work.sender!r}.", _STRANGE)
                return
            await self._ask(receiver, work)
        except FhirError as error:  # the lease ends by itself and the message is sent again
            log.warning("answer not kept", extra={"receiver": work.sender, "hl7": work.id, "code": error.code})

    async def _ask(self, receiver: Receiver, work: Work) -> None:
        sent = parse(work.raw)
        client = self._clients.get(receiver.name) or self._clients.setdefault(receiver.name, Client(receiver))
        try:
            answer = await client.ask(work.raw, sent.control_id)
        except Unanswered as error:
            await asyncio.to_thread(self._again, receiver, work, str(error))
            return
        await asyncio.to_thread(self._judge, receiver, work, sent, parse(answer, "latin-1"), answer)

    def _judge(self, receiver: Receiver, work: Work, sent: Message, reply: Message, answer: bytes) -> None:
        said = read_reply(reply)
        may_pass = said.verdict is Verdict.ERROR and receiver.on_error == "retry"
        if said.verdict is Verdict.ACCEPTED:
            self._end(receiver, work, sent, reply, answer, "")
        elif may_pass and work.failures < len(receiver.retry_seconds):
            self._again(receiver, work, f"answered {said.code}")
        else:
            self._end(receiver, work, sent, reply, answer, f"answered {said.code}")

    def _again(self, receiver: Receiver, work: Work, reason: str) -> None:
        waits = receiver.retry_seconds
        self._queue.postpone(work.id, reason, waits[min(work.failures, len(waits) - 1)])
        log.warning("not delivered", extra={"receiver": receiver.name, "hl7": work.id, "reason": reason})

    def _end(self, receiver: Receiver, work: Work, sent: Message, reply: Message, answer: bytes, refusal: str) -> None:
        """Delivered, or refused for good; an order's Task and status change in the same commit."""
        ending = partial(self._commit, receiver, work, sent, reply, answer, refusal)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                ending()
                return
            except (Conflict, PreconditionFailed):  # somebody changed the order; the answer is about what it is now
                if attempt == _ATTEMPTS:
                    raise

    def _commit(
        self, receiver: Receiver, work: Work, sent: Message, reply: Message, answer: bytes, refusal: str
    ) -> None:
        repository = self._repository_for(receiver.name)
        answered = self._answered(repository, receiver, sent.control_id)
        done, told = consequences(answered, reply, refusal) if answered else ([], None)
        marks = [_told(receiver, answered, told)] if answered and told else []
        if refusal:
            if done:
                repository.commit(done, marks)
            self._queue.settle(work.id, State.DEAD, refusal, answer)
            log.error("refused", extra={"receiver": receiver.name, "hl7": work.id, "reason": refusal})
        else:
            params = {"id": work.id, "at": self._now(), "reason": "", "ack": answer}
            repository.commit(done, [*marks, Mark(APPLIED, params)])

    def _answered(self, repository: Repository, receiver: Receiver, control_id: str) -> Answered | None:
        """The order that the message was about, when it was about one that is still there."""
        about = self._about(receiver.name, control_id)
        if about is None or about[0] not in ORDERS:
            return None
        try:
            version = repository.read(*about)
        except (NotFound, Gone):
            return None
        return Answered(receiver, self._site, json_codec.decode_stored(version.doc), version.version, self._now())


def _told(receiver: Receiver, answered: Answered, told: Sent) -> Mark:
    """So that the change the receiver itself made is not sent back to it."""
    order = answered.resource
    key = {"receiver": receiver.name, "type": order["resourceType"], "id": order["id"]}
    return Mark(TOLD, {**key, **told._asdict()})


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


def ask_once(receiver: Receiver, raw: bytes, control_id: str) -> bytes:
    """Send one message over a connection of its own, for the command line. Raises Unanswered."""
    return asyncio.run(_once(Client(receiver), raw, control_id))


async def _once(client: Client, raw: bytes, control_id: str) -> bytes:
    try:
        return await client.ask(raw, control_id)
    finally:
        await client.close()
