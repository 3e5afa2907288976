"""Operations of visits: $start-visit, $join, $invite, $invitations, $revoke-invitation; where visits are held.

Ours (docs/adr/video-record.md says why these and under which names); FHIR R4 operations.html, Parameters.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from capability.rows import Operation
from fhir_server.audit.record import AuditRecord, Interaction, event
from fhir_server.http.response import Response
from fhir_server.interactions.exchange import Exchange
from fhir_server.interactions.version import version_response
from fhir_server.operations.parameters import Parameters, read_parameters
from fhir_server.visits.desk import Desk, Seat, Visit
from fhir_server.visits.invitations import Guest, Invitation
from fhir_server.visits.people import ROLES, named, patient_of, role_of, shown_name
from resources import json_codec
from resources.errors import Forbidden, Invalid
from resources.instant import instant
from resources.json_codec import decode_stored
from resources.repository import Caller, Patch, Repository, Version
from video.ports import Role
from video.visit.virtual_service import with_service

Note = Callable[[Sequence[AuditRecord]], None]
Handler = Callable[[Desk, Note, Exchange], Response]
Json = dict[str, Any]

_DEFINITION = "urn:x-hearth:operation:"
_DAYS, _MOST_DAYS = 30, 365
_BOOKED_DAYS = 100
"""No time is booked further ahead by $find; after that a link is minted by $invite."""
_PATIENT_SIDE = ("Patient/", "RelatedPerson/")
_INVITED = (Role.PATIENT, Role.RELATED, Role.INTERPRETER, Role.GUEST)
"""A practitioner has an account, and the key to the waiting room."""


def start_visit(desk: Desk, note: Note, exchange: Exchange) -> Response:
    """The Encounter of the Appointment, made when there is none: the same however often it is asked for; with
    ``encrypted`` its visit is encrypted from end to end.

    Raises NotFound, Forbidden, BusinessRule.
    """
    given = read_parameters(exchange, ("again", "encrypted"))
    _refuse_patients(exchange)
    appointment = decode_stored(exchange.repository.read("Appointment", exchange.id).doc)
    again, sealed = (given.value(name) == "true" for name in ("again", "encrypted"))
    made = desk.booking(exchange.repository).begun(appointment, again=again, sealed=sealed)
    return version_response(exchange, made)


def join(desk: Desk, note: Note, exchange: Exchange) -> Response:
    """A ticket for the caller, or for the participant whom a service of the site names. Raises NotFound, Forbidden,
    Invalid, BusinessRule."""
    given = read_parameters(exchange, ("participant",))
    version = exchange.repository.read(exchange.type, exchange.id)
    seat = ticket_of(desk, note, exchange.repository, version, lambda: _who(exchange, given.value("participant")))
    return _parameters(_seat(seat))


def ticket_of(desk: Desk, note: Note, repository: Repository, version: Version, who: Callable[[], str]) -> Seat:
    """A seat in the visit of ``version`` for ``who``, which is in the audit trail before anybody has it. Raises
    Forbidden, BusinessRule, Unavailable."""
    seat = desk.seat(desk.visit(version), who())
    detail = f"{seat.role} {seat.room}.{seat.member}"
    note(
        [event(repository.caller, Interaction.VIDEO_TICKET, patient=seat.patient, entity=seat.encounter, detail=detail)]
    )
    return seat


def invite(desk: Desk, note: Note, exchange: Exchange) -> Response:
    """A link for somebody without an account, told this once. Raises NotFound, Forbidden, Invalid, BusinessRule."""
    given = read_parameters(exchange, ("role", "name", "participant", "days"))
    visit = _changing(desk, exchange)
    guest = _guest(desk, exchange, visit, given)
    made, link = minted(desk, note, exchange.repository.caller, guest, _days(given))
    url: dict[str, Any] = {"name": "url", "valueUrl": link}
    return _parameters([url, *_invitation(made, desk.now())])


def minted(desk: Desk, note: Note, caller: Caller, guest: Guest, days: int) -> tuple[Invitation, str]:
    """The invitation of ``guest`` and its link, in the audit trail before anybody has it. Raises BusinessRule."""
    made, secret = desk.invitations.add(guest, days)
    _note_invitation(note, caller, made, "made")
    return made, desk.link(secret)


def invitations(desk: Desk, note: Note, exchange: Exchange) -> Response:
    """All that ever were of this Appointment or Encounter; of their links nothing is known any more."""
    read_parameters(exchange, ())
    _refuse_patients(exchange)
    exchange.repository.read(exchange.type, exchange.id)
    found = desk.invitations.of(f"{exchange.type}/{exchange.id}")
    return _parameters([{"name": "invitation", "part": _invitation(one, desk.now())} for one in found])


def revoke_invitation(desk: Desk, note: Note, exchange: Exchange) -> Response:
    """The link buys no more tickets, and who came by it is put out. Raises NotFound, Forbidden, Invalid."""
    given = read_parameters(exchange, ("id",))
    _changing(desk, exchange)
    place, id = f"{exchange.type}/{exchange.id}", given.value("id")
    desk.invitations.revoke(place, id)
    [found] = [one for one in desk.invitations.of(place) if one.id == id]
    _note_invitation(note, exchange.repository.caller, found, "revoked")
    return _parameters(_invitation(found, desk.now()))


class Held:
    """Visits of booked Appointments, by video at ``desk``; meets operations.scheduling.Hosting."""

    def __init__(self, desk: Desk, note: Note) -> None:
        self._desk, self._note = desk, note

    def held_here(self, appointment: Json) -> Json:
        return with_service(appointment, self._desk.service)

    def link(self, exchange: Exchange, appointment: Json) -> str:
        return invited(self._desk, self._note, exchange.repository.caller, appointment)


def invited(desk: Desk, note: Note, caller: Caller, appointment: Json, days: int = _BOOKED_DAYS) -> str:
    """The link of the patient into the visit of ``appointment``, told this once. Raises BusinessRule."""
    patient = patient_of(appointment)
    guest = Guest(f"Appointment/{appointment['id']}", Role.PATIENT, shown_name(patient, desk.look), patient, caller.who)
    return minted(desk, note, caller, guest, days)[1]


# --- who asks


def _refuse_patients(exchange: Exchange) -> None:
    if exchange.repository.caller.who.startswith(_PATIENT_SIDE):
        raise Forbidden("This is for practitioners and services of the site.")


def _changing(desk: Desk, exchange: Exchange) -> Visit:
    """The visit, for those who may change it: a change that changes nothing says so."""
    _refuse_patients(exchange)
    version = exchange.repository.read(exchange.type, exchange.id)
    exchange.repository.commit([Patch(exchange.type, lambda resource: resource, id=exchange.id)])
    return desk.visit(version)


def _who(exchange: Exchange, participant: str) -> str:
    """For whom the ticket is. A person gets their own; a service that may change the visit says whose."""
    who = exchange.repository.caller.who
    if role_of(who) is not None:
        if participant not in ("", who):
            raise Forbidden("A ticket is for who asks for it; invite others with $invite.")
        return who
    if not participant:
        raise Invalid("Who is to join? Name one of the participants, such as Patient/1.", expression="participant")
    exchange.repository.commit([Patch(exchange.type, lambda resource: resource, id=exchange.id)])
    return participant


def _guest(desk: Desk, exchange: Exchange, visit: Visit, given: Parameters) -> Guest:
    role = next((role for role in _INVITED if role.value == given.value("role")), None)
    if role is None:
        raise Invalid(f"role is one of {', '.join(_INVITED)}.", expression="role")
    actor, name = given.value("participant"), given.value("name").strip()[:80]
    if role in ROLES.values():
        if actor not in named(visit.appointment, visit.encounter) or role_of(actor) is not role:
            raise Invalid(f"participant must be a {role} whom the visit names.", expression="participant")
    elif actor or not name:
        raise Invalid(f"A {role} is invited by name, and is no participant of the record.", expression="name")
    place = f"{exchange.type}/{exchange.id}"
    return Guest(place, role, name or shown_name(actor, desk.look), actor, exchange.repository.caller.who)


def _days(given: Parameters) -> int:
    text = given.value("days") or str(_DAYS)
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or not 1 <= int(text) <= _MOST_DAYS:
        raise Invalid(f"days is a whole number from 1 to {_MOST_DAYS}.", expression="days")
    return int(text)


# --- what is answered


def _seat(seat: Seat) -> list[dict[str, Any]]:
    return [
        {"name": "url", "valueUrl": seat.url},
        {"name": "ticket", "valueString": seat.ticket},
        {"name": "expires", "valueInstant": instant(seat.expires * 1000)},
        {"name": "role", "valueCode": seat.role.value},
        {"name": "encounter", "valueReference": {"reference": seat.encounter}},
    ]


def _invitation(found: Invitation, now: int) -> list[dict[str, Any]]:
    times = (("made", found.made), ("expires", found.expires), ("revoked", found.revoked), ("used", found.used))
    told: list[dict[str, Any]] = [
        {"name": "id", "valueString": found.id},
        {"name": "role", "valueCode": found.guest.role.value},
        {"name": "name", "valueString": found.guest.name},
        {"name": "good", "valueBoolean": found.is_good(now)},
        *({"name": name, "valueInstant": instant(at)} for name, at in times if at),
    ]
    if found.guest.actor:
        told.append({"name": "participant", "valueReference": {"reference": found.guest.actor}})
    return told


def _parameters(parts: list[dict[str, Any]]) -> Response:
    # Tickets and links are secrets of who asked.
    body: dict[str, Any] = {"resourceType": "Parameters"} | ({"parameter": parts} if parts else {})
    return Response(200, json_codec.encode(body), [("Cache-Control", "no-store")])


def _note_invitation(note: Note, caller: Caller, found: Invitation, what: str) -> None:
    detail = f"{what} {found.id} {found.guest.role}"
    note([event(caller, Interaction.VIDEO_INVITATION, entity=found.guest.visit, detail=detail)])


_BOTH = frozenset({"Appointment", "Encounter"})
_ROWS: tuple[tuple[str, frozenset[str], Handler, bool, str], ...] = (
    (
        "start-visit",
        frozenset({"Appointment"}),
        start_visit,
        True,
        "The video visit of an appointment: its Encounter, made when there is none.",
    ),
    ("join", _BOTH, join, True, "A one-use link into the video visit for one of those it names."),
    ("invite", _BOTH, invite, True, "A revocable link into the video visit for somebody without an account."),
    ("invitations", _BOTH, invitations, False, "The invitations to a video visit."),
    (
        "revoke-invitation",
        _BOTH,
        revoke_invitation,
        True,
        "Ends the link of an invitation to a video visit, and the stay of who came by it.",
    ),
)


def visit_operations(desk: Desk, note: Note) -> tuple[Operation, ...]:
    """The rows over ``desk``; ``note`` appends to the audit trail before it returns."""
    return tuple(
        Operation(
            name,
            f"{_DEFINITION}{name}",
            frozenset({"instance"}),
            types,
            partial(handler, desk, note),
            documentation,
            affects_state=changes,
        )
        for name, types, handler, changes, documentation in _ROWS
    )
