"""The desk: who gets a ticket for which room, and by which link.

Ours; docs/adr/video-record.md. A ticket is for whom the Appointment or Encounter names, or for the link of an
invitation to it; rooms and members are keyed hashes that say nothing about anybody.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any
from urllib.parse import quote

import msgspec

from fhir_server.visits.booking import Booking, is_over
from fhir_server.visits.invitations import Invitations
from fhir_server.visits.nodes import Nodes
from fhir_server.visits.people import named, patient_of, role_of, seat_of, shown_name
from resources.errors import BusinessRule, FhirError, Forbidden, Gone, NotFound
from resources.json_codec import decode_stored
from resources.literal_reference import local
from resources.repository import Repository, Version
from video.errors import Refused
from video.ports import Role, Sealer
from video.signalling.tickets import new_ticket, seal_ticket
from video.visit.encryption import is_encrypted
from video.visit.ledger import is_over as room_is_over
from video.visit.moments import moment
from video.visit.virtual_service import VirtualService, services

Json = dict[str, Any]

EARLY = 30 * 60_000
"""ms before its start at which a visit opens for those who are not its practitioners."""
MOST_PEOPLE = 6
_ROOMS = 1000
_ASKED = 200
"""Visits that one statement asks for."""
_CLOSED = "This link can not be used any more. Please ask for a new one."


class Visit(msgspec.Struct, frozen=True):
    """The two resources of a visit as far as there are any."""

    encounter: Json | None
    appointment: Json | None


class Seat(msgspec.Struct, frozen=True):
    """What somebody was given: ``url`` opens the visit once, until ``expires`` (s since 1970 UTC)."""

    ticket: str
    url: str
    expires: int
    role: Role
    encounter: str
    patient: str
    room: str
    member: str


class Desk:
    """``keeper`` is the record as the server itself sees it for visits; ``ask`` queries the tables of the linkage;
    ``now`` in ms since 1970 UTC."""

    def __init__(
        self,
        *,
        keeper: Repository,
        invitations: Invitations,
        nodes: Nodes,
        key: bytes,
        sealer: Sealer,
        ask: Callable[[str, Sequence[Any]], Any],
        base: str,
        now: Callable[[], int],
    ) -> None:
        self._keeper, self.invitations, self._key, self._sealer = keeper, invitations, key, sealer
        self.nodes = nodes
        self._ask, self._base, self.now = ask, base, now
        self.service = VirtualService(f"{base}/visit", most=MOST_PEOPLE)

    # --- what there is

    def look(self, reference: str) -> Json | None:
        """The resource of a local reference, None when there is none."""
        target = local(reference)
        try:
            return decode_stored(self._keeper.read(*target).doc) if target else None
        except (NotFound, Gone):
            return None

    def booking(self, repository: Repository) -> Booking:
        return Booking(repository, self.service, self.now())

    def visit(self, version: Version) -> Visit:
        """The visit of an Appointment or an Encounter; of the Appointment's Encounters the one that is not over.

        They belong together only when they are about one patient: what an Encounter of another says of this Appointment
        leads nobody there.
        """
        resource = decode_stored(version.doc)
        if version.type == "Encounter":
            booked = filter(None, map(self.look, _appointments(resource)))
            patient = patient_of(resource)
            return Visit(resource, next((one for one in booked if patient and patient_of(one) == patient), None))
        found = self.booking(self._keeper).encounters(resource)
        open = [one for one in found if not is_over(one)]
        chosen = next(iter(open or found), None)
        return Visit(decode_stored(chosen.doc) if chosen else None, resource)

    # --- seats

    def seat(self, visit: Visit, who: str) -> Seat:
        """Of one of those whom the visit names. Raises Forbidden, BusinessRule."""
        seat = seat_of(who, named(visit.appointment, visit.encounter), self.look)
        role = role_of(seat)
        if not seat or role is None:
            raise Forbidden("This visit names you nowhere; ask to be added to its participants.")
        return self._given(visit, role, shown_name(seat, self.look), seat, seat)

    def redeem(self, secret: str) -> Seat:
        """Of the link of an invitation. Raises Refused, which says the same whatever is wrong with it."""
        found = self.invitations.find(secret)
        if found is None:
            raise Refused("invitation", _CLOSED, 403)
        target = local(found.guest.visit)
        try:
            assert target is not None  # an invitation is made for a resource that was read
            visit = self.visit(self._keeper.read(*target))
            if found.guest.actor and found.guest.actor not in named(visit.appointment, visit.encounter):
                raise Refused("invitation", _CLOSED, 403)  # the visit is somebody else's by now
            seat = self._given(visit, found.guest.role, found.guest.name, found.guest.actor, found.id)
        except BusinessRule as error:
            raise Refused("visit", error.issues[0].text, 409) from None
        except (NotFound, Gone):
            raise Refused("invitation", _CLOSED, 403) from None
        except FhirError:
            raise Refused("unavailable", "The visit cannot be opened just now. Please try again.", 503) from None
        self.invitations.used(found.id)
        return seat

    def _given(self, visit: Visit, role: Role, name: str, actor: str, whose: str) -> Seat:
        if role is not Role.PRACTITIONER:
            self._refuse_early(visit)
        encounter = visit.encounter
        if encounter is None:
            assert visit.appointment is not None  # a visit has one of the two
            encounter = decode_stored(self.booking(self._keeper).begun(visit.appointment).doc)
        _refuse_unfit(visit, encounter)
        patient, room = patient_of(encounter) or patient_of(visit.appointment), self.room(encounter["id"])
        member = self._hash("member", f"{room} {whose}")
        ticket = new_ticket(
            room,
            member,
            role,
            name,
            self.now() // 1000,
            actor=actor,
            encounter=f"Encounter/{encounter['id']}",
            appointment=_appointment_of(visit),
            patient=patient,
            encrypted=is_encrypted(encounter),
        )
        sealed = seal_ticket(self._sealer, ticket)
        url = f"{self.nodes.of(room, self._base)}/visit#ticket={sealed}"
        return Seat(sealed, url, ticket.expires, role, ticket.encounter, patient, room, member)

    def _refuse_early(self, visit: Visit) -> None:
        start = moment((visit.appointment or {}).get("start"))
        if start is not None and self.now() < start - EARLY:
            raise BusinessRule(f"This visit opens {EARLY // 60_000} minutes before its start.")

    def put_out(self, rooms: Mapping[str, Collection[str]]) -> list[tuple[str, str]]:
        """Room and member of everybody who may have come by a link that was revoked; ``rooms`` are those that run, each
        with its Encounter and Appointment."""
        of = {visit: room for room, visits in rooms.items() for visit in visits if visit}
        found = [pair for part in _parts(sorted(of)) for pair in self.invitations.revoked(part)]
        return [(of[visit], self._hash("member", f"{of[visit]} {id}")) for visit, id in found]

    # --- rooms

    def room(self, encounter: str) -> str:
        """The room of the Encounter with the id: another one after one that ended while the visit did not,
        or whose process is gone while another one is there."""
        for number in range(_ROOMS):
            room = self._hash("room", f"{encounter} {number}")
            if not room_is_over(self._ask, room) and not self.nodes.lost(room):
                return room
        raise BusinessRule("This visit has had too many rooms; start another one.")

    def link(self, secret: str) -> str:
        """What a guest opens; the secret stands behind #, which browsers send nobody."""
        return f"{self._base}/visit#invitation={quote(secret)}"

    def _hash(self, purpose: str, text: str) -> str:
        return blake2b(text.encode(), key=self._key, person=purpose.encode(), digest_size=16).hexdigest()


def _refuse_unfit(visit: Visit, encounter: Json) -> None:
    """What happens in a visit changes its Encounter: one that is no video visit is nobody's to end by hanging up."""
    status = (visit.appointment or {}).get("status")
    if is_over(encounter):
        raise BusinessRule("This visit is over.")
    if status in ("cancelled", "entered-in-error"):
        raise BusinessRule("This appointment was cancelled.")
    if encounter.get("class", {}).get("code") != "VR" and not services(encounter):
        raise BusinessRule("This Encounter is no video visit; Appointment/[id]/$start-visit makes it one.")


def _parts(visits: Sequence[str]) -> Iterable[Sequence[str]]:
    return (visits[at : at + _ASKED] for at in range(0, len(visits), _ASKED))


def _appointments(encounter: Json) -> list[str]:
    return [found.get("reference", "") for found in encounter.get("appointment", ())]


def _appointment_of(visit: Visit) -> str:
    return f"Appointment/{visit.appointment['id']}" if visit.appointment else ""
