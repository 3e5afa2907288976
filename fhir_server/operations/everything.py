"""$everything: the record of a patient, or of an encounter, with what it refers to.

FHIR R4 (https://hl7.org/fhir/R4/patient-operation-everything.html, encounter-operation-everything.html).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

from fhir_server.http.request import parse_query
from fhir_server.http.response import Response
from fhir_server.interactions.exchange import Exchange
from fhir_server.interactions.history import page_count
from fhir_server.interactions.searchset import searchset
from fhir_server.operations.parameters import Parameters, read_parameters
from fhir_server.search.restriction import granted
from resources import definitions
from resources.errors import BadSearch, Invalid
from resources.literal_reference import ID
from resources.repository import Hit, SearchPage, SearchRequest, Version
from resources.search_param import clinical

_DATES = frozenset({"Patient"})
_PARAMETERS = ("_since", "_type", "_count", "_cursor")
_WHOLE = 10_000  # without _count: all in one Bundle, up to here
_IDS_AT_ONCE = 100
# Who looked at a record is no part of it, and asking would make it grow; _type=AuditEvent gives them.
_ONLY_BY_NAME = {"AuditEvent"}
# What stands outside compartments and a record cannot be read without.
_SUPPORTING = (
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "Location",
    "Medication",
    "Device",
    "HealthcareService",
    "Patient",
)
_REFERENCE = re.compile(rf'"reference":\s?"({"|".join(_SUPPORTING)})/({ID})'.encode())


@dataclass(slots=True)
class _Walk:
    """The page being filled: how many it may hold, the hits so far, and where the next page starts."""

    most: int
    hits: list[Hit] = field(default_factory=list)
    next: str = ""

    @property
    def room(self) -> int:
        return self.most - len(self.hits)


def everything(exchange: Exchange) -> Response:
    """$everything of [type]/[id]. Raises NotFound, Gone, BadSearch, Invalid."""
    known = (*_PARAMETERS, "start", "end") if exchange.type in _DATES else _PARAMETERS
    given = read_parameters(exchange, known)
    focus = exchange.repository.read(exchange.type, exchange.id)
    types = _types(exchange, given.all("_type"))
    # A page of none would have a next one for ever.
    walk = _Walk(max(page_count(given.value("_count"), exchange), 1) if given.value("_count") else _WHOLE)
    _fill(exchange, given, types, focus, walk)
    hits = (*walk.hits, *_supporting(exchange, walk.hits, given.all("_type")))
    page = SearchPage(hits, _links(given, walk.next))
    return Response(200, searchset(page, exchange.service.base, f"{exchange.type}/{exchange.id}/$everything"))


def _types(exchange: Exchange, wanted: list[str]) -> list[str]:
    """The types to walk, the focus first: those named, or all that are open to the caller. Raises BadSearch."""
    focus = exchange.type
    unknown = [type for type in wanted if type not in definitions.RESOURCE_TYPES]
    if unknown:
        raise BadSearch(f"_type names {unknown[0][:64]!r}, which is no resource type.", expression="_type")
    members = [type for type, params in definitions.compartment(focus).items() if params and type != focus]
    chosen = wanted or {focus, *members} - _ONLY_BY_NAME
    return [type for type in (focus, *sorted(members)) if type in chosen and (wanted or _is_open(exchange, type))]


def _is_open(exchange: Exchange, type: str) -> bool:
    return type == exchange.type or granted(exchange.repository.caller, type, "s")


def _fill(exchange: Exchange, given: Parameters, types: list[str], focus: Version, walk: _Walk) -> None:
    start, _, link = given.value("_cursor").partition("?")
    if start and start not in types:
        raise _not_ours()
    if not start and focus.type in types:
        walk.hits.append(Hit(focus))
    for type in types[types.index(start) if start else 0 :]:
        if type == focus.type and not granted(exchange.repository.caller, type, "s"):
            continue
        if walk.room <= 0:
            walk.next = type
            return
        _fill_type(exchange, given, type, link if type == start else "", walk)
        if walk.next:
            return


def _fill_type(exchange: Exchange, given: Parameters, type: str, link: str, walk: _Walk) -> None:
    """Add the members of one type until the page is full; ``walk.next`` then says where to go on."""
    params = _resumed(exchange, given, type, link) if link else _selection(exchange, given, type, walk.room)
    size = int(dict(params)["_count"])
    while True:
        page = exchange.repository.search(SearchRequest(type, params, (exchange.type, exchange.id)))
        walk.hits += (
            hit
            for hit in page.hits
            if hit.mode == "match" and hit.version.reference != f"{exchange.type}/{exchange.id}"
        )
        following = page.links.get("next")
        if following is None:
            return
        params = parse_query(following)
        if walk.room < size:
            walk.next = f"{type}?{following}"
            return


def _resumed(exchange: Exchange, given: Parameters, type: str, link: str) -> tuple[tuple[str, str], ...]:
    """The search that ``link`` goes on with. Raises Invalid unless it is one that this operation began."""
    *begun, last = parse_query(link) or (("", ""),)
    count = dict(begun).get("_count", "")
    room = int(count) if re.fullmatch("[1-9][0-9]{0,5}", count) else 0
    if last[0] != "_cursor" or tuple(begun) != _selection(exchange, given, type, room):
        raise _not_ours()
    return (*begun, last)


def _not_ours() -> Invalid:
    return Invalid("_cursor is none that this server gave out.", expression="_cursor")


def _selection(exchange: Exchange, given: Parameters, type: str, room: int) -> tuple[tuple[str, str], ...]:
    """The search parameters for one type: change date, clinical dates where the type has one, page size."""
    params = [("_count", str(min(room, exchange.service.page_count_max)))]
    if since := given.value("_since"):
        params.append(("_lastUpdated", f"ge{since}"))
    date = clinical(type)
    for name, prefix in (("start", "ge"), ("end", "le")):
        if date and given.value(name):
            params.append((date, prefix + given.value(name)))
    return tuple(params)


def _links(given: Parameters, following: str) -> dict[str, str]:
    kept = [pair for pair in given.values if pair[0] != "_cursor"]
    links = {"self": urlencode(given.values)}
    if following:
        links["next"] = urlencode([*kept, ("_cursor", following)])
    return links


def _supporting(exchange: Exchange, hits: list[Hit], wanted: list[str]) -> Iterator[Hit]:
    """The resources outside the compartment that those on the page refer to."""
    present = {hit.version.reference for hit in hits}
    found: dict[str, set[str]] = {}
    for hit in hits:
        for type, id in _REFERENCE.findall(hit.version.doc):
            # Another patient's chart is no part of this one, whoever mentions it.
            if type.decode() != exchange.type and f"{type.decode()}/{id.decode()}" not in present:
                found.setdefault(type.decode(), set()).add(id.decode())
    for type in sorted(found):
        if type in wanted or (not wanted and granted(exchange.repository.caller, type, "s")):
            yield from _by_id(exchange, type, sorted(found[type]))


def _by_id(exchange: Exchange, type: str, ids: list[str]) -> Iterator[Hit]:
    for start in range(0, len(ids), _IDS_AT_ONCE):
        chosen = ",".join(ids[start : start + _IDS_AT_ONCE])
        page = exchange.repository.search(SearchRequest(type, (("_id", chosen), ("_count", str(_IDS_AT_ONCE)))))
        yield from (Hit(hit.version, "include") for hit in page.hits)
