"""AuditEvent read and searched over the narrow table itself; nothing of it is indexed like other resources.

FHIR R4 AuditEvent search parameters (https://hl7.org/fhir/R4/auditevent.html#search), Search (search.html).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import time_ns
from urllib.parse import quote, urlencode

from fhir_server.audit.record import Action, AuditRow, Interaction, Outcome
from fhir_server.audit.render import AGENTS, SEARCHES, place, subtype_coding, type_coding, version
from fhir_server.search.cursor import Cursors, Position, with_cursor
from fhir_server.search.parameters import nearest
from fhir_server.search.query import TOTALS
from fhir_server.search.restriction import restriction
from fhir_server.store.audit_sql import (
    ROW,
    Clause,
    behind,
    between,
    count,
    either,
    equals,
    neither,
    page,
    starts,
    starts_folded,
)
from fhir_server.store.session import Session
from resources.errors import BadSearch, Forbidden, Issue, NotFound
from resources.repository import Caller, Hit, SearchPage, SearchRequest, Version
from resources.search_param.bounds import Asked, bounds, split_prefix
from resources.search_param.escapes import plain, split
from resources.search_param.intervals import interval
from resources.summary import SUMMARY_CODES

_SECOND = 1_000_000
_WINDOWS = tuple(seconds * _SECOND for seconds in (10, 300, 3_600, 86_400, 30 * 86_400))
_FOREVER = 2**62
_ACTIONS = "http://hl7.org/fhir/audit-event-action"
_OUTCOMES = "http://hl7.org/fhir/audit-event-outcome"

Filter = Callable[[str, Sequence[str], str], Clause]


@dataclass
class _Query:
    """A parsed search. ``applied`` are the parameters of the self link; ``lo``/``hi`` microseconds of a known range."""

    clauses: list[Clause]
    applied: list[tuple[str, str]] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    descending: bool = True
    size: int = 50
    cursor: str = ""
    total: bool = False
    summary: str = ""
    elements: tuple[str, ...] = ()
    narrow: bool = False

    @property
    def link(self) -> str:
        return urlencode(self.applied, quote_via=quote, safe=":/,|$-")


class AuditEvents:
    """The audit trail as FHIR. ``session`` gives the calling thread's session, ``base`` is the public address.

    A caller confined to patients sees the events about them, but not what others searched for.
    """

    def __init__(
        self, session: Callable[[], Session], cursors: Cursors, base: str, *, page_size: int = 50, most: int = 1000
    ) -> None:
        self._session, self._cursors, self._base = session, cursors, base
        self._page_size, self._most = page_size, most

    def read(self, caller: Caller, id: str) -> Version:
        """The event. Raises NotFound, also for an event the caller may not see; Forbidden."""
        patients = _confined(caller, "r")
        found = place(id)
        rows = self._session().query(ROW, (*found, caller.tenant)) if found else []
        if not rows or (patients and rows[0][12] not in patients):
            raise NotFound(f"There is no AuditEvent/{id}.")
        return self._version(caller, patients, AuditRow._make(rows[0]))

    def search(self, caller: Caller, request: SearchRequest) -> SearchPage:
        """One page, newest first unless ``_sort=date``. Raises BadSearch, Forbidden, TooCostly."""
        session = self._session()
        query = self._parsed(caller, request, session.dialect)
        total = count(session, query.clauses) if query.total else None
        if query.summary == "count" or not query.size:
            return SearchPage((), {"self": query.link}, total, tuple(query.issues), query.summary, query.elements)
        position = self._cursors.open(caller, query.link, query.cursor) if query.cursor else None
        rows = self._rows(session, query, position)
        links = self._links(caller, query, position, rows)
        rows = rows[: query.size]
        if position and not position.forward:
            rows.reverse()
        patients = _confined(caller, "s")
        hits = tuple(Hit(self._version(caller, patients, row)) for row in rows)
        return SearchPage(hits, links, total, tuple(query.issues), query.summary, query.elements)

    def _version(self, caller: Caller, patients: tuple[str, ...], row: AuditRow) -> Version:
        """What was searched for may name others (``patient=1,2``): who is confined to patients is told of searches by
        somebody else that there was one, and of which type."""
        if patients and row.interaction in SEARCHES and row.who != caller.who:
            row = row._replace(detail="")
        return version(row, self._base)

    def _rows(self, session: Session, query: _Query, position: Position | None) -> list[AuditRow]:
        """Up to one more than a page, walked from the position away."""
        descending = query.descending == (position is None or position.forward)
        start = _place(position) if position else None
        limit = query.size + 1
        edge = start[0] if start else time_ns() // 1000
        clauses = query.clauses + ([behind(descending, start)] if start else [])
        for width in () if query.narrow or not (descending and query.descending) else _WINDOWS:
            # without a list to walk, newest-first looks at the last seconds, hours and days before it looks at all
            rows = page(session, [*clauses, between(edge - width, _FOREVER)], True, limit)
            if len(rows) == limit:
                return rows
        return page(session, clauses, descending, limit)

    def _links(self, caller: Caller, query: _Query, position: Position | None, rows: list[AuditRow]) -> dict[str, str]:
        """self, first, and next and previous where there is one. ``rows`` are in walking order, and one too many."""
        links = {"self": query.link, "first": query.link}
        more, shown = len(rows) > query.size, rows[: query.size]
        forward = position is None or position.forward
        if not shown:
            return links
        first, last = (shown[0], shown[-1]) if forward else (shown[-1], shown[0])
        if more or not forward:
            links["next"] = self._link(caller, query, last, True)
        if (position is not None and forward) or (more and not forward):
            links["previous"] = self._link(caller, query, first, False)
        return links

    def _link(self, caller: Caller, query: _Query, row: AuditRow, forward: bool) -> str:
        token = self._cursors.seal(caller, query.link, Position(forward, row.recorded, (row.chain, row.n)))
        return with_cursor(query.link, token)

    def _parsed(self, caller: Caller, request: SearchRequest, dialect: str) -> _Query:
        query = _Query([equals_number("tenant", caller.tenant)], size=self._page_size)
        if patients := _confined(caller, "s"):
            query.clauses.append(equals("patient", patients, dialect))
            query.narrow = True
        if request.compartment:
            self._compartment(query, request.compartment, dialect)
        for name, value in request.params:
            if value and name not in _IGNORED:
                self._take(query, name, value, request.lenient, dialect)
        query.total = query.total or query.summary == "count"
        return query

    def _compartment(self, query: _Query, compartment: tuple[str, str], dialect: str) -> None:
        """Patient by ``patient``, Practitioner and Device by ``agent``, as the CompartmentDefinitions say."""
        name = _COMPARTMENTS.get(compartment[0])
        if name is None:
            raise BadSearch(f"AuditEvent is in no {compartment[0]} compartment")
        query.clauses.append(_FILTERS[name](name, ["/".join(compartment)], dialect))
        query.narrow = True

    def _take(self, query: _Query, name: str, value: str, lenient: bool, dialect: str) -> None:
        code, _, modifier = name.partition(":")
        if name in _CONTROLS:
            _CONTROLS[name](query, name, value)
        elif code in _FILTERS:
            query.clauses.append(_filtered(code, modifier, value, dialect))
            query.narrow = query.narrow or code in _WALKABLE
        elif lenient:
            query.issues.append(Issue("not-supported", _unknown(name), severity="warning"))
            return
        else:
            raise BadSearch(_unknown(name))
        query.size = min(query.size, self._most)
        if name != "_cursor":
            query.applied.append((name, value))


def _confined(caller: Caller, permission: str) -> tuple[str, ...]:
    """The patients whose events a caller may see, () for one who may see all. Raises Forbidden.

    A grant with search parameters opens nothing: they are asked of the index, which holds no events.
    """
    restriction(caller, "AuditEvent", permission)
    given = [grant for grant in caller.grants.of("AuditEvent", permission) if not grant.params]
    compartments = [grant.compartment for grant in given]
    if None in compartments:
        return ()
    found = {"/".join(each) for each in compartments if each and each[0] == "Patient"}
    if not found:
        raise Forbidden("AuditEvent: the audit trail is not open to this caller.")
    return tuple(sorted(found))


def _place(position: Position) -> tuple[int, int, int]:
    chain, n = position.values
    return position.o, int(chain or 0), int(n or 0)


def _unknown(name: str) -> str:
    return f"AuditEvent has no search parameter '{name}' here{nearest(name, tuple(_FILTERS))}"


# --- parameters that filter -----------------------------------------------------------------------------------------


def equals_number(column: str, value: int) -> Clause:
    return Clause(f"{column} = ?", (value,))


def _filtered(code: str, modifier: str, value: str, dialect: str) -> Clause:
    values = [plain(part) for part in split(value, ",") if part]
    if modifier == "not" and code in _TOKENS:
        return neither(_FILTERS[code](code, values, dialect))
    if modifier == _TARGET.get(code):
        values = [part if "/" in part else f"{modifier}/{part}" for part in values]
    elif modifier:
        raise BadSearch(f"{code}:{modifier}: this modifier cannot be used here")
    return _FILTERS[code](code, values, dialect)


def _patient(code: str, values: Sequence[str], dialect: str) -> Clause:
    return equals("patient", [value if "/" in value else f"Patient/{value}" for value in values], dialect)


def _agent(code: str, values: Sequence[str], dialect: str) -> Clause:
    """agent.who; an id alone may be of any type an agent can be. Only a Device is the client (which has no index)."""
    named = [value if "/" in value else f"{type}/{value}" for value in values for type in _types(value)]
    devices = [value for value in named if value.startswith("Device/")]
    return either([equals("who", named, dialect), *([equals("client", devices, dialect)] if devices else [])])


def _types(value: str) -> Iterable[str]:
    return ("",) if "/" in value else AGENTS


def _entity(code: str, values: Sequence[str], dialect: str) -> Clause:
    """entity.what: the record itself in any version, and the patient."""
    for value in values:
        if "/" not in value:
            raise BadSearch(f"entity={value}: expected a reference such as Observation/1")
    found = [equals("entity", list(values), dialect)]
    found += [starts("entity", f"{value}/_history/") for value in values if "/_history/" not in value]
    patients = [value for value in values if value.startswith("Patient/")]
    return either(found + ([equals("patient", patients, dialect)] if patients else []))


def _date(code: str, values: Sequence[str], dialect: str) -> Clause:
    return either([clause for value in values for clause in _dated(code, value)])


def _dated(code: str, value: str) -> list[Clause]:
    """``recorded`` is an instant to the microsecond, so a stored interval is [t, t + 1)."""
    prefix, text = split_prefix(value)
    try:
        lo, hi = interval(text.replace(" ", "+"))
    except ValueError:
        raise BadSearch(f"{code}={value}: expected a date such as 2024-05 or 2024-05-31T12:30:00Z") from None
    now = time_ns() // 1000
    near = max(lo - now, now - hi, 0) // 10
    found = bounds(prefix, Asked(lo, hi, lo, hi, lo - near, hi + near))
    windows = ((max(b.lo_from, b.hi_from - 1), min(b.lo_to, b.hi_to - 1)) for b in found)
    return [between(low, high) for low, high in windows if low < high]


def _action(code: str, values: Sequence[str], dialect: str) -> Clause:
    return either([Clause("action = ?", (word,)) for word in _codes(code, values, _ACTIONS, tuple(Action))])


def _outcome(code: str, values: Sequence[str], dialect: str) -> Clause:
    words = _codes(code, values, _OUTCOMES, tuple(str(int(outcome)) for outcome in Outcome))
    return either([Clause("outcome = ?", (int(word),)) for word in words])


def _codes(code: str, values: Sequence[str], system: str, codes: Sequence[str]) -> list[str]:
    """The codes meant by tokens of a value set with one system; a token of another system means none."""
    wanted = [part for value in values for part in [_bare(value, system)] if part is not None]
    for part in wanted:
        if part not in codes:
            raise BadSearch(f"{code}={part}: expected one of {', '.join(codes)}")
    return wanted


def _bare(value: str, system: str) -> str | None:
    given, bar, code = value.rpartition("|")
    return code if not bar or given == system else None


def _interaction(coding: Callable[[str], dict[str, str]], code: str, values: Sequence[str], dialect: str) -> Clause:
    """type and subtype follow from the interaction: those whose coding is meant."""
    codings = {word.value: coding(word.value) for word in Interaction}
    meant = [word for word, found in codings.items() if any(_means(value, found) for value in values)]
    return equals("interaction", meant, dialect) if meant else either([])


def _means(value: str, coding: dict[str, str]) -> bool:
    system, bar, code = value.rpartition("|")
    return (not bar or system == coding["system"]) and code in (coding["code"], "" if bar else None)


def _named(code: str, values: Sequence[str], dialect: str) -> Clause:
    """agent.name, and the name of the client."""
    return either([starts_folded(column, value) for value in values for column in ("who", "client")])


def _address(code: str, values: Sequence[str], dialect: str) -> Clause:
    return either([starts_folded("address", value) for value in values])


def _ids(code: str, values: Sequence[str], dialect: str) -> Clause:
    places = [found for value in values if (found := place(value))]
    return either([Clause("(chain = ? AND n = ?)", found) for found in places])


_FILTERS: dict[str, Filter] = {
    "_id": _ids,
    "_lastUpdated": _date,
    "action": _action,
    "address": _address,
    "agent": _agent,
    "agent-name": _named,
    "date": _date,
    "entity": _entity,
    "outcome": _outcome,
    "patient": _patient,
    "subtype": partial(_interaction, subtype_coding),
    "type": partial(_interaction, type_coding),
}
PARAMETERS = frozenset(_FILTERS)
"""The search parameters that serve, for the CapabilityStatement."""

_TOKENS = {"action", "outcome", "subtype", "type"}
_WALKABLE = {"_id", "agent", "entity", "patient"}
_TARGET = {"patient": "Patient", "agent": "Practitioner", "entity": "Patient"}
_COMPARTMENTS = {"Patient": "patient", "Practitioner": "agent", "Device": "agent"}
_IGNORED = {"_format", "_pretty"}


# --- parameters that shape the page ---------------------------------------------------------------------------------


def _count(query: _Query, name: str, value: str) -> None:
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        raise BadSearch(f"_count={value}: expected a whole number")
    query.size = int(value)


def _sort(query: _Query, name: str, value: str) -> None:
    if value.removeprefix("-") not in ("date", "_lastUpdated"):
        raise BadSearch(f"_sort={value}: AuditEvents can be sorted by date or -date")
    query.descending = value.startswith("-")


def _total(query: _Query, name: str, value: str) -> None:
    if value not in TOTALS:
        raise BadSearch(f"_total={value}: expected one of {', '.join(TOTALS)}")
    query.total = value != "none"


def _summary(query: _Query, name: str, value: str) -> None:
    if value not in SUMMARY_CODES:
        raise BadSearch(f"_summary={value}: expected one of {', '.join(SUMMARY_CODES)}")
    query.summary = value


def _elements(query: _Query, name: str, value: str) -> None:
    query.elements = tuple(part for part in value.split(",") if part)


def _cursor(query: _Query, name: str, value: str) -> None:
    query.cursor = value


_CONTROLS: dict[str, Callable[[_Query, str, str], None]] = {
    "_count": _count,
    "_sort": _sort,
    "_total": _total,
    "_summary": _summary,
    "_elements": _elements,
    "_cursor": _cursor,
}
