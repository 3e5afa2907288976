"""Recording as a part of this server: where it is kept, whose consents are looked at, who brings it into the record.

docs/adr/video-recording.md; `VIDEO_RECORDING`.
"""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Thread

from resources.json_codec import decode_stored
from resources.repository import Caller, Grant, Grants, Repository
from video.ports import MediaBackend, Sealer
from video.recording.recorder import VaultRecorder
from video.recording.watch import Found, Watch
from video.signalling.visits import Visits
from video.visit.archive import Archive
from video.visit.consent import consent_id, holds
from video.visit.delivery import Record

Name = tuple[str, str]

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


WATCHER = Caller("video:consents", client="video", grants=Grants((Grant("Consent", "rs", confidential=True),)))
"""Looks whether agreements hold."""


class Consents:
    """Which agreements hold. A Consent is read, and that is audited, when it came or changed and not at every look."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._known: dict[Name, tuple[int, bool]] = {}
        """Version, and whether that one holds; 0 and False of what is there no more."""

    def look(self, asked: Mapping[str, frozenset[int]]) -> Mapping[str, Found]:
        """Meets video.recording.watch.Look. Raises FhirError, Unavailable."""
        names = {(room, number): ("Consent", consent_id(room, number)) for room in asked for number in asked[room]}
        self._learn(self._repository.standing(names.values()), frozenset(names.values()))
        return {room: self._found({number: names[room, number] for number in asked[room]}) for room in asked}

    def _learn(self, versions: Mapping[Name, int], asked: frozenset[Name]) -> None:
        known = {name: self._known[name] for name in asked if name in self._known}
        news = [name for name, version in versions.items() if known.get(name, (0, False))[0] != version]
        known |= {name: (0, False) for name in known if name not in versions}
        for version in self._repository.identified((), news) if news else ():
            known["Consent", version.id] = version.version, holds(decode_stored(version.doc))
        self._known = known

    def _found(self, names: Mapping[int, Name]) -> Found:
        known = {number: self._known[name][1] for number, name in names.items() if name in self._known}
        return Found(
            frozenset(number for number, holding in known.items() if holding),
            frozenset(number for number, holding in known.items() if not holding),
        )


class Recorders:
    """The recorder of a video process and its watch over consents; made in the event loop. ``folder`` is of visits,
    ``repository`` the WATCHER's."""

    def __init__(
        self, repository: Repository, folder: Path, sealer: Sealer, visits: Visits, backend: MediaBackend
    ) -> None:
        self.recorder = VaultRecorder(folder / FOLDER, sealer, backend)
        visits.record_with(self.recorder)
        self.watch = Watch(visits, self.recorder, Consents(repository).look)


def archiving(folder: Path, sealer: Sealer, record: Record, now: Callable[[], int], stop: threading.Event) -> Thread:
    """A thread, not started yet, that brings recordings in until ``stop``."""
    return Thread(target=Archive(folder / FOLDER, sealer, record, now).run, args=(stop,), name="video archive")
