"""The record's changes in the order they happened, for followers that must miss none: outbound messages, subscriptions.

FHIR R4 http.html#history has the same versions newest first; a follower wants the oldest first, each resource once.
"""

from collections.abc import Sequence

from fhir_server.repository.services import Services
from fhir_server.search.restriction import granted
from resources.errors import Forbidden
from resources.repository import Caller, Version

MOST = 500
"""Changes of one call."""


def changes(
    services: Services, caller: Caller, types: Sequence[str], after: int | None, count: int
) -> tuple[list[Version], int]:
    """Current versions of ``types`` that were written after position ``after``, oldest first, deletions included; and
    the position to go on from. A resource that changed twice comes once, as it is now. ``after`` None: nothing, and
    the position of now.

    Stops below the first write that an open transaction may still add. Raises Forbidden.
    """
    for type in types:
        if not granted(caller, type, "s"):
            raise Forbidden(f"search of {type} is not granted.")
    session = services.store.session()
    top = session.horizon()
    if after is None:
        return [], top
    rows = session.changed(types, after, top, min(count, MOST), caller.tenant)
    seen = services.engine.resolver(session, caller).view.seen(rows, "s")
    end = rows[-1].seq if len(rows) == min(count, MOST) else top
    return [row.as_version() for row in seen], max(after, end)
