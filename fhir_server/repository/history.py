"""History of an instance, a type or the system, in pages.

FHIR R4 http.html#history: newest first; the cursor is the seq of the last version given.
"""

from fhir_server.store import Session
from resources.errors import BadSearch, NotFound
from resources.repository import Caller, HistoryPage, HistoryRequest
from resources.search_param.intervals import interval

_DIGITS = 18
"""Of the longest seq that every database holds."""


def history_page(session: Session, caller: Caller, request: HistoryRequest) -> HistoryPage:
    """One page. Raises NotFound for an instance that never was, BadSearch for a malformed parameter."""
    found = session.history(
        request.type,
        request.id,
        count=request.count + 1,
        since=_bounds("_since", request.since)[0] if request.since else None,
        at=_bounds("_at", request.at) if request.at else None,
        before=_cursor(request.cursor),
        tenant=caller.tenant,
    )
    if not found and request.id and session.read(request.type, request.id, caller.tenant) is None:
        raise NotFound(f"There never was a {request.type}/{request.id}.")
    page = found[: request.count]
    more = len(found) > request.count
    total = (
        session.history_count(request.type, request.id, caller.tenant)
        if request.id and not (request.since or request.at)
        else None
    )
    return HistoryPage(tuple(stored.as_version() for stored in page), total, str(page[-1].seq) if more and page else "")


def _bounds(name: str, text: str) -> tuple[int, int]:
    """[lo, hi) of a FHIR date or instant in milliseconds since 1970 UTC."""
    try:
        lo, hi = interval(text)
    except ValueError:
        raise BadSearch(f"{name} is {text!r}; an instant such as 2026-11-22T10:00:00Z is expected.") from None
    return lo // 1000, -(-hi // 1000)


def _cursor(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS:
        raise BadSearch(f"The page link's cursor {text[:40]!r} is not one this server made; start at the first page.")
    return int(text)
