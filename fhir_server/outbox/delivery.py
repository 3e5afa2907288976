"""Sends what is due, one letter after another, and has the record say so: a Communication for each.

FHIR R4 Communication (https://hl7.org/fhir/R4/communication.html); docs/reminders.md.
"""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, NamedTuple

from fhir_server.outbox.addresses import Address, Channel, address_of, wants_none
from fhir_server.outbox.channels import ChannelOut, NotSent
from fhir_server.outbox.letters import SAID, Letter, written
from fhir_server.outbox.planning import Template, is_gone, stands
from fhir_server.outbox.queue import Queue, Taken
from fhir_server.visits.people import patient_of
from resources.errors import Conflict, FhirError, Gone, NotFound, PreconditionFailed, Unavailable
from resources.instant import instant
from resources.json_codec import decode_stored
from resources.literal_reference import local
from resources.paging import every
from resources.repository import Command, Mark, Put, Repository, SearchRequest
from video.visit.virtual_service import services

log = logging.getLogger("hearth.outbox")

Json = dict[str, Any]

TRIES = 20
"""Most of a day: a mail server may be down for a night."""
LETTERS = "urn:x-hearth:outbox"
"""Identifier system of the Communications made here; the value is the letter's id, as in its Message-ID."""
_MINUTE, _LONGEST_PAUSE = 60_000, 60 * 60_000
_RECORD_TRIES = 4
_OVER = "over"
_HL7 = "http://terminology.hl7.org/CodeSystem"
_MEDIUM: dict[Channel, tuple[str, str]] = {"smtp": ("EMAILWRIT", "email"), "webhook": ("SMSWRIT", "SMS message")}


class Dropped(Exception):
    """The letter has nobody or nothing to tell any more; the text is a word for operators."""


class Site(NamedTuple):
    """``channels`` in the order in which they are tried for a patient; ``clinic`` as letters name it; ``account`` is
    where patients log in; ``visit_link`` gives the link into the visit of an Appointment, None where letters carry
    none."""

    channels: Mapping[Channel, ChannelOut]
    clinic: str
    zone: tzinfo
    account: str
    visit_link: Callable[[Json], str] | None
    link_holds: Callable[[str], bool]


class Delivery:
    """Any number of threads and processes may ``step``. ``repository`` is the outbox's own."""

    def __init__(self, repository: Repository, queue: Queue, site: Site) -> None:
        self._repository, self._queue, self._site = repository, queue, site

    def step(self) -> bool:
        """Send one letter that is due; False when there is none."""
        taken = self._queue.take()
        if taken is None:
            return False
        if taken.attempts > TRIES:  # each of them ended in nothing, or in the middle
            self._give_up(taken, "broken")
            return True
        try:
            self._send(taken)
        except Dropped as dropped:
            if taken.attempts > 1 and str(dropped) == _OVER:  # somebody was to be told, and was not
                self._give_up(taken, _OVER)
            else:
                self._end([], self._queue.ended(taken, "cancelled", str(dropped)))
        except NotSent as error:
            self._failed(taken, error)
        return True

    def _send(self, taken: Taken) -> None:
        appointment = self._look(taken.about.appointment)
        self._refuse_stale(taken, appointment)
        to = self._address(taken)
        letter = self._letter(taken, appointment)
        self._site.channels[to.channel].send(taken.id, letter, to)
        log.info("letter sent", extra={"letter": taken.id, "template": taken.template.value, "channel": to.channel})
        self._end([self._communication(taken, appointment, to.channel)], self._queue.sent(taken))

    # --- what is true now

    def _look(self, reference: str) -> Json | None:
        name = local(reference)
        try:
            return decode_stored(self._repository.read(*name).doc) if name else None
        except (NotFound, Gone):
            return None

    def _refuse_stale(self, taken: Taken, appointment: Json | None) -> None:
        """What changed since is planned anew, or will be in a moment."""
        if taken.start <= self._queue.now():
            raise Dropped(_OVER)
        is_theirs = patient_of(appointment) == taken.about.patient
        if taken.template is Template.CANCELLED:
            is_true = is_gone(appointment) or not is_theirs
        else:
            is_true = is_theirs and stands(appointment) == taken.start
        if not is_true:
            raise Dropped("changed")

    def _address(self, taken: Taken) -> Address:
        patient = self._look(taken.about.patient)
        if patient is None or patient.get("deceasedBoolean") or patient.get("deceasedDateTime"):
            raise Dropped("no patient")
        if patient.get("active") is False:
            raise Dropped("no patient")
        now = datetime.fromtimestamp(self._queue.now() / 1000, UTC).astimezone(self._site.zone)
        to = address_of(patient, tuple(self._site.channels), now)
        if to is None:
            raise Dropped("no address")
        asked = SearchRequest("Flag", (("patient", taken.about.patient), ("_count", "100")))
        if wants_none([decode_stored(flag.doc) for flag in every(self._repository, asked)]):
            raise Dropped("opted out")
        return to

    def _letter(self, taken: Taken, appointment: Json | None) -> Letter:
        opens = "" if appointment is None or taken.template is Template.CANCELLED else self._visit(taken, appointment)
        link, site = opens or self._site.account, self._site
        return written(taken.template, site.clinic, taken.start, site.zone, link, opens=bool(opens))

    def _visit(self, taken: Taken, appointment: Json) -> str:
        """The link into the visit: one for all letters of it. A link that somebody revoked is not given again."""
        if self._site.visit_link is None or not services(appointment):
            return ""
        kept = self._queue.link(taken)
        if kept:
            return kept if self._site.link_holds(kept) else ""
        try:
            made = self._site.visit_link(appointment)
        except FhirError as error:
            log.warning("no link for a letter", extra={"letter": taken.id, "code": error.code})
            return ""
        self._queue.keep_link(taken, made)
        return made

    # --- what is kept of it

    def _failed(self, taken: Taken, error: NotSent) -> None:
        final = error.final or taken.attempts >= TRIES
        extra = {"letter": taken.id, "reason": error.reason, "attempts": taken.attempts, "final": final}
        log.warning("letter not sent", extra=extra)
        if final:
            self._give_up(taken, error.reason)
            return
        pause = min(_LONGEST_PAUSE, _MINUTE << (taken.attempts - 1))
        self._queue.later(taken, self._queue.now() + pause, error.reason)

    def _give_up(self, taken: Taken, reason: str) -> None:
        said = self._communication(taken, self._look(taken.about.appointment), None)
        self._end([said], self._queue.ended(taken, "failed", reason))

    def _end(self, commands: list[Command], mark: Mark) -> None:
        """Until it is stored, or never can be: a letter that was sent must not be sent again for a pause of the
        database."""
        for attempt in range(1, _RECORD_TRIES + 1):
            try:
                if commands:
                    self._repository.commit(commands, [mark])
                else:
                    self._queue.settle(mark)
                return
            except Unavailable:
                if attempt == _RECORD_TRIES:
                    raise
                time.sleep(attempt)
            except (Conflict, PreconditionFailed):  # another sender was here too
                return
            except FhirError as error:  # the letter left all the same
                log.error("a letter is not in the record", extra={"code": error.code})
                commands = []

    def _communication(self, taken: Taken, appointment: Json | None, channel: Channel | None) -> Command:
        """That the letter was sent by ``channel``, or (None) that it could not be; of its words those that say why."""
        patient = {"reference": taken.about.patient}
        made: Json = {
            "resourceType": "Communication",
            "id": f"letter-{taken.id}",
            "identifier": [{"system": LETTERS, "value": taken.id}],
            "status": "completed" if channel else "not-done",
            "category": [_coded("communication-category", "reminder" if taken.template is Template.REMINDER
                                else "notification")],
            "subject": patient,
            "recipient": [patient],
            "sent": instant(self._queue.now()),
            "payload": [{"contentString": SAID[taken.template]}],
        }  # fmt: skip
        if channel:
            code, text = _MEDIUM[channel]
            made["medium"] = [_coded("v3-ParticipationMode", code, text)]
        else:
            made["statusReason"] = {"text": "It could not be delivered."}
            del made["sent"]
        if appointment is not None:
            made["about"] = [{"reference": taken.about.appointment}]
        return Put(made, "Communication", made["id"], if_none_match=True)


def _coded(system: str, code: str, text: str = "") -> Json:
    return {"coding": [{"system": f"{_HL7}/{system}", "code": code} | ({"display": text} if text else {})]}
