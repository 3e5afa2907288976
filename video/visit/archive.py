"""Brings recordings that are over into the record: part by part, then the document, then nothing is left here.

docs/adr/video-recording.md. After a kill at any place it goes on where it was: every step has its mark in the record.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from resources.errors import Conflict, FhirError, PreconditionFailed
from resources.repository import Put
from video.ports import Recording, Sealer
from video.recording.depacketise import frames
from video.recording.parts import LARGEST, Part, parts
from video.recording.vault import Finished, finished
from video.visit.delivery import Record
from video.visit.ledger import mark
from video.visit.recordings import Stored, binary, document, provenance, step_of

log = logging.getLogger("hearth.video")

Json = dict[str, Any]

_PAUSE, _LONGEST = 0.5, 300.0
"""Seconds between two looks at an empty folder, and at most after failures."""


class Archive:
    """From ``folder`` to ``record``; ``now`` in ms since 1970 UTC. One at a time works in a folder."""

    def __init__(self, folder: Path, sealer: Sealer, record: Record, now: Callable[[], int], largest: int = LARGEST):
        self._folder, self._sealer, self._record, self._now = folder, sealer, record, now
        self._largest = largest

    def run(self, stop: threading.Event) -> None:
        """Until ``stop``."""
        pause = _PAUSE
        while not stop.wait(pause):
            pause = _PAUSE if self.step() else min(_LONGEST, pause * 2)

    def step(self) -> bool:
        """All that are over, once; False when one of them waits for another try."""
        fine = True
        for one in finished(self._folder, self._sealer):
            try:
                self._bring(one)
            except Exception as error:
                code = error.issues[0].code if isinstance(error, FhirError) else type(error).__name__
                known = isinstance(error, FhirError | OSError)
                told = {"file": one.path.name, "code": code}
                log.warning("a recording waits for the record", extra=told, exc_info=not known)
                fine = False
        return fine

    def _bring(self, one: Finished) -> None:
        """Raises FhirError or OSError; then it is tried again."""
        recording = one.head.recording
        stored = [self._part(recording, n, part) for n, part in enumerate(self._parts(one), 1)]
        if stored:
            whole = [document(recording, stored, one.whole), provenance(recording, stored, self._now())]
            self._write(recording, 0, whole)
        else:
            log.warning("a recording is empty", extra={"file": one.path.name})
        one.erase()

    def _parts(self, one: Finished) -> Iterator[Part]:
        names = {member.member: member.role.value for member in one.head.recording.members}
        return parts(frames(one.packets(), one.head.clock), names, one.head.recording.at, self._largest)

    def _part(self, recording: Recording, number: int, part: Part) -> Stored:
        resource, stored = binary(recording, number, part.begin, part.end, part.content)
        self._write(recording, number, [resource])
        return stored

    def _write(self, recording: Recording, step: int, resources: list[Json]) -> None:
        """Once, however often it is tried."""
        named = step_of(recording, step)
        if self._record.written([named]):
            return
        puts = [Put(one, one["resourceType"], one["id"], if_none_match=True) for one in resources]
        try:
            self._record.commit(puts, [mark(named)], [])
        except (Conflict, PreconditionFailed):
            if not self._record.written([named]):
                raise
