"""$reindex: the index of a stored search parameter, or the whole index, made anew by the worker; how far that is.

Ours (docs/adr/stored-search-parameters.md); FHIR R4 SearchParameter (https://hl7.org/fhir/R4/searchparameter.html).
POST begins, GET and POST tell: `status`, `done` of `total` resources.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from capability.rows import Operation
from fhir_server.audit.record import AuditRecord, Interaction, event
from fhir_server.http.response import Response
from fhir_server.interactions.exchange import Exchange
from fhir_server.operations.parameters import read_parameters
from fhir_server.search.explain import allow
from fhir_server.store import Store
from fhir_server.store.fill import begin, begin_all
from fhir_server.store.parameter_sql import READY, REMOVED, WHOLE, State
from resources import json_codec
from resources.errors import BusinessRule

_DEFINITION = "urn:x-hearth:operation:"
_NEVER = State(WHOLE, "", "", READY, -1, 0, 0)


Note = Callable[[Sequence[AuditRecord]], None]


def reindex(store: Store, note: Note, exchange: Exchange) -> Response:
    """The whole index. Raises Forbidden, Invalid."""
    _check(exchange)
    if exchange.request.method == "POST":
        begin_all(store)
        note([event(exchange.repository.caller, Interaction.OPERATION, detail="$reindex")])
    states = store.parameters.states()
    whole = next((state for state in states if state.n == WHOLE), _NEVER)
    each = [_part(state) for state in states if state.n != WHOLE and state.status != REMOVED]
    return _answer([*_told(whole), *each])


def reindex_parameter(store: Store, note: Note, exchange: Exchange) -> Response:
    """The index of one parameter. Raises Forbidden, Invalid, NotFound, Gone, BusinessRule."""
    _check(exchange)
    exchange.repository.read(exchange.type, exchange.id)
    n = _in_force(store, exchange.id).n
    if exchange.request.method == "POST":
        begin(store, n)
        entity = f"{exchange.type}/{exchange.id}"
        note([event(exchange.repository.caller, Interaction.OPERATION, entity=entity, detail="$reindex")])
    return _answer(_told(_in_force(store, exchange.id)))


def _check(exchange: Exchange) -> None:
    allow(exchange.repository.caller, "$reindex")
    read_parameters(exchange, ())


def _in_force(store: Store, id: str) -> State:
    for state in store.parameters.states():
        if state.id == id and state.status != REMOVED:
            return state
    raise BusinessRule(
        f"SearchParameter/{id} adds nothing to the search: it is not active, or the specification has that parameter.",
        expression="SearchParameter.status",
    )


def _told(state: State) -> list[dict[str, Any]]:
    return [
        {"name": "status", "valueCode": state.status},
        {"name": "done", "valueInteger": state.done},
        {"name": "total", "valueInteger": state.total},
    ]


def _part(state: State) -> dict[str, Any]:
    url = {"name": "url", "valueUri": state.custom.param.url}
    return {"name": "parameter", "part": [url, *_told(state)]}


def _answer(parameters: list[dict[str, Any]]) -> Response:
    return Response(200, json_codec.encode({"resourceType": "Parameters", "parameter": parameters}))


def reindex_operations(store: Store, note: Note) -> tuple[Operation, ...]:
    """The rows of $reindex over ``store``; who began one is noted."""
    return (
        Operation(
            "reindex",
            f"{_DEFINITION}reindex",
            frozenset({"system"}),
            frozenset(),
            partial(reindex, store, note),
            "Makes the search index agree with the documents, by POST; how far that is and each stored parameter.",
        ),
        Operation(
            "reindex",
            f"{_DEFINITION}SearchParameter-reindex",
            frozenset({"instance"}),
            frozenset({"SearchParameter"}),
            partial(reindex_parameter, store, note),
            "Makes the index of a stored search parameter anew, by POST; how far that is.",
        ),
    )
