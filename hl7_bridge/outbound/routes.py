"""Routes: which changes go to which receiver, by FHIR search criteria asked of the resource in memory.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html): the same terms as a search, without chains.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import parse_qsl

from hl7_bridge.site.model import Receiver, Route, Site
from resources.errors import BadSearch
from resources.repository import Version
from resources.search_param.compile import compile_param
from resources.search_param.matching import Subject, fits
from resources.search_param.terms import Term
from resources.search_param.value_set import asks_for_codes


class Way(NamedTuple):
    """One route of one receiver, ready to be asked."""

    receiver: Receiver
    route: Route
    terms: tuple[Term, ...]


def ways(site: Site) -> tuple[Way, ...]:
    """All routes of ``site``. Raises BadSearch for criteria that are none."""
    return tuple(Way(receiver, route, criteria(route)) for receiver in site.receivers for route in receiver.routes)


def criteria(route: Route) -> tuple[Term, ...]:
    """The terms a resource must all meet. Raises BadSearch."""
    terms = tuple(
        compile_param(route.type, *_name(name), value)
        for name, value in parse_qsl(route.criteria, keep_blank_values=True)
    )
    if any(asks_for_codes(term) for term in terms):
        raise BadSearch("The criteria of a route name codes one by one: value sets are not looked up for each message.")
    return terms


def _name(text: str) -> tuple[str, str]:
    name, _, modifier = text.partition(":")
    return name, modifier


def leading(all: Iterable[Way], version: Version) -> Iterator[Way]:
    """The ways that ``version`` takes: at most one for each receiver, the first that fits."""
    subject = Subject(version.type, version.id, version.updated, version.doc)
    taken: set[str] = set()
    for way in all:
        if way.route.type != version.type or way.receiver.name in taken:
            continue
        if all_fit(way.terms, subject):
            taken.add(way.receiver.name)
            yield way


def all_fit(terms: Iterable[Term], subject: Subject) -> bool:
    return all(fits(term, subject) for term in terms)
