"""The revocation list in memory: what every request asks of a token that is otherwise good.

RFC 7009 section 2 ("invalidation takes place immediately"), RFC 9068 section 5: tokens are checked without a database
read, so each process reads the list four times a second and answers from a set.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial

from resources.errors import Unavailable
from smart_auth.ports import Records, Revocation

TOO_OLD = 5.0
"""Seconds without a successful read after which nobody is told that a token is good."""

# Of a machine that was asleep the list is as old as the sleep was long, which CLOCK_MONOTONIC leaves out.
_seconds = partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
_FORGET_EVERY = 60.0
_log = logging.getLogger(__name__)


class RevocationList:
    """``revoked`` may be asked by any thread. Start it in the process that asks: threads do not survive a fork.

    ``now`` is whole seconds since 1970; ``period`` the seconds between reads.
    """

    def __init__(self, records: Records, now: Callable[[], int], period: float = 0.25) -> None:
        self._records, self._now, self._period = records, now, period
        self._expires: dict[str, dict[str, int]] = {"jti": {}, "family": {}}
        self._jtis, self._families = self._expires["jti"], self._expires["family"]
        self._after = 0
        self._read_at = self._forgot_at = -TOO_OLD
        self._changing = threading.Lock()  # of those who change the sets; nobody waits to ask them
        self._failing = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        records.when_revoked(self._take)

    def revoked(self, jti: str, family: str) -> bool:
        """Whether the token or its family was revoked.

        Raises Unavailable when the list could not be read for TOO_OLD seconds: it is not known then. That is a refusal
        too, but one that clients repeat; telling them "invalid token" would log everybody off for an outage.
        """
        self.refuse_when_old()
        return jti in self._jtis or family in self._families

    def refuse_when_old(self) -> None:
        """Raise Unavailable when the list is older than TOO_OLD: no token is accepted here, and no requests should be
        sent."""
        if _seconds() - self._read_at > TOO_OLD:
            raise Unavailable("It cannot be checked now whether this token was revoked; try again shortly.")

    def age(self) -> float:
        """Seconds since the list was last read."""
        return _seconds() - self._read_at

    def start(self) -> None:
        """Read the list once, then go on in a thread of its own."""
        self._poll()
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="revocations", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._stop.wait(self._period):
            self._poll()

    def _poll(self) -> None:
        asked_at = _seconds()  # not when the answer came: a slow one is as old as its question
        try:
            rows = self._records.revocations(self._after)
        except Exception:  # noqa: BLE001 whatever it is, the thread goes on and `revoked` refuses
            self._fails()
            return
        self._failing = False
        self._take(rows)
        # Only here: rows that this process added itself may lie above some of others that it has not read yet.
        self._after = rows[-1].seq if rows else self._after
        self._read_at = asked_at
        if asked_at - self._forgot_at > _FORGET_EVERY:
            self._forget()

    def _fails(self) -> None:
        """Say so once an outage."""
        if not self._failing:
            _log.exception("The revocation list cannot be read")
        self._failing = True

    def _take(self, rows: Iterable[Revocation]) -> None:
        with self._changing:
            for row in rows:
                kind, _, id = row.subject.partition(":")
                known = self._expires[kind]
                known[id] = max(row.expires, known.get(id, 0))

    def _forget(self) -> None:
        """Drop what has expired: no token that it names can be good any more."""
        now, self._forgot_at = self._now(), _seconds()
        with self._changing:
            for known in self._expires.values():
                for id in [id for id, expires in known.items() if expires <= now]:
                    del known[id]
