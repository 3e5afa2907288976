"""Refusals of who is not known yet: a row each up to a number, then counted and told in one row, so that nobody can
fill the trail's disk by asking.

NIST SP 800-92 section 4.3 (event aggregation); FHIR R4 AuditEvent. Nothing is left out: what has no row of its own is
in a number, with its source, its kind and for how long.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from time import monotonic, time_ns

from msgspec.structs import replace

from fhir_server.audit.record import AuditRecord
from resources.errors import Unavailable

NAMELESS = 1
"""Rows of their own that refusals without any credentials get, of one source in one window."""
PRESENTED = 20
"""The same for tokens, codes and passwords that were shown and refused, of one source, person and app."""
WINDOW = 60.0
"""Seconds after which what was counted is told."""
MOST = 200
"""Sources told apart in a window; the rest are counted together, from no address."""
_MOST_DETAILS = 10

_Key = tuple[str, str, str, str, int]


@dataclass(slots=True)
class _Source:
    first: AuditRecord
    seen: int = 0
    counted: Counter[str] = field(default_factory=Counter)


class Refusals:
    """Tells ``note`` of refusals; any thread may call. Settle it from time to time, and before ``note`` ends.

    In a window there are at most MOST sources, and a few more, of PRESENTED + 1 rows of one process, whatever is asked.
    """

    def __init__(self, note: Callable[[Sequence[AuditRecord]], None], now: Callable[[], float] = monotonic) -> None:
        self._note, self._now = note, now
        self._lock = threading.Lock()
        self._sources: dict[_Key, _Source] = {}
        self._began = now()

    def __call__(self, record: AuditRecord, alone: int) -> None:
        """Tell of ``record`` now, when it is among the first ``alone`` of its source, else with the next settlement.
        Raises Unavailable when the trail cannot take it."""
        self.settle()
        with self._lock:
            source = self._source(record, alone)
            source.seen += 1
            if source.seen > alone:
                known = record.detail in source.counted or len(source.counted) < _MOST_DETAILS
                source.counted[record.detail if known else "other"] += 1
                return
        self._note([record])

    def settle(self, last: bool = False) -> None:
        """Tell of what was counted, when its minute is over or this is the last time. What the trail cannot take now is
        counted on and told later; the row says of how many seconds it is."""
        with self._lock:
            seconds = self._now() - self._began
            if seconds < WINDOW and not last:
                return
            rows = [_row(key[0], source, seconds) for key, source in self._sources.items() if source.counted]
            try:
                if rows:
                    self._note(rows)
            except Unavailable:
                return
            self._sources, self._began = {}, self._now()

    def _source(self, record: AuditRecord, alone: int) -> _Source:
        key = (network(record.address), record.interaction, record.who, record.client, alone)
        if key not in self._sources and len(self._sources) >= MOST:
            key = ("", record.interaction, "", "", alone)
            record = replace(record, who="", client="")
        return self._sources.setdefault(key, _Source(record))


def network(address: str) -> str:
    """Whose address it is: of IPv6 its /64, all of which one household or machine has."""
    if ":" not in address:
        return address
    try:
        return str(ip_network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return ""


def _row(source: str, of: _Source, seconds: float) -> AuditRecord:
    kinds = ", ".join(f"{detail} {count}" for detail, count in of.counted.most_common())
    detail = f"{of.counted.total()} more within {seconds:.0f} s: {kinds}"
    return replace(
        of.first, recorded=time_ns() // 1000, address=source, request="", patient="", entity="", detail=detail
    )
