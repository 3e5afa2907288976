"""The biller's pages as rows: rule, method, view.

OWASP ASVS 5.0 V3.5, V7.2.
"""

from flask import Blueprint

from fhir_server.pages.billing.clinic import Clinic
from fhir_server.pages.billing.desk import LOOK, Desk
from fhir_server.pages.billing.draft_page import charged, draft, put_off, saved
from fhir_server.pages.billing.overview import overview
from fhir_server.pages.door import Door
from fhir_server.pages.frame import Frame
from fhir_server.pages.serving import Row, serve

ROUTES: tuple[Row, ...] = (
    ("/billing/", "GET", overview),
    ("/billing/Encounter/<id>", "GET", draft),
    ("/billing/Encounter/<id>", "POST", saved),
    ("/billing/Encounter/<id>/charge", "POST", charged),
    ("/billing/Encounter/<id>/not-billable", "POST", put_off),
)


def blueprint(clinic: Clinic, door: Door) -> Blueprint:
    """Everything below ``/billing``."""
    frame = Frame(LOOK, door, ("/billing/", "Billing"))
    return serve("billing", frame, ROUTES, lambda visitor: Desk(clinic, frame, visitor))
