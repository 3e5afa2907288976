"""The batch interaction: every entry alone, each with its own answer.

FHIR R4 (https://hl7.org/fhir/R4/http.html#transaction).
"""

import io
from typing import Any

from msgspec import structs

from fhir_server.http.request import Request
from fhir_server.http.response import Response
from fhir_server.interactions.bundle_commands import command_of
from fhir_server.interactions.bundle_entries import Entry, names_place, parse_entry, raw_entries
from fhir_server.interactions.bundle_response import bundle_bytes, error_entry, outcome_entry, response_entry
from fhir_server.interactions.exchange import Exchange
from resources import json_codec
from resources.errors import FhirError, Invalid, TooCostly
from resources.repository import Find, Read


def batch(exchange: Exchange, bundle: dict[str, Any]) -> Response:
    """Do the entries of ``bundle`` one after another; an entry that fails does not touch the others. Once the answers
    are larger than BODY_MAX, reads, searches and operations are refused."""
    answers: list[bytes] = []
    size = 0
    for index, raw in enumerate(raw_entries(bundle)):
        answers.append(_answer(exchange, index, raw, full=size > exchange.service.body_max))
        size += len(answers[-1])
    return Response(200, bundle_bytes("batch-response", answers))


def _answer(exchange: Exchange, index: int, raw: Any, full: bool) -> bytes:
    try:
        entry = parse_entry(index, raw, exchange.service.base)
        return _done(exchange, entry, full)
    except FhirError as error:
        return error_entry(error)


def _done(exchange: Exchange, entry: Entry, full: bool) -> bytes:
    """``full`` refuses what only asks: a small entry may ask for much, and the answers to all are held here."""
    command = command_of(entry, exchange.lenient)
    try:
        if full and (command is None or isinstance(command, Read | Find)):
            raise TooCostly("The answers before this one are as large as may be; ask for the rest in another batch.")
        if command is None:
            return response_entry(exchange.dispatch(_alone(exchange, entry)))
        [outcome] = exchange.repository.commit([command])
    except FhirError as error:
        raise error if names_place(error, entry.index) else error.within(entry.place) from None
    return outcome_entry(entry, outcome, exchange.service.base, exchange.prefer.returning)


def _alone(exchange: Exchange, entry: Entry) -> Exchange:
    """The entry as a request of its own, for operations and history."""
    if not entry.segments:
        raise Invalid("A batch cannot hold another batch or transaction.")
    body = json_codec.encode(entry.resource) if entry.resource else b""
    environ = {
        "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/fhir+json",
        "HTTP_PREFER": exchange.request.header("PREFER"),
    }
    request = Request(entry.method, entry.segments, entry.query, environ, exchange.request.id)
    return structs.replace(exchange, request=request)
