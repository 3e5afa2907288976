"""The entries of a batch-response or transaction-response, spliced from stored bytes.

FHIR R4 (https://hl7.org/fhir/R4/http.html#transaction-response, bundle.html#Bundle.entry.response).
"""

from collections.abc import Iterable, Sequence

import msgspec

from fhir_server.http.conditional import etag, not_modified
from fhir_server.http.errors import outcome_bytes
from fhir_server.http.response import FHIR_JSON, STATUS_LINES, Response
from fhir_server.interactions.bundle_entries import Entry
from fhir_server.interactions.searchset import searchset
from fhir_server.interactions.subset import asked, subset
from fhir_server.interactions.written import done_issue, located
from resources.errors import FhirError
from resources.instant import instant
from resources.repository import Outcome, SearchPage, Version

_text = msgspec.json.encode


def bundle_bytes(type: str, entries: Sequence[bytes]) -> bytes:
    """The response Bundle around ``entries``."""
    joined = b',"entry":[%s]' % b",".join(entries) if entries else b""
    return b'{"resourceType":"Bundle","type":"%s"%s}' % (type.encode(), joined)


def outcome_entry(entry: Entry, outcome: Outcome, base: str, returning: str) -> bytes:
    """The response entry of one command's outcome. ``returning`` is the preferred return; writes give their
    resource back only when asked, reads and searches always."""
    if outcome.page is not None:
        return _entry(_page_place(entry, outcome.page, base), _response(200))
    version = outcome.version
    if entry.method == "GET":
        assert version is not None
        return _read_entry(entry, version, base)
    told = outcome_bytes([done_issue(outcome)]) if returning == "OperationOutcome" else b""
    if version is None or version.deleted:
        return _entry(b"", _response(outcome.status, version, outcome=told))
    resource = _resource(version, base) if returning == "representation" else b""
    return _entry(resource, _response(outcome.status, version, located(version), told))


def _page_place(entry: Entry, page: SearchPage, base: str) -> bytes:
    return b'"resource":%s' % searchset(page, base, "/".join(entry.segments))


def _read_entry(entry: Entry, version: Version, base: str) -> bytes:
    if not_modified(version, entry.if_none_match, entry.if_modified_since):
        return _entry(b"", _response(304, version))
    return _entry(_resource(version, base, subset(version.doc, *asked(entry.query))), _response(200, version))


def _resource(version: Version, base: str, doc: bytes = b"") -> bytes:
    return b'"fullUrl":"%s/%s","resource":%s' % (base.encode(), version.reference.encode(), doc or version.doc)


def _response(status: int, version: Version | None = None, location: str = "", outcome: bytes = b"") -> bytes:
    fields: dict[str, object] = {"status": STATUS_LINES[status]}
    if location:
        fields["location"] = location
    if version is not None:
        fields |= {"etag": etag(version.version), "lastModified": instant(version.updated)}
    if outcome:
        fields["outcome"] = msgspec.Raw(outcome)
    return _text(fields)


def _entry(front: bytes, response: bytes) -> bytes:
    return b'{%s%s"response":%s}' % (front, b"," if front else b"", response)


def error_entry(error: FhirError) -> bytes:
    """The response entry of a batch entry that failed."""
    return _entry(b"", _response(error.status, outcome=outcome_bytes(error.issues)))


def response_entry(response: Response) -> bytes:
    """The response entry of an interaction that was dispatched like a request of its own (operations, history)."""
    fields: dict[str, object] = {"status": STATUS_LINES[response.status]}
    fields |= _told(response.headers)
    is_resource = response.content_type == FHIR_JSON and response.body
    failed = response.status >= 400
    if is_resource and failed:
        fields["outcome"] = msgspec.Raw(response.body)
    return _entry(b'"resource":%s' % response.body if is_resource and not failed else b"", _text(fields))


def _told(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    names = {"ETag": "etag", "Location": "location"}
    return {names[name]: value for name, value in headers if name in names}
