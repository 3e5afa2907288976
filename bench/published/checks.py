"""What an answer must be: status and body of reads, writes, searches and transactions.

FHIR R4 RESTful API (https://hl7.org/fhir/R4/http.html). Each gives what is wrong in words, '' when nothing is.
"""

from collections.abc import Collection

import msgspec

from bench.http_client import Answer
from bench.published.load import Check, responses
from resources import json_codec

PAGE = 20


class _Named(msgspec.Struct):
    resourceType: str
    id: str = ""


class _Mode(msgspec.Struct):
    mode: str


class _Hit(msgspec.Struct):
    resource: _Named
    search: _Mode


class _Page(msgspec.Struct):
    type: str
    entry: list[_Hit] = []
    total: int | None = None


_page = msgspec.json.Decoder(_Page).decode
_named = msgspec.json.Decoder(_Named).decode


def status(*wanted: int) -> Check:
    return lambda answer: "" if answer.status in wanted else "another status"


def holds(sent: bytes, *wanted: int) -> Check:
    """The resource as it was sent; the server adds its id and what belongs to ``meta``."""
    resource = json_codec.decode_stored(sent)

    def check(answer: Answer) -> str:
        if answer.status not in wanted:
            return "another status"
        found = json_codec.decode_stored(answer.body)
        if "id" not in found or "versionId" not in found.get("meta", ()):
            return "no id or no version"
        differing = [
            name for name, value in resource.items() if name not in ("id", "meta") and found.get(name) != value
        ]
        return f"another {', '.join(differing)}" if differing else ""

    return check


def named(type: str, id: str = "") -> Check:
    """A resource of this type, and of this id if one is given."""

    def check(answer: Answer) -> str:
        if answer.status != 200:
            return "another status"
        found = _named(answer.body)
        return "" if found.resourceType == type and id in ("", found.id) else "another resource"

    return check


def created_id(answer: Answer) -> str:
    """The id in the address of what was created."""
    return answer.headers["location"].rpartition("/_history/")[0].rpartition("/")[2]


def stored(count: int) -> Check:
    """A transaction of ``count`` entries, each of which was stored, or was there."""

    def check(answer: Answer) -> str:
        if answer.status != 200:
            return "another status"
        told = [status[:3] for status, _ in responses(answer)]
        return "" if len(told) == count and set(told) <= {"200", "201"} else "not every entry was stored"

    return check


class Pages:
    """Searches in a record that nobody changes: the same page whenever it is asked for."""

    def __init__(self) -> None:
        self._seen: dict[str, Collection[str]] = {}

    def of(self, query: str) -> Check:
        """A page of the type that is searched, not longer than asked for, with the total if one is asked for."""
        type, accurate = query.partition("?")[0], "_total=accurate" in query

        def check(answer: Answer) -> str:
            if answer.status != 200:
                return "another status"
            page = _page(answer.body)
            ids = [hit.resource.id for hit in page.entry if hit.search.mode == "match"]
            if page.type != "searchset" or len(ids) > PAGE:
                return "not a page of that length"
            if any(hit.resource.resourceType != type for hit in page.entry if hit.search.mode == "match"):
                return "another type"
            if accurate and (page.total is None or page.total < len(ids)):
                return "no total"
            return "" if self._seen.setdefault(query, ids) == ids else "another page than before"

        return check
