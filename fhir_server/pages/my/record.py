"""What the record has of the patient, on a page and as one file.

FHIR R4 Bundle (collection); 45 CFR 164.524: who asks for their record gets all of it, in a form that others can read.
"""

from collections.abc import Iterator
from contextlib import suppress

from flask import Response

from fhir_server.pages.chart.news import mark, told
from fhir_server.pages.chart.sections import sections
from fhir_server.pages.my.desk import Desk
from fhir_server.pages.rendering import guard
from fhir_server.pages.serving import quiet
from resources.definitions import compartment
from resources.errors import Forbidden
from resources.paging import every
from resources.repository import SearchRequest

_LEFT_OUT = frozenset({"Patient", "AuditEvent"})
"""The patient comes first, and who looked has a page of its own that each look makes longer."""


def results(desk: Desk) -> Response:
    """GET /my/results"""
    now = mark(desk.repository, desk.patient)  # before all that is read: what comes meanwhile is news
    parts = sections(desk.repository, desk.patient, desk.clinic.zone)
    order = {id: n for n, id in enumerate(("results", "vitals", "problems", "medications", "allergies", "visits"))}
    parts.sort(key=lambda part: order.get(part.id, len(order)))
    return desk.page(
        "record.html", tab="results", heading="Results and record", sections=parts, limited=False, mark=now
    )


@quiet
def news(desk: Desk) -> Response:
    """GET /my/results/news"""
    return told(desk.frame.door, desk.visitor, mark(desk.repository, desk.patient))


def download(desk: Desk) -> Response:
    """GET /my/record.json: written as it is read, so that a long record needs no memory of its size."""
    first = desk.repository.read(*desk.patient.split("/")).doc
    headers = {"Content-Disposition": 'attachment; filename="my-record.json"'}
    made = guard(Response(_bundle(desk, first), content_type="application/fhir+json", headers=headers))
    return desk.frame.door.finish(made, desk.visitor)


def _bundle(desk: Desk, first: bytes) -> Iterator[bytes]:
    yield b'{"resourceType":"Bundle","type":"collection","entry":[{"resource":' + first + b"}"
    for doc in _all(desk):
        yield b',{"resource":' + doc + b"}"
    yield b"]}"


def _all(desk: Desk) -> Iterator[bytes]:
    """Each once, type by type."""
    for type in sorted(type for type, params in compartment("Patient").items() if params and type not in _LEFT_OUT):
        asked = SearchRequest(type, (("_count", "200"),), ("Patient", desk.patient.split("/")[1]))
        with suppress(Forbidden):
            yield from (version.doc for version in every(desk.repository, asked))
