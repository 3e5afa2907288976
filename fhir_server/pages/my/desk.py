"""One request for a page of a patient: the visitor, whose record it is, and how the page is answered.

Ours; docs/patient-pages.md.
"""

from functools import cached_property
from pathlib import Path
from typing import Any

from flask import Response, request

from fhir_server.pages import desk
from fhir_server.pages.my.clinic import Clinic
from fhir_server.pages.rendering import Look, Policy
from resources.errors import NotFound
from resources.json_codec import decode_stored
from resources.literal_reference import local

LOOK = Look("my", Path(__file__).resolve().parent)
TABS = (
    ("", "Appointments"),
    ("results", "Results and record"),
    ("documents", "Documents"),
    ("messages", "Messages"),
    ("access", "Who looked"),
)
DONE = {
    "booked": "It is booked.",
    "cancelled": "The appointment is cancelled.",
    "moved": "The appointment is moved.",
    "sent": "Your message is sent.",
    "kept": "Your answers are kept. They are not sent yet.",
    "answered": "Your answers are with the clinic. Thank you.",
}


class Desk(desk.Desk[Clinic]):
    """Of a patient, or of who cares for one."""

    @cached_property
    def patient(self) -> str:
        """``Patient/1``. Raises NotFound while there is no log-in and nobody is chosen."""
        if self.visitor.person is not None:
            return f"Patient/{self.visitor.person.patient}"
        found = local(request.values.get("patient", ""))
        if found is None or found.type != "Patient":
            raise NotFound("Choose whose record it is.")
        return f"Patient/{found.id}"

    @cached_property
    def asked(self) -> dict[str, str]:
        """What an address must carry while there is no log-in."""
        return {} if self.visitor.person is not None else {"patient": self.patient}

    @cached_property
    def person(self) -> dict[str, Any]:
        """The Patient."""
        return decode_stored(self.repository.read(*self.patient.split("/")).doc)

    @property
    def policy(self) -> Policy:
        """The form that joins a visit is answered with a redirect to the video process; results come by themselves."""
        return Policy(connect="'self'", forms=f"'self' {self.clinic.origin}".strip())

    def page(self, template: str, status: int = 200, *, tab: str, heading: str, **context: Any) -> Response:
        shared = {"heading": heading, "error": "", "notice": desk.notice(DONE), "zone": str(self.clinic.zone)}
        tabs = [(f"/my/{path}", text, path == tab) for path, text in TABS]
        mine = {"tabs": tabs, "asked": self.asked, "video": self.clinic.visits is not None}
        return self.frame.show(self.visitor, template, status, shared | mine | context, self.policy)

    def go(self, path: str, **query: str) -> Response:
        return super().go(path, **self.asked, **query)
