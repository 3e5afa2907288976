"""The patient's documents on their own pages.

FHIR R4 DocumentReference, DiagnosticReport.presentedForm.
"""

from flask import Response

from fhir_server.pages.chart.documents import given, listing
from fhir_server.pages.my.desk import Desk


def documents(desk: Desk) -> Response:
    """GET /my/documents"""
    found = listing(desk.repository, desk.patient, desk.clinic.zone, "/my/documents")
    return desk.page("documents.html", tab="documents", heading="Documents", **found._asdict())


def document(desk: Desk, type: str, id: str, n: str) -> Response:
    """GET /my/documents/<type>/<id>/<n>: on a server without log-in too those of the chosen patient alone."""
    made = given(desk.repository, type, id, n, desk.patient)
    return desk.frame.door.finish(made, desk.visitor)
