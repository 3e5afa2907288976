"""The agenda of a Schedule: what the record says of when its actors are there, and of what they do already.

FHIR R4 Schedule.actor, PractitionerRole.availableTime, Slot.status, Appointment.status.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from functools import cached_property, reduce
from itertools import islice
from typing import Any

from fhir_server.scheduling.hours import has_hours, open_hours
from fhir_server.scheduling.openings import openings
from fhir_server.scheduling.papers import BOOKINGS, booking_of
from fhir_server.scheduling.rules import Rules, rules_of, zone_of
from fhir_server.scheduling.spans import LATEST, Span, between, intersection, is_within, union, without
from fhir_server.scheduling.taken import Taken
from resources.errors import BusinessRule, Conflict, TooCostly
from resources.json_codec import decode_stored
from resources.literal_reference import local
from resources.paging import every
from resources.repository import Repository, SearchRequest

Json = dict[str, Any]

STANDING = ("status", "proposed,pending,booked,arrived,checked-in,fulfilled,waitlist")
"""Of the Appointments that occupy somebody."""
_BUSY = frozenset({"busy", "busy-unavailable", "busy-tentative"})
_MOST, _CHUNK = 5000, 100
_LONGEST = 1440
"""Minutes that an appointment begun before a window may reach into it."""
_LONGEST_CLOSED = 92 * 1440
"""The same of what closes a schedule: a holiday may be one Slot of weeks."""


class Agenda:
    """Of ``schedule`` in ``window``, read through ``keeper`` when first asked for; ``usual`` is the site's time zone,
    ``but`` the id of an Appointment that is being moved."""

    def __init__(
        self, keeper: Repository, taken: Taken, schedule: Json, window: Span, usual: tzinfo, but: str = ""
    ) -> None:
        self._keeper, self._taken, self.schedule, self._but = keeper, taken, schedule, but
        self.rules: Rules = rules_of(schedule)
        self.zone = zone_of(schedule, usual)
        self.window = _inside(window, schedule, self.zone)

    @cached_property
    def actors(self) -> list[str]:
        """Whom its bookings occupy. A role is a practitioner's, who has but one day."""
        return sorted({_person(one) or reference for reference, one in self._actors.items()})

    def openings(self, now: int) -> Iterator[Span]:
        """What could be booked; ``now`` in minutes since 1970 UTC."""
        found = openings(self._open, self._busy, self.rules, self.zone)
        return (span for span in found if span[0] >= now + self.rules.notice)

    def refuse_closed(self, span: Span, now: int) -> None:
        """Raise BusinessRule unless ``span`` is open; whether it is taken is for the database to say."""
        if not self.schedule.get("active", True):
            raise BusinessRule("This schedule is not in use.")
        if span[0] < now + self.rules.notice:
            raise BusinessRule("This time is over, or too near to be booked.", expression="start")
        if not is_within(span, self._open):
            raise BusinessRule("The schedule is not open at this time; see $find.", expression="start")
        if intersection([self.rules.blocked(span)], self._elsewhere):
            raise Conflict("This time is taken; see $find for those that are free.", expression="start")

    @cached_property
    def orphans(self) -> list[Json]:
        """Slots made here that nothing needs any more: their hold lapsed, or others cancelled their Appointment."""
        ours = [one for one, _ in self._stored_slots if booking_of(one)]
        busy = [one for one in ours if one["status"] == "busy"]
        kept = self._kept([f"Slot/{one['id']}" for one in busy])
        return [
            one
            for one in ours
            if (one["status"] == "busy-tentative" and not self._taken.is_live(booking_of(one)))
            or (one["status"] == "busy" and f"Slot/{one['id']}" not in kept)
        ]

    # --- open

    @cached_property
    def _actors(self) -> dict[str, Json]:
        found = {}
        for actor in self.schedule["actor"]:
            name = local(actor.get("reference", ""))
            if name is None:
                raise BusinessRule("A schedule is booked for actors of this server.", expression="Schedule.actor")
            found[f"{name.type}/{name.id}"] = decode_stored(self._keeper.read(*name).doc)
        return found

    @cached_property
    def _open(self) -> list[Span]:
        """Where the hours of all actors meet, and what free Slots add; less what Slots close."""
        stated = [hours for name in self._actors if (hours := self._hours(name)) is not None]
        usual = reduce(intersection, stated) if stated else []
        extra = intersection([self.window], (span for status, span in self._slots if status == "free"))
        return without(union([*usual, *extra]), (span for status, span in self._slots if status == "busy-unavailable"))

    def _hours(self, name: str) -> list[Span] | None:
        """None for who states none: they are there whenever the others are."""
        stated = [one for one in (self._actors[name], *self._roles.get(name, ())) if has_hours(one)]
        if not stated:
            return None
        return union(span for one in stated for span in open_hours(one, self.zone, self.window))

    @cached_property
    def _roles(self) -> dict[str, list[Json]]:
        """Of the practitioners among the actors."""
        who = [name for name in self._actors if name.startswith("Practitioner/")]
        return {name: self._found("PractitionerRole", ("practitioner", name), ("active:not", "false")) for name in who}

    # --- taken

    @cached_property
    def _busy(self) -> list[Span]:
        low, high = self.window
        rules = self.rules
        around = (low - rules.before, high + rules.after)
        given_back = {booking_of(one) for one in self.orphans}
        return union([*self._taken.spans(self.actors, around, given_back), *self._elsewhere])

    @cached_property
    def _elsewhere(self) -> list[Span]:
        """What others wrote: Slots of this schedule, Appointments of its actors."""
        slots = (span for status, span in self._slots if status in _BUSY)
        return union([*slots, *self._appointments()])

    @cached_property
    def _slots(self) -> list[tuple[str, Span]]:
        """Those that others wrote."""
        return [(one["status"], span) for one, span in self._stored_slots if not booking_of(one)]

    @cached_property
    def _stored_slots(self) -> list[tuple[Json, Span]]:
        # The free ones that were made here say nothing, and grow with each that is cancelled.
        asked = (("status", ",".join(sorted(_BUSY))),), (("status", "free"), ("identifier:not", f"{BOOKINGS}|"))
        schedule = ("schedule", f"Schedule/{self.schedule['id']}")
        found = [one for some in asked for one in self._found("Slot", *some, schedule, *self._dates("start"))]
        closed = self._found("Slot", ("status", "busy-unavailable"), schedule, *self._long_before())
        return [(one, between(one["start"], one["end"])) for one in (*found, *closed)]

    def _kept(self, slots: Sequence[str]) -> set[str]:
        """Those of ``slots`` that an Appointment still stands on."""
        chunks = (slots[at : at + _CHUNK] for at in range(0, len(slots), _CHUNK))
        found = (one for some in chunks for one in self._found("Appointment", ("slot", ",".join(some)), STANDING))
        return {row.get("reference", "") for one in found for row in one.get("slot", ())}

    def _appointments(self) -> Iterator[Span]:
        roles = (_reference(role) for roles in self._roles.values() for role in roles)
        who = ",".join(sorted({*self._actors, *self.actors, *roles}))
        found = self._found("Appointment", ("actor", who), STANDING, *self._dates("date"))
        for one in found:
            if one.get("start") and one.get("end") and one["id"] != self._but:
                yield between(one["start"], one["end"])

    def _dates(self, name: str) -> tuple[tuple[str, str], ...]:
        return _began(name, self.window[0] - _LONGEST, self.window[1])

    def _long_before(self) -> tuple[tuple[str, str], ...]:
        """Of what began before that and may go on."""
        return _began("start", self.window[0] - _LONGEST_CLOSED, self.window[0] - _LONGEST)

    def _found(self, type: str, *params: tuple[str, str]) -> list[Json]:
        versions = every(self._keeper, SearchRequest(type, (*params, ("_count", "500"))))
        found = [decode_stored(version.doc) for version in islice(versions, _MOST + 1)]
        if len(found) > _MOST:
            raise TooCostly(f"There are more than {_MOST} {type}s in this time; ask for a shorter one.")
        return found


def _began(name: str, low: int, high: int) -> tuple[tuple[str, str], ...]:
    first, last = (datetime.fromtimestamp(at * 60, UTC).isoformat() for at in (low, high))
    return (name, f"ge{first}"), (name, f"lt{last}")


def _inside(window: Span, schedule: Json, zone: tzinfo) -> Span:
    """What of ``window`` the planning horizon covers."""
    horizon = schedule.get("planningHorizon", {})
    lo, hi = between(horizon.get("start", ""), horizon.get("end", ""), zone)
    low = min(max(window[0], lo), LATEST)
    return low, max(low, min(window[1], hi, LATEST))


def _person(resource: Json) -> str:
    is_role = resource["resourceType"] == "PractitionerRole"
    return resource.get("practitioner", {}).get("reference", "") if is_role else ""


def _reference(resource: Json) -> str:
    return f"{resource['resourceType']}/{resource['id']}"
