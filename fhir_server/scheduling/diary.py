"""The diary: times found, held, booked, moved and given back, each in one commit of the record.

FHIR R4 Slot and Appointment (https://hl7.org/fhir/R4/appointment.html); docs/adr/scheduling.md says who may what.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from hashlib import blake2b
from itertools import islice
from typing import Any
from uuid import uuid4

import msgspec

from fhir_server.questionnaires import tasks
from fhir_server.scheduling import papers
from fhir_server.scheduling.agenda import STANDING, Agenda
from fhir_server.scheduling.refused import in_terms_of_the_caller
from fhir_server.scheduling.spans import Span, between
from fhir_server.scheduling.taken import Taken
from resources.errors import BusinessRule, Conflict, FhirError
from resources.json_codec import decode_stored
from resources.literal_reference import local
from resources.logical_id import new_id
from resources.repository import (
    Caller,
    Command,
    Create,
    Grant,
    Grants,
    Mark,
    Patch,
    Repository,
    SearchRequest,
    Version,
)

Json = dict[str, Any]

HOLD_MINUTES, MOST_HELD = 10, 5
_DAY = 1440
_LONGEST_WINDOW = 92 * _DAY
_MOVABLE = frozenset({"proposed", "pending", "booked", "waitlist"})
_PATIENT_SIDE = ("Patient/", "RelatedPerson/")
OFFERED = ("Schedule", "Practitioner", "PractitionerRole", "Location", "HealthcareService", "Device")
_LENT = (Grant("Slot", "cru"), *(Grant(type, "r") for type in OFFERED), *tasks.LENT)
"""Who may book may not write Slots as they like: only here, and only these."""


class Diary:
    """Of the site. ``keeper`` reads what it needs to know, ``repository_of`` writes in the name of a caller; ``key``
    hashes who holds; ``zone`` is the site's; ``now`` in ms since 1970 UTC; ``most_ahead`` are a patient's bookings by
    themselves, 0 for any number."""

    def __init__(
        self,
        *,
        keeper: Repository,
        repository_of: Callable[[Caller], Repository],
        taken: Taken,
        key: bytes,
        zone: tzinfo,
        now: Callable[[], int],
        most_ahead: int = 0,
    ) -> None:
        self._keeper, self._repository_of, self._taken = keeper, repository_of, taken
        self._key, self._zone, self.now, self._most_ahead = key, zone, now, most_ahead

    def find(self, schedule: Json, window: Span, most: int) -> list[Span]:
        """The first ``most`` openings of ``schedule`` in ``window``. Raises BusinessRule, TooCostly."""
        low = max(window[0], self._minute())
        if window[1] - low > _LONGEST_WINDOW:
            raise BusinessRule(f"Ask for at most {_LONGEST_WINDOW // _DAY} days at once.", expression="end")
        if not schedule.get("active", True):
            return []
        return list(islice(self._agenda(schedule, (low, max(low, window[1]))).openings(self._minute()), most))

    def hold(self, caller: Caller, schedule: Json, start: int) -> Version:
        """A Slot that nobody else can book for ten minutes. Raises Conflict, BusinessRule, Forbidden."""
        holder = self._holder(caller)
        for _ in range(MOST_HELD):
            seats = self._taken.seats(holder, MOST_HELD)
            if not seats:
                break
            with suppress(Conflict):  # of the time, which is told by looking again, or of the seat
                return self._hold(caller, schedule, self._wanted(schedule, start), holder, seats[0])
            self._wanted(schedule, start)
        raise BusinessRule(f"You hold {MOST_HELD} times already; book one of them, or wait until they lapse.")

    def _hold(self, caller: Caller, schedule: Json, wanted: tuple[Agenda, Span], holder: str, seat: int) -> Version:
        (agenda, span), until, booking = wanted, self.now() + HOLD_MINUTES * 60_000, uuid4().hex
        slot = Create(papers.slot(schedule, span, "busy-tentative", booking, until))
        marks = self._taken.take(agenda.actors, agenda.rules.blocked(span), booking, holder, until, seat)
        return self._stored(caller, [slot], marks, agenda)[0]

    def book(
        self, caller: Caller, schedule: Json, start: int, patient: str, finish: Callable[[Json], Json]
    ) -> tuple[Version, Version]:
        """The Appointment and its Slot; ``finish`` gives the Appointment, which has its id, what else was asked
        for; what it raises is raised before anything is written.

        Raises Conflict (409) when the time is taken, BusinessRule, Forbidden.
        """
        agenda, span = self._wanted(schedule, start)
        self._refuse_more(caller, patient)
        place, booking = uuid4().urn, uuid4().hex
        made = finish(self._appointment(schedule, span, place, patient))
        slot = Create(papers.slot(schedule, span, "busy", booking), full_url=place)
        commands = [slot, *self._booking(schedule, made, patient)]
        kept, booked, *_ = self._stored(caller, commands, self._taking(agenda, span, booking), agenda)
        return booked, kept

    def book_held(
        self, caller: Caller, slot: Json, patient: str, finish: Callable[[Json], Json]
    ) -> tuple[Version, Version]:
        """As ``book``, in a ``slot`` that the same caller holds. Raises Conflict when they do not any more."""
        booking = papers.booking_of(slot)
        if not booking or self._taken.holder(booking) != self._holder(caller):
            raise Conflict("You do not hold this Slot any more; hold it anew, or choose another.", expression="slot")
        schedule = self._schedule(slot)
        if schedule is None:
            raise BusinessRule("This Slot is of no schedule of this server.", expression="slot")
        agenda, span = self._wanted(schedule, between(slot["start"], "")[0])
        self._refuse_more(caller, patient)
        place = f"Slot/{slot['id']}"
        made = finish(self._appointment(schedule, span, place, patient))
        busy = _change(slot, lambda current: papers.with_status(current, "busy"))
        marks = [self._taken.release(booking), *self._taking(agenda, span, booking)]
        kept, booked, *_ = self._stored(caller, [busy, *self._booking(schedule, made, patient)], marks)
        return booked, kept

    def cancel(self, caller: Caller, appointment: Json, reason: str) -> Version:
        """Cancelled, and its time open again. Raises BusinessRule, Conflict, Forbidden."""
        _refuse_settled(appointment, "cancelled")
        told = {"cancelationReason": {"text": reason}} if reason else {}
        freed, marks = self._freed(self._alone(appointment, self._slots(appointment)))
        change = _change(appointment, lambda current: {**current, "status": "cancelled", **told})
        back = tasks.taken_back(self._keeper, f"Appointment/{appointment['id']}")
        return self._stored(caller, [change, *freed, *back], marks)[0]

    def move(self, caller: Caller, appointment: Json, schedule: Json | None, start: int) -> Version:
        """The same Appointment at another time, never without one in between; in its own schedule when ``schedule`` is
        None. Raises as ``book``."""
        _refuse_settled(appointment, "moved")
        slots = self._slots(appointment)
        before = self._schedule(slots[0]) if slots else None
        there = schedule or before
        if there is None:
            raise BusinessRule(
                "The appointment is in no schedule of this server; say in which it is to be.", expression="schedule"
            )
        agenda, span = self._wanted(there, start, appointment["id"])
        place, booking = uuid4().urn, uuid4().hex
        freed, given = self._freed(self._alone(appointment, slots))
        change = _change(appointment, lambda current: papers.moved(current, before, there, span, place))
        slot = Create(papers.slot(there, span, "busy", booking), full_url=place)
        marks = [*given, *self._taking(agenda, span, booking)]
        return self._stored(caller, [change, slot, *freed], marks, agenda)[0]

    # --- parts of them

    def _agenda(self, schedule: Json, window: Span, but: str = "") -> Agenda:
        return Agenda(self._keeper, self._taken, schedule, window, self._zone, but)

    def _wanted(self, schedule: Json, start: int, but: str = "") -> tuple[Agenda, Span]:
        agenda = self._agenda(schedule, (start - _DAY, start + 2 * _DAY), but)
        span = start, start + agenda.rules.length
        agenda.refuse_closed(span, self._minute())
        return agenda, span

    def _refuse_more(self, caller: Caller, patient: str) -> None:
        """So that nobody takes all times of a clinic by themselves; its staff books as many as are needed. Those who
        ask many times at once may get a few more."""
        if not self._most_ahead or not caller.who.startswith(_PATIENT_SIDE):
            return
        now = datetime.fromtimestamp(self.now() // 1000, UTC).isoformat()
        asked = (("patient", patient), STANDING, ("date", f"ge{now}"), ("_count", str(self._most_ahead)))
        if len(self._keeper.search(SearchRequest("Appointment", asked)).hits) >= self._most_ahead:
            raise BusinessRule(f"{self._most_ahead} appointments are ahead already; cancel one, or ask the clinic.")

    def _appointment(self, schedule: Json, span: Span, place: str, patient: str) -> Json:
        return {**papers.appointment(schedule, span, place, patient, self.now()), "id": new_id()}

    def _booking(self, schedule: Json, appointment: Json, patient: str) -> list[Create]:
        """The Appointment, and what its patient is asked to fill in before."""
        place = uuid4().urn
        services = (actor["reference"] for actor in schedule["actor"] if "reference" in actor)
        asks = [schedule, *(self._read("HealthcareService", one) for one in services if _is_service(one))]
        asked = tasks.asking(self._keeper, tasks.named_by(asks), appointment, place, patient)
        return [Create(appointment, full_url=place, id=appointment["id"]), *asked]

    def _taking(self, agenda: Agenda, span: Span, booking: str) -> list[Mark]:
        return self._taken.take(agenda.actors, agenda.rules.blocked(span), booking, "")

    def _stored(
        self, caller: Caller, commands: Sequence[Command], marks: Sequence[Mark], agenda: Agenda | None = None
    ) -> list[Version]:
        """In the name of ``caller``, who is lent what it takes to write these Slots; what ``agenda`` has no need of any
        more is given back. Raises Conflict when one of the times was taken meanwhile."""
        lent = msgspec.structs.replace(caller, grants=Grants((*caller.grants.all, *_LENT)))
        written = {command.id for command in commands if isinstance(command, Patch)}
        orphans = [one for one in (agenda.orphans if agenda else ()) if one["id"] not in written]
        freed, given = self._freed(orphans)
        try:
            outcomes = self._repository_of(lent).commit([*commands, *freed], [*given, *marks])
        except FhirError as refused:
            raise in_terms_of_the_caller(refused) from None
        return [outcome.version for outcome in outcomes if outcome.version]

    def _schedule(self, slot: Json) -> Json | None:
        """None for a Slot that others wrote of a schedule elsewhere."""
        named = local(slot["schedule"].get("reference", ""))
        return self._read("Schedule", named.id) if named and named.type == "Schedule" else None

    def _slots(self, appointment: Json) -> list[Json]:
        named = (local(row.get("reference", "")) for row in appointment.get("slot", ()))
        return [self._read("Slot", one.id) for one in named if one and one.type == "Slot"]

    def _alone(self, appointment: Json, slots: Sequence[Json]) -> list[Json]:
        """Those of ``slots`` that are taken for ``appointment`` and no other: an Appointment may be written with any
        Slot, and must not give back what somebody else booked or holds."""
        return [slot for slot in slots if slot["status"] == "busy" and not self._others(appointment, slot)]

    def _others(self, appointment: Json, slot: Json) -> bool:
        asked = (("slot", f"Slot/{slot['id']}"), STANDING, ("_count", "2"))
        hits = self._keeper.search(SearchRequest("Appointment", asked)).hits
        return any(hit.version.id != appointment["id"] for hit in hits)

    def _read(self, type: str, reference: str) -> Json:
        return decode_stored(self._keeper.read(type, reference.rpartition("/")[2]).doc)

    def _freed(self, slots: Sequence[Json]) -> tuple[list[Command], list[Mark]]:
        """What gives back those of ``slots`` that were made here."""
        ours = [slot for slot in slots if papers.booking_of(slot)]
        return [_given_back(slot) for slot in ours], [self._gives_back(slot) for slot in ours]

    def _gives_back(self, slot: Json) -> Mark:
        booking = papers.booking_of(slot)
        return self._taken.lapse(booking) if slot["status"] == "busy-tentative" else self._taken.release(booking)

    def _holder(self, caller: Caller) -> str:
        return blake2b(f"{caller.who}|{caller.client}".encode(), key=self._key[:64], digest_size=16).hexdigest()

    def _minute(self) -> int:
        return self.now() // 60_000


def _change(resource: Json, apply: Callable[[Json], Json]) -> Patch:
    """Of the version that was looked at: what changed since is looked at anew."""
    version = int(resource["meta"]["versionId"])
    return Patch(resource["resourceType"], apply, id=resource["id"], if_match=version)


def _given_back(seen: Json) -> Patch:
    """A Slot that is free again, unless it was booked since it was ``seen``: a hold may be booked as it lapses."""

    def apply(current: Json) -> Json:
        return papers.with_status(current, "free") if current["status"] == seen["status"] else current

    return Patch("Slot", apply, id=seen["id"])


def _is_service(reference: str) -> bool:
    found = local(reference)
    return found is not None and found.type == "HealthcareService"


def _refuse_settled(appointment: Json, what: str) -> None:
    status = appointment.get("status", "of no known status")
    if status not in _MOVABLE:
        raise BusinessRule(f"The appointment is {status}; it can not be {what} any more.")
