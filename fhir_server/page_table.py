"""Which pages this server has beside the record, where they are, and for whom: one row each.

Ours; docs/video.md, docs/patient-pages.md, docs/hl7.md. A server without authentication loads no rule of a log-in.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from time import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from fhir_server.http.this_machine import ThisMachine
from fhir_server.keys import KeyName

if TYPE_CHECKING:
    from flask import Blueprint

    from fhir_server.billing.charging import Charging
    from fhir_server.pages.door import Door
    from fhir_server.pages.secured_door import Rule
    from fhir_server.scheduling.diary import Diary
    from fhir_server.visits.desk import Desk
    from fhir_server.visits.presence import Presence
    from fhir_server.wiring import Process
    from smart_auth.model import Person


@dataclass(frozen=True)
class Premises:
    """What pages and operations share: made once per application, each part when first asked for."""

    process: "Process"

    @cached_property
    def diary(self) -> "Diary":
        from fhir_server.appointments import diary

        return diary(self.process)

    @cached_property
    def charging(self) -> "Charging":
        from fhir_server.billing.charging import Charging
        from fhir_server.billing.tariff import read_tariff

        return Charging(read_tariff(self.process.settings.tariff_file), milliseconds)

    @cached_property
    def visits(self) -> "Desk | None":
        """None where no visits are held."""
        if not self.process.settings.video:
            return None
        from fhir_server import video

        return video.desk(self.process)

    @cached_property
    def origin(self) -> str:
        """That of the video process, '' without one."""
        return self.process.settings.video_origin if self.process.settings.video else ""

    @cached_property
    def zone(self) -> ZoneInfo:
        """Where the site's days begin."""
        return ZoneInfo(self.process.settings.time_zone)


Opened = Callable[[str, Callable[[], "Rule"]], "Door"]
"""A door, by the client that audit rows name and by who may enter."""


@dataclass(frozen=True)
class Pages:
    """``text`` stands in the menu of those for whom they are; ``made`` builds them."""

    name: str
    text: str
    is_for: "Callable[[Person], bool]"
    made: "Callable[[Premises, Opened], Blueprint]"

    @property
    def path(self) -> str:
        return f"/{self.name}/"


def _visits(premises: Premises, opened: Opened) -> "Blueprint":
    from fhir_server.pages.visits import CLIENT, Clinic, blueprint

    def rule() -> "Rule":
        from fhir_server.pages.visits.staff import STAFF

        return STAFF

    process = premises.process
    clinic = Clinic(
        repository_of=process.repository,
        desk=premises.visits,
        note=process.spool.append,
        presence=_presence(process) if premises.visits else lambda: None,
        peers=lambda: process.console.watch.peers(),
        zone=premises.zone,
        origin=premises.origin,
        now=milliseconds,
        launches=None if process.settings.open else process.authorization.service.launches,
    )
    return blueprint(clinic, opened(CLIENT, rule))


def _presence(process: "Process") -> "Presence":
    from fhir_server import video
    from fhir_server.visits.presence import Presence

    return Presence(process.settings.video_address, video.sealer(process), milliseconds)


def _my(premises: Premises, opened: Opened) -> "Blueprint":
    from fhir_server.pages.my import CLIENT, Clinic, blueprint

    def rule() -> "Rule":
        from fhir_server.pages.my.persons import PATIENTS

        return PATIENTS

    clinic = Clinic(
        repository_of=premises.process.repository,
        diary=premises.diary,
        visits=premises.visits,
        note=premises.process.spool.append,
        zone=premises.zone,
        origin=premises.origin,
        now=milliseconds,
    )
    return blueprint(clinic, opened(CLIENT, rule))


def _billing(premises: Premises, opened: Opened) -> "Blueprint":
    from fhir_server.pages.billing import CLIENT, Clinic, blueprint

    def rule() -> "Rule":
        from fhir_server.pages.billing.staff import STAFF

        return STAFF

    clinic = Clinic(repository_of=premises.process.repository, charging=premises.charging, zone=premises.zone)
    return blueprint(clinic, opened(CLIENT, rule))


def _hl7(premises: Premises, opened: Opened) -> "Blueprint":
    from fhir_server.pages.hl7 import blueprint

    def rule() -> "Rule":
        from fhir_server.pages.hl7.administrators import ADMINISTRATORS

        return ADMINISTRATORS

    return blueprint(premises.process.console, opened("hearth console", rule))


PAGES = (
    Pages("visits", "Clinic", lambda person: person.staff, _visits),
    Pages("my", "My record", lambda person: bool(person.patient), _my),
    Pages("billing", "Billing", lambda person: person.staff, _billing),
    Pages("hl7", "HL7 messages", lambda person: person.administrator, _hl7),
)
"""In the order of the menu."""


def blueprints(premises: Premises, here: ThisMachine) -> Iterable["Blueprint"]:
    """All pages, behind their doors."""
    process = premises.process

    def opened(client: str, rule: Callable[[], "Rule"]) -> "Door":
        if process.settings.open:
            from fhir_server.pages.door import OpenDoor

            secret = process.keyring.current(KeyName.PAGE).secret
            return OpenDoor(here, urlsplit(process.settings.issuer).path, secret, client)
        from fhir_server.pages.secured_door import SecuredDoor

        return SecuredDoor(process.authorization.service, rule())

    return (pages.made(premises, opened) for pages in PAGES)


def milliseconds() -> int:
    """Now, since 1970 UTC."""
    return int(time() * 1000)
