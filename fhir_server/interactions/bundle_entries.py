"""The entries of a batch or transaction Bundle, checked one by one.

FHIR R4 (https://hl7.org/fhir/R4/http.html#transaction, bundle.html).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fhir_server.http.request import Pairs, split_url
from resources.errors import FhirError, Invalid, Issue

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_NEEDS_RESOURCE = frozenset({"POST", "PUT", "PATCH"})
_CONDITIONS = ("ifMatch", "ifNoneMatch", "ifModifiedSince", "ifNoneExist")


@dataclass(frozen=True, slots=True)
class Entry:
    """One request of a Bundle. ``url`` is relative to the base, ``segments`` and ``query`` are its parts;
    the conditions are texts as in ``Bundle.entry.request``, '' when absent."""

    index: int
    method: str
    url: str
    segments: tuple[str, ...]
    query: Pairs
    resource: dict[str, Any] | None
    full_url: str
    if_match: str
    if_none_match: str
    if_modified_since: str
    if_none_exist: str

    @property
    def place(self) -> str:
        return place(self.index)


def place(index: int) -> str:
    """The FHIRPath of an entry."""
    return f"Bundle.entry[{index}]"


def names_place(error: FhirError, index: int) -> bool:
    """Whether every issue of ``error`` already names the entry."""
    return all(issue.text.startswith(place(index)) for issue in error.issues)


def raw_entries(bundle: dict[str, Any]) -> list[Any]:
    """``Bundle.entry`` or an empty list. Raises Invalid when it is no list."""
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise Invalid("Bundle.entry must be an array.", expression="Bundle.entry")
    return entries


def parse_entry(index: int, raw: Any, base: str) -> Entry:
    """The request of one entry. Raises Invalid, BadSyntax, each naming the entry."""
    try:
        return _parsed(index, raw, base)
    except FhirError as error:
        raise error.within(place(index)) from None


def _parsed(index: int, raw: Any, base: str) -> Entry:
    request = _request(raw)
    method = str(request.get("method", ""))
    if method not in _METHODS:
        raise Invalid(f"request.method is {method[:20]!r}; it must be one of {', '.join(sorted(_METHODS))}.")
    url = _relative(request.get("url"), base)
    resource = _resource(raw, method, url)
    segments, query = split_url(url)
    full_url = raw.get("fullUrl", "")
    if not isinstance(full_url, str):
        raise Invalid("fullUrl must be a string.")
    return Entry(index, _verb(method), url, segments, query, resource, full_url, *_conditions(request))


def _verb(method: str) -> str:
    return "GET" if method == "HEAD" else method


def _request(raw: Any) -> dict[str, Any]:
    request = raw.get("request") if isinstance(raw, dict) else None
    if not isinstance(request, dict):
        raise Invalid("request is missing; every entry of a batch or transaction has one (bdl-3).")
    return request


def _relative(url: Any, base: str) -> str:
    if not isinstance(url, str):
        raise Invalid("request.url is missing.")
    if "://" not in url.partition("?")[0]:
        return url.removeprefix("/")
    if url == base or url.startswith((f"{base}/", f"{base}?")):
        return url[len(base) :].removeprefix("/")
    raise Invalid(f"request.url {url[:200]} points to another server; this one is {base}.")


def _resource(raw: dict[str, Any], method: str, url: str) -> dict[str, Any] | None:
    resource = raw.get("resource")
    if resource is None:
        if method in _NEEDS_RESOURCE and "$" not in url:
            raise Invalid(f"resource is missing; {method} needs one.")
        return None
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        raise Invalid("resource is no object with a resourceType.")
    return resource


def _conditions(request: dict[str, Any]) -> Iterable[str]:
    for name in _CONDITIONS:
        value = request.get(name, "")
        if not isinstance(value, str):
            raise Invalid(f"request.{name} must be a string.")
        yield value


def refuse_duplicates(entries: Iterable[Entry]) -> None:
    """Refuse two entries that change the same resource, or that share a fullUrl. Raises Invalid naming each.

    FHIR R4 transaction rules: no resource identity may appear twice among POST, PUT, PATCH and DELETE; bdl-7.
    """
    changed: dict[str, int] = {}
    named: dict[str, int] = {}
    issues: list[Issue] = []
    for entry in entries:
        if entry.method in ("PUT", "PATCH", "DELETE"):
            issues += _twice(changed, entry.url, entry, "changes")
        if entry.full_url and entry.method != "GET":
            issues += _twice(named, entry.full_url, entry, "has the fullUrl")
    if issues:
        raise Invalid(issues=issues)


def _twice(seen: dict[str, int], key: str, entry: Entry, words: str) -> list[Issue]:
    first = seen.setdefault(key, entry.index)
    if first == entry.index:
        return []
    text = f"{entry.place} {words} {key[:200]}, and so does {place(first)}; in a transaction each may stand once."
    return [Issue("duplicate", text, entry.place)]
