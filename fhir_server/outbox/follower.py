"""Follows the record's Appointments and plans their letters: each change once, none missed, whichever way it came.

FHIR R4 Appointment. The place reached and the letters are one transaction, as with the messages of HL7 v2.
"""

from collections.abc import Iterable, Sequence

from fhir_server.outbox.planning import Plan, Planned, Rules, is_gone, plan, told_of
from fhir_server.outbox.queue import About, Queue
from fhir_server.visits.people import patient_of
from resources.errors import Gone, NotFound
from resources.instant import instant
from resources.json_codec import decode_stored
from resources.paging import pages
from resources.repository import Repository, SearchRequest, Version

_TYPES = ("Appointment",)
_TOGETHER = 200


class Follower:
    """Call ``step`` until it says that nothing is left, and again later. ``repository`` sees all Appointments."""

    def __init__(self, repository: Repository, queue: Queue, rules: Rules) -> None:
        self._repository, self._queue, self._rules = repository, queue, rules

    def step(self) -> bool:
        """Plan for the next changes; whether there may be more at once."""
        before = self._queue.position()
        if before is None:
            self._begin()
            return True
        versions, after = self._repository.changes(_TYPES, before, _TOGETHER)
        if after == before:
            return False
        self._queue.add(self._plans(versions, known=False), before, after)
        return True

    def _begin(self) -> None:
        """From now on; of what is booked already there are reminders."""
        position = self._repository.changes(_TYPES, None, 0)[1]
        ahead = (("date", f"ge{instant(self._queue.now())}"), ("status", "booked"), ("_count", str(_TOGETHER)))
        for page in pages(self._repository, SearchRequest("Appointment", ahead)):
            self._queue.add(self._plans((hit.version for hit in page.hits if hit.mode == "match"), known=True))
        self._queue.begin(position)

    def _plans(self, versions: Iterable[Version], *, known: bool) -> list[tuple[About, int, Plan]]:
        made = (one for version in versions for one in self._plan(version, known))
        return [one for one in made if one[2] != Plan()]

    def _plan(self, version: Version, known: bool) -> Iterable[tuple[About, int, Plan]]:
        appointment = None if version.deleted else decode_stored(version.doc)
        before = self._queue.before(version.reference)
        now, patient, whom = self._queue.now(), patient_of(appointment), self._whom(version, before)
        if whom and (is_gone(appointment) or patient != whom):  # it takes place no more, or is another's
            yield About(version.reference, whom), version.version, plan(None, before, now, self._rules)
            before = []
        if patient:  # else there is nobody to write to, or nobody knows whom
            yield (
                About(version.reference, patient),
                version.version,
                plan(appointment, before, now, self._rules, known=known),
            )

    def _whom(self, version: Version, before: Sequence[Planned]) -> str:
        """The patient who was told of this Appointment, as the version says that the letter is of; '' for nobody."""
        told = told_of(before)
        if not told:
            return ""
        try:
            return patient_of(decode_stored(self._repository.vread("Appointment", version.id, told[-1].since).doc))
        except (NotFound, Gone):
            return ""
