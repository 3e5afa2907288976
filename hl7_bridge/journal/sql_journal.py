"""The journal on SQLite and PostgreSQL: ports.Journal, and what the console, the commands and the upkeep ask of it."""

import logging
import os
import secrets
import socket
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from time import time
from typing import Any

from hl7_bridge.journal import deciding, figures, parts, queue, reading, receiving, rereading, strangers, worklist
from hl7_bridge.journal.aside import Aside, set_aside
from hl7_bridge.journal.database import Database
from hl7_bridge.journal.forecourt import Forecourt, Standing
from hl7_bridge.journal.outbox import SqlOutbox
from hl7_bridge.journal.reading import Entry, Query
from hl7_bridge.journal.reading import Standing as Figures
from hl7_bridge.journal.sealing import Sealing
from hl7_bridge.journal.stamps import SqlStamps
from hl7_bridge.mapping.model import Unmapped
from hl7_bridge.ports import Incoming, Outcome, Receipt, State, Work
from resources.errors import Conflict

log = logging.getLogger("hearth.hl7")

PAGE = 50


def _milliseconds() -> int:
    return int(time() * 1000)


class SqlJournal:
    """Safe for all threads of a process; several processes and nodes may share the tables."""

    def __init__(
        self,
        url: str,
        sealing: Sealing,
        *,
        alone: Callable[[], AbstractContextManager[Any]] | None = None,
        now: Callable[[], int] = _milliseconds,
        court: Path | None = None,
    ) -> None:
        """``alone`` as of Database; ``now`` in ms since 1970 UTC; ``court`` is where the bridge has its forecourt."""
        self._database, self._sealing, self._now = Database(url, alone), sealing, now
        self.outbox = SqlOutbox(self._database, sealing)
        self.stamps = SqlStamps(self._database)
        self.forecourt: Forecourt | None = None
        self._court = court
        self._reached = 0
        self.owner = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"

    def open_forecourt(self, path: Path) -> None:
        """Of SQLite. Raises BlockingIOError when another process has it, Unavailable when it is damaged."""
        self._court = path
        self.forecourt = Forecourt(path, self._sealing)
        self._reached = self.outbox.position(self._follower)
        self.forecourt.begin_behind(self._reached)
        if left := self.forecourt.take_up():
            log.error("messages in the forecourt cannot be opened", extra={"count": left})

    @property
    def _follower(self) -> str:
        return f"forecourt {self.forecourt.name}" if self.forecourt else ""

    def close(self) -> None:
        if self.forecourt:
            self.forecourt.close()
        self._database.close()

    # --- takeover.Journal

    def keep(self, incoming: Sequence[Incoming]) -> list[Standing]:
        assert self.forecourt
        return self.forecourt.keep(incoming)

    def left(self, after: int, count: int) -> list[Standing]:
        assert self.forecourt
        return self.forecourt.after(max(after, self.outbox.position(self._follower)), count)

    def take_over(self, standing: Sequence[tuple[int, Incoming]]) -> list[Receipt]:
        receipts = receiving.take_over(self._database, self._sealing, self._follower, standing)
        self._reached = standing[-1][0]
        return receipts

    # --- ports.Journal

    def receive(self, incoming: Sequence[Incoming]) -> list[Receipt]:
        return receiving.receive(self._database, self._sealing, incoming)

    def claim(self, count: int, lease_seconds: float, direction: str = "in") -> list[Work]:
        return queue.claim(self._database, self._sealing, self.owner, self._now(), count, lease_seconds, direction)

    def settle(self, id: int, state: State, reason: str = "", ack: bytes = b"") -> None:
        queue.settle(self._database, self._now(), id, state, reason, ack)

    def postpone(self, id: int, reason: str, seconds: float) -> None:
        queue.postpone(self._database, self._now(), id, reason, seconds)

    def outcomes(self, ids: Sequence[int]) -> dict[int, Outcome]:
        return queue.outcomes(self._database, ids)

    # --- messages in parts

    def parts_before(self, sender: str, continues: str) -> list[int]:
        """The parts that wait to be continued under MSH-14 ``continues``, newest first."""
        return parts.before(self._database, self._sealing, sender, continues, self._now())

    def hold_part(self, id: int, sender: str, pointer: str, reason: str, ack: bytes) -> None:
        """Keep a part whose DSC-1 is ``pointer``; a last part that came before it is looked at again."""
        last = parts.last_after(self._database, self._sealing, sender, pointer, self._now())
        parts.hold(self._database, self._now(), id, reason, ack, [last] if last else [])

    def parts_joined(self, id: int) -> list[int]:
        """All parts, in order, of the message that message ``id`` is a part of and that is applied; else []."""
        return parts.joined(self._database, id)

    # --- leases and upkeep

    def release_dead(self) -> int:
        """End the leases of processes of this machine that live no more; how many messages that frees."""
        gone = [owner for owner in queue.owners(self._database, self._now()) if owner != self.owner and _is_dead(owner)]
        return queue.release(self._database, gone) if gone else 0

    def release(self, ids: Sequence[int]) -> None:
        """Give back what this process claimed and did not begin."""
        queue.give_back(self._database, self.owner, ids)

    def flag_late(self, ids: Sequence[int]) -> None:
        queue.flag_late(self._database, ids)

    def sweep(self) -> int:
        if self.forecourt:
            self.forecourt.forget(self._reached)
        return queue.sweep(self._database)

    def purge(self, older_than: int, count: int = 1000) -> int:
        return reading.purge(self._database, older_than, count)

    # --- people

    def aside(self) -> list[Aside]:
        """Messages that were acknowledged and lie in the forecourt because they could not be opened."""
        return set_aside(self._court, self._sealing) if self._court else []

    def read(self, id: int) -> Entry | None:
        return reading.read(self._database, id)

    def raw(self, id: int) -> bytes:
        return reading.raw(self._database, self._sealing, id)

    def search(self, query: Query, count: int = PAGE, *, before: int = 0, after: int = 0) -> list[Entry]:
        return reading.search(self._database, self._sealing, query, count, before, after)

    def standings(self) -> list[Figures]:
        return reading.standings(self._database)

    def last_received(self, senders: Sequence[str]) -> dict[str, int]:
        return reading.last_received(self._database, senders)

    def reopen(self, ids: Sequence[int], *, due: int = 0) -> int:
        return queue.reopen(self._database, ids, due)

    def reopen_beside(self, id: int) -> int:
        return queue.reopen_beside(self._database, id)

    def set_aside(self, id: int, reason: str) -> bool:
        """A person decides that a held or dead message is not to be applied; whether it was one."""
        return deciding.set_aside(self._database, self._now(), id, reason)

    def replay(self, id: int, incoming: Incoming, *, due: int = 0) -> Receipt:
        """``incoming``, which repeats message ``id``, edited or as it was: a message of its own, linked to the first,
        applied at ``due`` (ms) at the earliest.

        Raises Conflict while the first still waits.
        """
        first = self.read(id)
        if first is None or first.state is State.RECEIVED:
            raise Conflict(f"Message {id} is not there or still waits; only one that has ended is replayed.")
        linked = receiving.Linked(id, incoming.raw != self.raw(id), due)
        return receiving.receive(self._database, self._sealing, [incoming], linked)[0]

    # --- figures

    def arrivals(self, sender: str, count: int) -> list[int]:
        return figures.arrivals(self._database, sender, count)

    def passed(self, since: int) -> dict[tuple[str, str], int]:
        return figures.passed(self._database, since)

    def open_codes(self) -> dict[str, int]:
        return figures.open_codes(self._database)

    def last_reason(self, receiver: str) -> tuple[int, str]:
        """(id, reason) of the newest message that did not reach ``receiver``, (0, '') when there is none."""
        return figures.reasons(self._database, receiver, (State.RECEIVED, State.HELD, State.DEAD))

    def repeats(self, entry: Entry) -> list[int]:
        """The messages that repeat ``entry``, oldest first."""
        return figures.repeats(self._database, entry.id, entry.sender, entry.control_id)

    # --- unmapped codes

    def note_unmapped(self, id: int, sender: str, codes: Sequence[Unmapped]) -> None:
        worklist.note(self._database, self._now(), id, sender, codes)

    def worklist(self, sender: str = "", *, answered: bool = False) -> list[worklist.Item]:
        return worklist.items(self._database, sender, answered)

    def holding(self, sender: str, source: str, code: str, count: int | None = None) -> list[int]:
        """The messages that hold a code, oldest first, ``count`` at most."""
        return worklist.holding(self._database, sender, source, code, count)

    def reread(self, sender: str, source: str, code: str, *, after: int, who: str, due: int) -> int:
        """Queue the messages behind ``after`` that hold a code, to be read again from ``due`` (ms) on; how many."""
        return rereading.add(self._database, sender, source, code, after, who, due)

    def take_reread(self, count: int) -> list[tuple[int, str]]:
        return rereading.take(self._database, self._now(), count)

    def end_reread(self, ids: list[int]) -> None:
        rereading.done(self._database, ids)

    # --- strangers

    def note_strangers(self, counted: Sequence[strangers.Stranger]) -> None:
        strangers.note(self._database, counted)

    def strangers(self) -> list[strangers.Stranger]:
        return strangers.seen(self._database)

    def answer(self, sender: str, source: str, code: str, answer: str) -> bool:
        return worklist.answer(self._database, sender, source, code, answer)


def _is_dead(owner: str) -> bool:
    """Whether ``owner`` is a process of this machine that is gone; of others nothing is known."""
    host, _, rest = owner.partition("/")
    number = rest.partition("/")[0]
    if host != socket.gethostname() or not number.isdigit():
        return False
    if int(number) == os.getpid():  # in a container every life has the same number
        return True
    with suppress(PermissionError):
        try:
            os.kill(int(number), 0)
        except ProcessLookupError:
            return True
    return False
