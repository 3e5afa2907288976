"""Recording as a part of this server: where it is kept, whose consents are looked at, who brings it into the record.

docs/adr/video-recording.md; `VIDEO_RECORDING`.
"""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Thread

from fhir_server.store.session import Store
from resources.json_codec import decode_stored
from resources.repository import Caller, Grant, Grants
from video.ports import MediaBackend, Sealer
from video.recording.recorder import VaultRecorder
from video.recording.watch import Found, Watch
from video.signalling.visits import Visits
from video.visit.archive import Archive
from video.visit.consent import consent_id, holds
from video.visit.delivery import Record

FOLDER = "recordings"
"""Below the folder of visits."""
MADE = ("DocumentReference", "Binary", "Provenance")
ARCHIVIST = Caller(
    "video:recording",
    client="video",
    grants=Grants(
        (
            *(Grant(type, "cu", confidential=True) for type in MADE),
            *(Grant(type, "r", confidential=True) for type in ("Encounter", "Patient", "Practitioner")),
        )
    ),
)
"""Brings recordings in under ids that are known before, which is an update to FHIR; it can read none of them."""


class Consents:
    """Which agreements hold. Only their status is looked at, and nobody is shown it: no access that is audited."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def look(self, asked: Mapping[str, frozenset[int]]) -> Mapping[str, Found]:
        """Meets video.recording.watch.Look. Raises Unavailable."""
        ids = {consent_id(room, number): (room, number) for room, numbers in asked.items() for number in numbers}
        rows = self._store.session().read_many([("Consent", id) for id in sorted(ids)]) if ids else {}
        active = {ids[id] for (_, id), row in rows.items() if row.doc and holds(decode_stored(row.doc))}
        known = {ids[id] for _, id in rows}
        return {room: _found(room, active, known) for room in asked}


def _found(room: str, active: set[tuple[str, int]], known: set[tuple[str, int]]) -> Found:
    return Found(
        frozenset(number for where, number in active if where == room),
        frozenset(number for where, number in known - active if where == room),
    )


class Recorders:
    """The recorder of a video process and its watch over consents; made in the event loop. ``folder`` is of visits."""

    def __init__(self, store: Store, folder: Path, sealer: Sealer, visits: Visits, backend: MediaBackend) -> None:
        self.recorder = VaultRecorder(folder / FOLDER, sealer, backend)
        visits.record_with(self.recorder)
        self.watch = Watch(visits, self.recorder, Consents(store).look)


def archiving(folder: Path, sealer: Sealer, record: Record, now: Callable[[], int], stop: threading.Event) -> Thread:
    """A thread, not started yet, that brings recordings in until ``stop``."""
    return Thread(target=Archive(folder / FOLDER, sealer, record, now).run, args=(stop,), name="video archive")
