"""The history interaction of an instance, a type and the system.

FHIR R4 (https://hl7.org/fhir/R4/http.html#history).
"""

from http import HTTPStatus
from urllib.parse import urlencode

import msgspec

from fhir_server.http.conditional import etag
from fhir_server.http.request import Pairs
from fhir_server.http.response import STATUS_LINES, Response
from fhir_server.interactions.criteria import OF_THE_ANSWER
from fhir_server.interactions.exchange import Exchange
from fhir_server.interactions.subset import asked, subset
from resources.errors import BadSearch, Issue
from resources.instant import instant
from resources.repository import HistoryPage, HistoryRequest, Version

_text = msgspec.json.encode
_PARAMETERS = frozenset({"_count", "_since", "_at", "_cursor", "_summary", "_elements", *OF_THE_ANSWER})


def history(exchange: Exchange) -> Response:
    """GET [type]/[id]/_history, [type]/_history, [base]/_history. Raises NotFound, BadSearch."""
    request = history_request(exchange)
    page = exchange.repository.history(request)
    return Response(200, history_bundle(exchange, page))


def history_request(exchange: Exchange) -> HistoryRequest:
    """The history that path and query ask for. Raises BadSearch."""
    query = exchange.request.query
    given = dict(query)
    if not exchange.lenient:
        _refuse_unknown(query)
    return HistoryRequest(
        exchange.type,
        exchange.id,
        since=given.get("_since", ""),
        at=given.get("_at", ""),
        count=page_count(given.get("_count", ""), exchange),
        cursor=given.get("_cursor", ""),
    )


def _refuse_unknown(query: Pairs) -> None:
    unknown = [name for name, _ in query if name not in _PARAMETERS]
    if unknown:
        known = ", ".join(sorted(_PARAMETERS - {"_cursor"}))
        raise BadSearch(
            issues=[
                Issue("invalid", f"{name[:60]} is no parameter of history; those are {known}.", name[:60])
                for name in unknown
            ]
        )


def page_count(text: str, exchange: Exchange) -> int:
    """``_count`` as a number within the service's limit. Raises BadSearch."""
    if not text:
        return exchange.service.page_count
    if not (text.isascii() and text.isdigit()):
        raise BadSearch(f"_count={text[:40]} is no whole number of entries.", expression="_count")
    return min(int(text[:9]), exchange.service.page_count_max)


def history_bundle(exchange: Exchange, page: HistoryPage) -> bytes:
    """The Bundle of type history."""
    code, elements = asked(exchange.request.query)
    parts = [b'{"resourceType":"Bundle","type":"history"']
    if page.total is not None:
        parts.append(b',"total":%d' % page.total)
    parts.append(b',"link":' + _text(_links(exchange, page)))
    base = exchange.service.base
    if page.versions and code != "count":
        parts += [b',"entry":[', b",".join(_entry(version, base, code, elements) for version in page.versions), b"]"]
    parts.append(b"}")
    return b"".join(parts)


def _links(exchange: Exchange, page: HistoryPage) -> list[dict[str, str]]:
    query = [pair for pair in exchange.request.query if pair[0] in _PARAMETERS]
    place = "/".join(part for part in (exchange.service.base, exchange.type, exchange.id, "_history") if part)
    links = [{"relation": "self", "url": _url(place, query)}]
    if page.next:
        following = [pair for pair in query if pair[0] != "_cursor"]
        links.append({"relation": "next", "url": _url(place, [*following, ("_cursor", page.next)])})
    return links


def _url(place: str, query: list[tuple[str, str]]) -> str:
    return f"{place}?{urlencode(query)}" if query else place


def _entry(version: Version, base: str, code: str, elements: tuple[str, ...]) -> bytes:
    reference = version.reference
    method = version.op or "PUT"
    url = version.type if method == "POST" else reference
    response = {
        "status": STATUS_LINES[_status(version, method)],
        "etag": etag(version.version),
        "lastModified": instant(version.updated),
    }
    resource = b"" if version.deleted else b',"resource":' + subset(version.doc, code, elements)
    request = _text({"method": method, "url": url})
    return b'{"fullUrl":"%s/%s"%s,"request":%s,"response":%s}' % (
        base.encode(),
        reference.encode(),
        resource,
        request,
        _text(response),
    )


def _status(version: Version, method: str) -> int:
    if version.deleted:
        return HTTPStatus.NO_CONTENT
    return HTTPStatus.CREATED if method == "POST" or version.version == 1 else HTTPStatus.OK
