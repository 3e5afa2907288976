"""The WSGI application: FHIR interactions by table, ahead of Flask; Flask for what lies beside the base.

PEP 3333; FHIR R4 RESTful API (https://hl7.org/fhir/R4/http.html).
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from time import perf_counter, time
from typing import Any

import msgspec

from fhir_server.audit.record import AuditRecord, Interaction, Outcome, event
from fhir_server.audit.refusals import NAMELESS, PRESENTED, Refusals
from fhir_server.http.access_log import AccessLog, Line
from fhir_server.http.accounts import Accounts
from fhir_server.http.address import behind_proxies, plain
from fhir_server.http.body import finish
from fhir_server.http.cors import Cors
from fhir_server.http.errors import error_response, unexpected_response
from fhir_server.http.finish import compress, render
from fhir_server.http.metrics import Metrics
from fhir_server.http.negotiation import Format, accepted
from fhir_server.http.request import BASE_PATH, Request, client_address, parse_request, request_id
from fhir_server.http.response import STATUS_LINES, Response
from fhir_server.http.this_machine import open_caller
from fhir_server.interactions.dispatch import Dispatcher, Route
from fhir_server.interactions.exchange import Exchange, Service
from resources.errors import FhirError, NotAcceptable
from resources.repository import Caller, Repository

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Wsgi = Callable[[Environ, Any], Iterable[bytes]]

_BELOW = len(BASE_PATH)
_WELL_KNOWN = f"{BASE_PATH}/.well-known/"
_SHARED_HEADERS = [
    ("Vary", "Accept, Accept-Encoding"),
    ("Cache-Control", "no-store"),  # clinical data does not belong into caches of browsers and proxies
    ("X-Content-Type-Options", "nosniff"),
]
_RAW = frozenset({"read", "vread"})
_PUBLIC = frozenset({"capabilities"})
_BODILESS = frozenset({204, 304})


class _Trace(msgspec.Struct, gc=False):
    """What the log, the metrics and the audit trail say of a request that came to nothing. ``caller`` is who it comes
    from, once that is known; ``presented`` whether something was shown to tell."""

    id: str
    address: str = ""
    presented: bool = False
    caller: Caller | None = None
    code: str = "unrouted"
    type: str = ""
    wanted: Format = Format.JSON
    pretty: str = ""


class Application:
    """The WSGI callable. ``repository_for`` binds a repository to a caller, ``caller_of`` says who a request comes
    from (raising LoginRequired), ``note`` takes the audit records of refusals that no repository saw, ``refusals``
    those of callers who are not known, ``rim`` answers every path that is not below the FHIR base, and the well-known
    documents that are. ``proxies`` are the addresses of reverse proxies whose X-Forwarded-For is believed."""

    def __init__(
        self,
        *,
        service: Service,
        dispatcher: Dispatcher,
        repository_for: Callable[[Caller], Repository],
        rim: Wsgi,
        metrics: Metrics,
        cors: Cors,
        caller_of: Callable[[Request], Caller] = open_caller,
        note: Callable[[Sequence[AuditRecord]], None] = lambda records: None,
        refusals: Refusals | None = None,
        access_log: AccessLog | None = None,
        proxies: Collection[str] = (),
    ) -> None:
        self._service = service
        self._dispatcher = dispatcher
        self._repository_for = repository_for
        self._caller_of = caller_of
        self._note = note
        self._rim = rim
        self._cors = cors
        self._proxies = frozenset(proxies)
        self._refusals = refusals or Refusals(note)
        self.accounts = Accounts(metrics, access_log, self._refusals.settle)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if (peer := client_address(environ))[:1] == ":":
            peer = environ["REMOTE_ADDR"] = plain(peer)
        if forwarded := environ.get("HTTP_X_FORWARDED_FOR"):
            environ["REMOTE_ADDR"] = behind_proxies(peer, forwarded, self._proxies)
        path = environ["PATH_INFO"]
        if path.startswith(BASE_PATH) and path[_BELOW : _BELOW + 1] in ("", "/") and not path.startswith(_WELL_KNOWN):
            return self._fhir(environ, start_response)
        return self._beside(environ, start_response)

    # --- Below the base -------------------------------------------------------------------------------------------

    def _fhir(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        started = perf_counter()
        trace = _Trace(request_id(environ), client_address(environ), bool(environ.get("HTTP_AUTHORIZATION")))
        response = self._answer(environ, trace)
        method, status, body = environ["REQUEST_METHOD"], response.status, response.body
        headers = self._headers(environ, trace, response)
        if status >= 400:
            headers += finish(environ)
        start_response(STATUS_LINES[status], headers)
        self._account(method, trace, status, perf_counter() - started, len(body))
        return (body,) if body and method != "HEAD" and status not in _BODILESS else ()

    def _answer(self, environ: Environ, trace: _Trace) -> Response:
        response = self._guarded(trace, self._interact, environ, trace)
        if trace.wanted is not Format.JSON or trace.pretty:
            response = self._guarded(trace, render, response, trace.wanted, trace.pretty)
        if encodings := environ.get("HTTP_ACCEPT_ENCODING"):
            compress(response, encodings)
        return response

    def _guarded(self, trace: _Trace, work: Callable[..., Response], *arguments: Any) -> Response:
        try:
            return work(*arguments)
        except FhirError as error:
            return self._refused(error, trace)
        except Exception as error:  # noqa: BLE001 the one place where anything at all becomes an answer
            return unexpected_response(error, trace.id)

    def _refused(self, error: FhirError, trace: _Trace) -> Response:
        """The answer to a refusal, after the audit trail has it. Raises nothing."""
        if not error.audited:
            try:
                self._tell(error, trace)
            except FhirError as unavailable:
                return error_response(unavailable)
        return error_response(error)

    def _tell(self, error: FhirError, trace: _Trace) -> None:
        """Whoever is known answers for each row; of strangers there may be any number."""
        caller = trace.caller or Caller("", address=trace.address, request_id=trace.id)
        record = event(
            caller, Interaction.REFUSED, entity=trace.type, detail=error.issues[0].code, outcome=Outcome.MINOR
        )
        if trace.caller:
            self._note([record])
        else:
            self._refusals(record, PRESENTED if trace.presented else NAMELESS)

    def _interact(self, environ: Environ, trace: _Trace) -> Response:
        if environ["REQUEST_METHOD"] == "OPTIONS" and (preflight := self._cors.preflight(environ)) is not None:
            trace.code = "preflight"
            return preflight
        request = parse_request(environ, trace.id)
        refusal = _negotiate(request, trace)
        if request.method == "OPTIONS":
            self._caller_of(request)
            return self._options(request)
        try:
            route = self._dispatcher.find(request.method, request.segments)
            trace.code, trace.type = route.code, route.type
            if refusal is not None and not (route.type == "Binary" and route.code in _RAW):
                raise refusal
        except FhirError:
            trace.caller = self._known(request)
            raise
        return self._run(request, route, trace)

    def _known(self, request: Request) -> Caller | None:
        """Whose mistake it is, for the audit trail; None when that is not known."""
        try:
            return self._caller_of(request)
        except FhirError:
            return None

    def _run(self, request: Request, route: Route, trace: _Trace) -> Response:
        caller = Caller("") if route.code in _PUBLIC else self._caller_of(request)
        trace.caller = caller if caller.who or caller.client else None
        repository = self._repository_for(caller)
        exchange = Exchange(request, repository, self._service, self._dispatcher, route.type, route.id, route.rest)
        return route.handler(exchange)

    def _options(self, request: Request) -> Response:
        allowed = ", ".join([*self._dispatcher.allowed(request.segments), "OPTIONS"])
        return Response(204, headers=[("Allow", allowed)], content_type="")

    def _headers(self, environ: Environ, trace: _Trace, response: Response) -> list[tuple[str, str]]:
        headers = [*response.headers, *_SHARED_HEADERS, ("X-Request-Id", trace.id)]
        if response.status not in _BODILESS:
            if response.body:
                headers.append(("Content-Type", response.content_type))
            headers.append(("Content-Length", str(len(response.body))))
        if "HTTP_ORIGIN" in environ:
            headers += self._cors.headers(environ["HTTP_ORIGIN"])
        return headers

    # --- Beside the base ------------------------------------------------------------------------------------------

    def _beside(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        started = perf_counter()
        told: list[str] = []

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            told.append(status)
            return start_response(status, [*headers, *(finish(environ) if status >= "4" else ())])

        body = self._rim(environ, start)
        status = int(told[-1][:3]) if told else 500
        trace = _Trace(request_id(environ), code="rim")
        self._account(environ["REQUEST_METHOD"], trace, status, perf_counter() - started, 0)
        return body

    def _account(self, method: str, trace: _Trace, status: int, seconds: float, size: int) -> None:
        self.accounts.add(Line(time(), trace.id, method, trace.code, trace.type, status, seconds, size))


def _negotiate(request: Request, trace: _Trace) -> NotAcceptable | None:
    """Set the format to answer in; what cannot be answered comes back, since a Binary may still leave raw."""
    override = ""
    if request.query:
        override, trace.pretty = request.param("_format"), request.param("_pretty")
    try:
        trace.wanted = accepted(request.environ.get("HTTP_ACCEPT", ""), override)
    except NotAcceptable as error:
        return error
    return None
