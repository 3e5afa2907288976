"""The pages of the console as rows: rule, method, view.

WHATWG HTML 4.10.22.3 (form submission). What could name a patient is asked by POST, so that no address holds it.
"""

from flask import Blueprint

from fhir_server.pages.door import Door
from fhir_server.pages.frame import Frame
from fhir_server.pages.hl7 import codes, journal, message_page, overview, receivers
from fhir_server.pages.hl7.console import Console
from fhir_server.pages.hl7.desk import LOOK, Desk
from fhir_server.pages.serving import Row, serve

_ONE = "/hl7/messages/<int:id>"

ROUTES: tuple[Row, ...] = (
    ("/hl7/", "GET", overview.overview),
    ("/hl7/messages", "GET", journal.linked),
    ("/hl7/messages", "POST", journal.search),
    ("/hl7/messages/replay", "POST", journal.replay),
    (_ONE, "GET", message_page.message),
    (f"{_ONE}/replay", "POST", message_page.replay),
    (f"{_ONE}/set-aside", "POST", message_page.set_aside),
    (f"{_ONE}/edit", "GET", message_page.edit),
    (f"{_ONE}/edit", "POST", message_page.replay_edited),
    (f"{_ONE}/made/<type>/<made>/<int:version>", "GET", message_page.resource),
    ("/hl7/codes", "GET", codes.codes),
    ("/hl7/codes", "POST", codes.answer),
    ("/hl7/receivers", "GET", receivers.receivers),
    ("/hl7/receivers/resend", "POST", receivers.resend),
)


def blueprint(console: Console, door: Door) -> Blueprint:
    """Everything below ``/hl7``."""
    frame = Frame(LOOK, door, ("/hl7/", "HL7 messages"))
    return serve("hl7_console", frame, ROUTES, lambda visitor: Desk(console, frame, visitor))
