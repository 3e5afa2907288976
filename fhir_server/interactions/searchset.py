"""A page of hits as a Bundle of type searchset, spliced from stored bytes without parsing them.

FHIR R4 (https://hl7.org/fhir/R4/bundle.html#searchset, search.html#return).
"""

import time

import msgspec

from fhir_server.http.errors import outcome_bytes
from fhir_server.interactions.subset import subset
from resources.instant import instant
from resources.repository import SearchPage

_text = msgspec.json.encode
_MODES = {mode: b',"search":{"mode":"%s"}}' % mode.encode() for mode in ("match", "include", "outcome")}


def searchset(page: SearchPage, base: str, place: str, carried: str = "") -> bytes:
    """The Bundle. ``base`` is the public base URL, ``place`` the path searched (``Observation``),
    ``carried`` query parameters every link keeps (``_format=xml``)."""
    parts = [b'{"resourceType":"Bundle"', _now(), b',"type":"searchset"']
    if page.total is not None:
        parts.append(b',"total":%d' % page.total)
    parts.append(_links(page, f"{base}/{place}" if place else base, carried))
    parts += entry_parts(page, base)
    parts.append(b"}")
    return b"".join(parts)


def _now() -> bytes:
    return b',"meta":{"lastUpdated":"%s"}' % instant(int(time.time() * 1000)).encode()


def _links(page: SearchPage, place: str, carried: str) -> bytes:
    links = ({"relation": relation, "url": _url(place, query, carried)} for relation, query in page.links.items())
    found = list(links)
    return b',"link":' + _text(found) if found else b""


def _url(place: str, query: str, carried: str) -> str:
    joined = "&".join(part for part in (query, carried) if part)
    return f"{place}?{joined}" if joined else place


def entry_parts(page: SearchPage, base: str) -> list[bytes]:
    """``Bundle.entry`` in pieces: the hits, then what a lenient search ignored as an OperationOutcome.

    Pieces, so that each stored document is copied once, into the answer.
    """
    parts: list[bytes] = []
    whole = not (page.summary or page.elements)
    for hit in page.hits:
        version = hit.version
        doc = version.doc if whole else subset(version.doc, page.summary, page.elements)
        opening = f',{{"fullUrl":"{base}/{version.type}/{version.id}","resource":'
        parts += (opening.encode(), doc, _MODES[hit.mode])
    if page.issues:
        parts += (b',{"resource":', outcome_bytes(page.issues), _MODES["outcome"])
    if parts:
        parts[0] = b',"entry":[' + parts[0][1:]
        parts.append(b"]")
    return parts
