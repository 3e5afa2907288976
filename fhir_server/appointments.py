"""Scheduling as a part of this server: what the diary is given.

docs/adr/scheduling.md.
"""

from time import time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from fhir_server.keys import KeyName
from fhir_server.scheduling.diary import OFFERED, Diary
from fhir_server.scheduling.taken import MARKS, Taken
from resources.repository import Caller, Grant, Grants

if TYPE_CHECKING:
    from fhir_server.wiring import Process

_READ = (*OFFERED, "Slot", "Appointment", "Task", "Questionnaire")
KEEPER = Caller(
    "scheduling:diary",
    client="scheduling",
    grants=Grants(Grant(type, "rs", confidential=True) for type in _READ),
)
"""Knows when everybody is busy; nobody is told with what."""


def diary(process: "Process") -> Diary:
    """The diary of the site, by the record and the keys of ``process``."""
    for name, sql in MARKS.items():
        process.store.register_mark(name, sql)
    return Diary(
        keeper=process.repository(KEEPER),
        repository_of=process.repository,
        taken=Taken(lambda sql, values: process.store.session().query(sql, values), _now),
        key=process.keyring.by_id(KeyName.INDEX, 1).secret,
        zone=ZoneInfo(process.settings.time_zone),
        now=_now,
        most_ahead=process.settings.bookings_ahead,
    )


def _now() -> int:
    return int(time() * 1000)
