"""The SMART apps that a clinician opens from the chart, with its patient and visit in hand.

SMART App Launch 2.2 section 2.0.6 (launch from the EHR); OWASP ASVS 5.0 V3.5.
"""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Response

from fhir_server.pages.rendering import STRICT
from fhir_server.pages.visits.clinic import CLIENT
from fhir_server.pages.visits.desk import Desk
from fhir_server.pages.visits.place import Place, place_of
from resources.errors import NotFound
from smart_auth.errors import OAuthError

if TYPE_CHECKING:
    from smart_auth.model import Client


def apps(desk: Desk) -> "list[Client]":
    """Those that can be opened; none while there is no log-in, as nobody could be asked what the app may see."""
    return desk.clinic.launches.apps() if desk.clinic.launches else []


def launch(desk: Desk, type: str, id: str, app: str) -> Response:
    """POST /visits/chart/<type>/<id>/apps/<app>

    A page that goes on by itself: what answers a form by a redirect is held against form-action for as long as the app
    redirects further, to the identity provider of its maker for one.
    """
    place = place_of(desk, type, id)
    address = _address(desk, place, app)
    response = desk.page("opening.html", policy=STRICT, heading="Opening the app", url=address, where=urlsplit(address))
    response.headers["Refresh"] = f"0; url={address}"
    return response


def _address(desk: Desk, place: Place, app: str) -> str:
    launches = desk.clinic.launches
    if launches is None:
        raise NotFound("Apps open where people log in.")
    patient, visit = place.patient["id"], place.encounter["id"] if place.encounter else ""
    try:
        return launches.address(desk.visitor.person, app, patient, visit, CLIENT)
    except OAuthError as refused:
        raise NotFound(refused.description) from None
