"""Operations of scheduling: $find, $hold, $book, $cancel, $reschedule.

Ours (docs/adr/scheduling.md); FHIR R4 has the resources (https://hl7.org/fhir/R4/appointment.html) and no operations.
"""

from collections.abc import Callable
from functools import partial
from heapq import merge
from itertools import islice
from typing import Any, Protocol

from capability.rows import Operation
from fhir_server.http.response import Response
from fhir_server.interactions.exchange import Exchange
from fhir_server.interactions.version import version_response
from fhir_server.operations.parameters import Parameters, read_parameters
from fhir_server.scheduling.diary import Diary
from fhir_server.scheduling.papers import opening, said
from fhir_server.scheduling.spans import Span, between
from resources import json_codec
from resources.errors import Invalid, Issue, operation_outcome
from resources.json_codec import decode_stored
from resources.literal_reference import local
from resources.repository import SearchRequest, Version

Json = dict[str, Any]
Handler = Callable[[Diary, "Hosting | None", Exchange], Response]

_DEFINITION = "urn:x-hearth:operation:"
_COUNT, _MOST_COUNT, _MOST_SCHEDULES = 20, 500, 20
_FILTERS = ("actor", "service-type", "service-category", "specialty", "identifier")
_WEEK = 7 * 1440


class Hosting(Protocol):
    """Where visits by video are held."""

    def held_here(self, appointment: Json) -> Json:
        """``appointment`` with the address of its visit."""
        ...

    def link(self, exchange: Exchange, appointment: Json) -> str:
        """By which the patient comes into the visit of ``appointment``, told this once."""
        ...


def find(diary: Diary, hosting: Hosting | None, exchange: Exchange) -> Response:
    """Times that are free, as Slots that are not stored. Raises NotFound, Invalid, BusinessRule."""
    given = read_parameters(exchange, ("start", "end", "count", *(() if exchange.id else _FILTERS)))
    window, most = _window(diary, given), _count(given)
    asked, others = _schedules(exchange, given)
    schedules = {one["id"]: one for one in asked}
    found = [[(span, id) for span in diary.find(one, window, most)] for id, one in schedules.items()]
    slots = [opening(schedules[id], span) for span, id in islice(merge(*found), most)]
    entries = [{"resource": slot, "search": {"mode": "match"}} for slot in slots] + _left_out(others)
    told = {"resourceType": "Bundle", "type": "searchset", "total": len(slots)} | (
        {"entry": entries} if entries else {}
    )
    return _answer(told)


def hold(diary: Diary, hosting: Hosting | None, exchange: Exchange) -> Response:
    """A Slot kept for the caller for ten minutes. Raises NotFound, Invalid, BusinessRule, Conflict, Forbidden."""
    given = read_parameters(exchange, ("start",))
    schedule = _read(exchange, "Schedule", exchange.id)
    return version_response(exchange, diary.hold(exchange.repository.caller, schedule, _start(given)))


def book(diary: Diary, hosting: Hosting | None, exchange: Exchange) -> Response:
    """The Appointment, its Slot, and the link into its visit. Raises as ``hold``."""
    given = read_parameters(exchange, ("slot", "schedule", "start", "patient", "reason", "comment", "virtual"))
    virtual = given.value("virtual") == "true"
    if virtual and hosting is None:
        raise Invalid("No visits by video are held here.", expression="virtual")
    host, links = hosting if virtual else None, []

    def finish(appointment: Json) -> Json:
        told = said(appointment, given.value("reason"), given.value("comment"))
        if host is None:
            return told
        # Before it is written: a visit that is booked has its link, and a link without a visit opens nothing.
        links.append(host.link(exchange, told))
        return host.held_here(told)

    made, slot = _booked(diary, exchange, given, finish)
    url = [{"name": "visit", "valueUrl": link} for link in links]
    parts = [
        {"name": name, "resource": decode_stored(one.doc)} for name, one in (("appointment", made), ("slot", slot))
    ]
    return _answer({"resourceType": "Parameters", "parameter": [*parts, *url]})


def cancel(diary: Diary, hosting: Hosting | None, exchange: Exchange) -> Response:
    """The Appointment, cancelled; its time is free again. Raises NotFound, BusinessRule, Conflict, Forbidden."""
    given = read_parameters(exchange, ("reason",))
    appointment = _read(exchange, "Appointment", exchange.id)
    return version_response(
        exchange, diary.cancel(exchange.repository.caller, appointment, given.value("reason")[:500])
    )


def reschedule(diary: Diary, hosting: Hosting | None, exchange: Exchange) -> Response:
    """The same Appointment at another time. Raises as ``hold``."""
    given = read_parameters(exchange, ("start", "schedule"))
    appointment = _read(exchange, "Appointment", exchange.id)
    there = _named(exchange, "Schedule", given.value("schedule")) if given.value("schedule") else None
    return version_response(exchange, diary.move(exchange.repository.caller, appointment, there, _start(given)))


def _answer(told: Json) -> Response:
    # Free times grow old at once, and a link is a secret of who asked.
    return Response(200, json_codec.encode(told), [("Cache-Control", "no-store")])


# --- what was asked


def _booked(
    diary: Diary, exchange: Exchange, given: Parameters, finish: Callable[[Json], Json]
) -> tuple[Version, Version]:
    caller = exchange.repository.caller
    patient = given.value("patient") or (caller.who if caller.who.startswith("Patient/") else "")
    if local(patient) is None or not patient.startswith("Patient/"):
        raise Invalid("For whom? Name the patient, such as Patient/1.", expression="patient")
    if given.value("slot"):
        return diary.book_held(caller, _named(exchange, "Slot", given.value("slot")), patient, finish)
    schedule = _named(exchange, "Schedule", given.value("schedule"))
    return diary.book(caller, schedule, _start(given), patient, finish)


def _schedules(exchange: Exchange, given: Parameters) -> tuple[list[Json], int]:
    """Those to look through, and how many more there are."""
    if exchange.id:
        return [_read(exchange, "Schedule", exchange.id)], 0
    filters = tuple((name, value) for name, value in given.values if name in _FILTERS)
    if not filters:
        raise Invalid(f"Which schedules? Name one of {', '.join(_FILTERS)}, or ask one schedule.", expression="actor")
    asked = (*filters, ("active:not", "false"), ("_count", str(_MOST_SCHEDULES)), ("_total", "accurate"))
    page = exchange.repository.search(SearchRequest("Schedule", asked))
    found = [decode_stored(hit.version.doc) for hit in page.hits if hit.mode == "match"]
    return found, (page.total or 0) - len(found)


def _left_out(others: int) -> list[Json]:
    """What says that there are schedules that were not looked through."""
    if others <= 0:
        return []
    text = f"{_MOST_SCHEDULES} schedules were looked through and {others} were not; ask for fewer, or one by one."
    told = operation_outcome([Issue("incomplete", text, severity="warning")])
    return [{"resource": told, "search": {"mode": "outcome"}}]


def _named(exchange: Exchange, type: str, reference: str) -> Json:
    kind, _, id = reference.rpartition("/")
    if kind not in ("", type) or not id:
        raise Invalid(f"Expected a {type}, such as {type}/1; this is {reference[:80]!r}.", expression=type.lower())
    return _read(exchange, type, id)


def _read(exchange: Exchange, type: str, id: str) -> Json:
    return decode_stored(exchange.repository.read(type, id).doc)


def _start(given: Parameters) -> int:
    """In minutes since 1970 UTC. Raises Invalid."""
    text = given.value("start")
    if "T" not in text or not (text.endswith("Z") or text[-6:-5] in ("+", "-")):
        raise Invalid(f"start is an instant, such as 2026-11-23T09:30:00Z; this is {text[:40]!r}.", expression="start")
    return _span("start", text, "")[0]


def _window(diary: Diary, given: Parameters) -> Span:
    """From now, for a week, unless it is said."""
    now = diary.now() // 60_000
    low, high = _span("start", given.value("start"), "")[0], _span("end", "", given.value("end"))[1]
    begin = low if given.value("start") else now
    return begin, high if given.value("end") else max(begin, now) + _WEEK


def _span(name: str, start: str, end: str) -> Span:
    try:
        return between(start, end)
    except ValueError:
        raise Invalid(f"{(start or end)[:40]!r} is no date or instant.", expression=name) from None


def _count(given: Parameters) -> int:
    text = given.value("count") or str(_COUNT)
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or not 1 <= int(text) <= _MOST_COUNT:
        raise Invalid(f"count is a whole number from 1 to {_MOST_COUNT}.", expression="count")
    return int(text)


_ROWS: tuple[tuple[str, str, frozenset[str], Handler, bool, str], ...] = (
    ("find", "Schedule", frozenset({"type", "instance"}), find, False, "Times that can be booked."),
    ("hold", "Schedule", frozenset({"instance"}), hold, True, "Keeps a time for ten minutes."),
    ("book", "Appointment", frozenset({"type"}), book, True, "Books a time, or one that is held."),
    ("cancel", "Appointment", frozenset({"instance"}), cancel, True, "Cancels an appointment; its time is free again."),
    ("reschedule", "Appointment", frozenset({"instance"}), reschedule, True, "Moves an appointment to another time."),
)


def scheduling_operations(diary: Diary, hosting: Hosting | None) -> tuple[Operation, ...]:
    """The rows over ``diary``; ``hosting`` None where no visits are held."""
    return tuple(
        Operation(
            name,
            f"{_DEFINITION}{name}",
            levels,
            frozenset({type}),
            partial(handler, diary, hosting),
            documentation,
            affects_state=changes,
        )
        for name, type, levels, handler, changes, documentation in _ROWS
    )
