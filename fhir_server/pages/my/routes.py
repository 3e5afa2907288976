"""The patient's pages as rows: rule, method, view.

OWASP ASVS 5.0 V3.5, V7.2.
"""

from flask import Blueprint

from fhir_server.pages.door import Door
from fhir_server.pages.frame import Frame
from fhir_server.pages.my import access, appointments, documents, messages, prepare, record
from fhir_server.pages.my.clinic import Clinic
from fhir_server.pages.my.desk import LOOK, Desk
from fhir_server.pages.serving import Row, serve

ROUTES: tuple[Row, ...] = (
    ("/my/", "GET", appointments.home),
    ("/my/book", "GET", appointments.book),
    ("/my/book", "POST", appointments.booked),
    ("/my/appointments/<id>/join", "POST", appointments.join),
    ("/my/appointments/<id>/cancel", "POST", appointments.cancel),
    ("/my/appointments/<id>/prepare", "GET", prepare.prepare),
    ("/my/appointments/<id>/prepare", "POST", prepare.prepared),
    ("/my/results", "GET", record.results),
    ("/my/results/news", "GET", record.news),
    ("/my/record.json", "GET", record.download),
    ("/my/messages", "GET", messages.messages),
    ("/my/messages", "POST", messages.send),
    ("/my/documents", "GET", documents.documents),
    ("/my/documents/<type>/<id>/<n>", "GET", documents.document),
    ("/my/access", "GET", access.access),
)


def blueprint(clinic: Clinic, door: Door) -> Blueprint:
    """Everything below ``/my``."""
    frame = Frame(LOOK, door, ("/my/", "My record"))
    return serve("my", frame, ROUTES, lambda visitor: Desk(clinic, frame, visitor))
