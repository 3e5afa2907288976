"""Which video process has which room: each process says every few seconds that it is there, a room stays where it is.

docs/adr/video-room.md, "More than one video process". A process is known by its public URL.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

BEAT = 5.0
"""Seconds between two signs of life."""
GONE = 30_000
"""ms without one after which a process gets no more rooms."""
_KEPT = 30 * 86_400_000

_ALIVE = (
    "INSERT INTO video_node (url, rooms, draining, beat) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (url) DO UPDATE SET rooms = excluded.rooms, draining = excluded.draining, beat = excluded.beat"
)
_FORGET = "DELETE FROM video_room WHERE node = $1 AND at < $2"
_OF = (
    "SELECT r.node, COALESCE(n.beat, 0) FROM video_room AS r LEFT JOIN video_node AS n ON n.url = r.node "
    "WHERE r.room = $1"
)
_LEAST = (
    "SELECT n.url FROM video_node AS n WHERE n.draining = 0 AND n.beat > $1 ORDER BY n.rooms + "
    "(SELECT COUNT(*) FROM video_room AS r WHERE r.node = n.url AND r.at >= n.beat), n.url LIMIT 1"
)
_PIN = "INSERT INTO video_room (room, node, at) VALUES ($1, $2, $3) ON CONFLICT (room) DO NOTHING"


class Session(Protocol):
    """Statements with $1.. placeholders on the session of the calling thread."""

    def query(self, sql: str, values: Any = ...) -> Any: ...

    def transaction(self) -> AbstractContextManager[Any]: ...


class Nodes:
    """Tables ``video_node`` and ``video_room``; any thread may call. ``now`` in ms since 1970 UTC."""

    def __init__(self, session: Callable[[], Session], now: Callable[[], int]) -> None:
        self._session, self._now = session, now

    def beat(self, url: str, rooms: int, draining: bool) -> None:
        """The process at ``url`` is there, with ``rooms`` visits; a draining one gets no more of them."""
        with self._session().transaction():
            self._session().query(_ALIVE, (url, rooms, int(draining), self._now()))
            self._session().query(_FORGET, (url, self._now() - _KEPT))

    def lost(self, room: str) -> bool:
        """Whether the process of ``room`` is gone while another is there. With one process a room is never lost: it
        comes back with it."""
        found = self._session().query(_OF, (room,))
        return bool(found) and int(found[0][1]) <= self._now() - GONE and bool(self._least())

    def of(self, room: str, otherwise: str) -> str:
        """The URL of the process of ``room``: where it is, or from now on the one with the fewest; ``otherwise`` while
        none has ever said that it is there."""
        found = self._session().query(_OF, (room,))
        least = self._least() if not found else ""
        if least:
            with self._session().transaction():
                self._session().query(_PIN, (room, least, self._now()))
            found = self._session().query(_OF, (room,))
        return str(found[0][0]) if found else otherwise

    def _least(self) -> str:
        found = self._session().query(_LEAST, (self._now() - GONE,))
        return str(found[0][0]) if found else ""
