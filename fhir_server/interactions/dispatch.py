"""From method and path to the row that serves, and the checks that hold for all rows.

FHIR R4 (https://hl7.org/fhir/R4/http.html#summary, operations.html#executing).
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import msgspec

from capability.rows import Interaction, Operation
from fhir_server.http.errors import WrongMethod
from fhir_server.http.response import Response
from fhir_server.interactions.addresses import checked_id, checked_type, shape
from fhir_server.interactions.exchange import Exchange
from resources.errors import FhirError, NotFound

Handler = Callable[[Exchange], Response]

_LEVELS = {"$": "system", "{type}/$": "type", "{type}/{id}/$": "instance"}
_READS, _ALL = ("GET", "POST"), ("POST",)


class Route(msgspec.Struct, frozen=True, gc=False):
    """What a request comes to: ``code`` is the interaction or ``$`` and the operation's name, the rest what the path
    holds."""

    code: str
    handler: Handler
    type: str = ""
    id: str = ""
    rest: str = ""


class Dispatcher:
    """Finds the row for a request. Built once from the tables; called with an Exchange it runs it, for batches."""

    def __init__(
        self,
        interactions: Iterable[Interaction],
        operations: Iterable[Operation],
        restricted: Mapping[str, frozenset[str]] = MappingProxyType({}),
    ) -> None:
        self._restricted = restricted
        self._rows: dict[str, dict[str, Interaction]] = {}
        for row in interactions:
            self._rows.setdefault(row.path, {}).setdefault(row.method, row)
        self._operations = {(row.name, type): row for row in operations for type in row.types or ("",)}

    def find(self, method: str, segments: tuple[str, ...]) -> Route:
        """The route. Raises NotFound, WrongMethod, Invalid (no FHIR id)."""
        template = shape(segments)
        rows = self._rows.get(template)
        if rows is None:
            return self._operation(method, segments, template)
        row = rows.get(method)
        if row is None or self._is_barred(segments, row):
            raise self._refusal(method, segments)
        return _route(row.code, template, row.handler, segments)

    def _refusal(self, method: str, segments: tuple[str, ...]) -> FhirError:
        allowed = self.allowed(segments)
        if not allowed:
            return NotFound(f"{segments[0]} has nothing at this path.")
        return WrongMethod(method, allowed)

    def allowed(self, segments: tuple[str, ...]) -> list[str]:
        """The methods of a path, for OPTIONS. Raises NotFound."""
        template = shape(segments)
        if template in self._rows:
            rows = self._rows[template]
            return _with_head(method for method, row in rows.items() if not self._is_barred(segments, row))
        return list(_methods(self._at(template, segments)))

    def _is_barred(self, segments: tuple[str, ...], row: Interaction) -> bool:
        """Whether the type in the path takes only other interactions."""
        only = self._restricted.get(segments[0]) if segments else None
        return only is not None and row.code not in only

    def _operation(self, method: str, segments: tuple[str, ...], template: str) -> Route:
        operation = self._at(template, segments)
        methods = _methods(operation)
        if method not in methods:
            raise WrongMethod(method, methods)
        return _route(f"${operation.name}", template, operation.handler, segments)

    def _at(self, template: str, segments: tuple[str, ...]) -> Operation:
        level = _LEVELS.get(template)
        if level is None:
            raise NotFound("There is nothing at this path; see metadata for what there is.")
        name, type = segments[-1][1:], segments[0] if level != "system" else ""
        operation = self._operations.get((name, type)) or self._operations.get((name, ""))
        if operation is None or level not in operation.levels or self._is_barred_operation(type, operation):
            raise NotFound(f"${name[:64]} is not done here. {self._hint(name)}")
        return operation

    def _is_barred_operation(self, type: str, operation: Operation) -> bool:
        only = self._restricted.get(type)
        return only is not None and f"${operation.name}" not in only

    def _hint(self, name: str) -> str:
        rows = {row.definition: row for row in self._operations.values() if row.name == name}
        if rows:
            return f"It is done at {' and at '.join(map(_places, rows.values()))}."
        return f"The operations are {', '.join(sorted({f'${row.name}' for row in self._operations.values()}))}."

    def __call__(self, exchange: Exchange) -> Response:
        """Dispatch and run an exchange of its own (an entry of a batch)."""
        route = self.find(exchange.request.method, exchange.request.segments)
        return route.handler(msgspec.structs.replace(exchange, type=route.type, id=route.id, rest=route.rest))


def _route(code: str, template: str, handler: Handler, segments: tuple[str, ...]) -> Route:
    if template[:6] != "{type}":
        return Route(code, handler)
    type = checked_type(segments[0])
    if template[7:11] != "{id}":
        return Route(code, handler, type)
    rest = _rest(template, segments) if len(segments) > 2 else ""
    return Route(code, handler, type, checked_id(segments[1]), rest)


def _rest(template: str, segments: tuple[str, ...]) -> str:
    if template.endswith("{vid}"):
        return segments[3]
    if template == "{type}/{id}/_search":
        return "*"
    if template.startswith("{type}/{id}/{other}"):
        return checked_type(segments[2])
    return segments[2]


def _with_head(rows: Iterable[str]) -> list[str]:
    methods = list(rows)
    return [*methods, "HEAD"] if "GET" in methods else methods


def _methods(operation: Operation) -> tuple[str, ...]:
    return _ALL if operation.affects_state else _READS


def _places(operation: Operation) -> str:
    forms = {"system": "[base]/$", "type": "[type]/$", "instance": "[type]/[id]/$"}
    listed = " and ".join(f"{forms[level]}{operation.name}" for level in forms if level in operation.levels)
    return f"{listed} of {', '.join(sorted(operation.types))}" if operation.types else listed
