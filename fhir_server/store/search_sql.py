"""The SQL of a search: sets become statements that walk one list in order and probe the others.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html). Shapes are fenced so that the planner of the database has no
choice to make (OFFSET 0 and LATERAL on PostgreSQL, CROSS JOIN order on SQLite): which list is walked is decided here,
from list lengths. Placeholders are $1, $2, ...; values never enter the text, so texts repeat and stay prepared.
"""

from collections.abc import Sequence
from typing import Any

from fhir_server.store.order import IMPRECISE
from fhir_server.store.search_sets import (
    HIGHEST,
    UNKNOWN_SIZE,
    Both,
    Changed,
    Chosen,
    Dated,
    Either,
    Except,
    Imprecise,
    Instance,
    Interval,
    Lists,
    Patients,
    Set,
    Span,
    Subjects,
    Text,
    Window,
    size,
    walkable,
)
from resources.search_param.intervals import BEGINNING, END
from resources.search_param.normal_form import AS_WRITTEN, CUT, PIECE

MOST_ARMS = 200
"""Parts of one UNION; SQLite allows 500."""
MANY_LISTS = 16
"""Lists of numbers that are rather read by stretches of the order than asked for each row."""
FEW_EXCLUDED = 4
"""Lists that are excluded one by one."""
VAGUE = Imprecise()
LAST_CHARACTER = "\U0010ffff"


class SearchSql:
    """One statement under construction: its text pieces and its parameters, in the order of ``descending`` or not."""

    fence = " OFFSET 0"

    def __init__(self, tenant: int, descending: bool = True) -> None:
        self.tenant = tenant
        self.way = "DESC" if descending else "ASC"
        self.params: list[Any] = []

    def p(self, value: Any) -> str:
        self.params.append(value)
        return f"${len(self.params)}"

    # --- what the two databases say differently -------------------------------------------------------------------

    def array(self, values: Sequence[int]) -> str:
        """A parameter that holds many numbers."""
        return self.p(list(values)) + "::bigint[]"

    def among(self, column: str, values: Sequence[int]) -> str:
        return f"{column} = ANY({self.array(values)})"

    def named(self, column: str, texts: Sequence[str]) -> str:
        """Like ``among``, for texts."""
        return f"{column} = {self.p(texts[0])}" if len(texts) == 1 else f"{column} = ANY({self.p(list(texts))}::text[])"

    def among_many(self, column: str, values: Sequence[int]) -> str:
        """Like ``among``, hashed, for thousands of values. IS TRUE keeps it from becoming a join without order."""
        return f"({column} IN (SELECT unnest({self.array(values)}))) IS TRUE"

    def numbers(self, values: Sequence[int], alias: str) -> str:
        """A FROM item with the values as column ``n``."""
        return f"unnest({self.array(values)}) {alias}(n)"

    def contains(self, column: str, text: str) -> str:
        return f"strpos({column}, {self.p(text)}) > 0"

    def per_list(self, hashes: Sequence[int], span: Span, limit: int | None, conditions: Sequence[Set]) -> str:
        """The union of lists: the newest ``limit`` of each, then of all."""
        lists = self.leading(hashes, span, limit, conditions) if limit and len(hashes) > limit else ""
        lists = lists or self.numbers(hashes, "u")
        one = self.one_list("u.n", span, limit, conditions)
        return f"SELECT DISTINCT x.o FROM {lists} CROSS JOIN LATERAL ({one}) x{self.top(limit, 'x')}"

    def leading(self, hashes: Sequence[int], span: Span, limit: int, conditions: Sequence[Set]) -> str:
        """A FROM item u(n): those lists that can hold one of the first ``limit`` members of all. Of ``limit`` lists the
        first members come before those of the others, so that nothing of the others is wanted."""
        pick = "max" if self.way == "DESC" else "min"
        head = f"(SELECT {pick}(h.o) FROM ({self.one_list('w.n', span, 1, conditions)}) h)"
        heads = f"SELECT w.n, {head} AS o FROM {self.numbers(hashes, 'w')}"
        best = f"SELECT DISTINCT g.o FROM heads g WHERE g.o IS NOT NULL ORDER BY g.o {self.way} LIMIT {self.p(limit)}"
        last, beyond = ("min", ">=") if self.way == "DESC" else ("max", "<=")
        return (
            f"(WITH heads AS MATERIALIZED ({heads}) SELECT f.n FROM heads f"
            f" WHERE f.o {beyond} (SELECT {last}(b.o) FROM ({best}) b)) u"
        )

    def patients(self, part: Patients) -> str:
        """SELECT o: the patients by the subject column of the resources about them."""
        about = self.stream(part.about, Span(), None)
        source = f"s.tenant = {self.p(self.tenant)} AND s.type = {self.p(part.type)}"
        return (
            f"SELECT t.o FROM (SELECT DISTINCT m.subj FROM ({about}) i CROSS JOIN LATERAL "
            f"(SELECT s.subj FROM resource s WHERE s.o = i.o AND {source} OFFSET 0) m) d CROSS JOIN LATERAL "
            f"(SELECT p.o FROM resource p WHERE p.subj = d.subj AND {self._patient()} OFFSET 0) t"
        )

    def _patient(self) -> str:
        """The type stands in the text, because the index holds patients only."""
        return f"p.type = 'Patient' AND p.tenant = {self.p(self.tenant)} AND NOT p.deleted"

    def rows_of(self, inner: str, columns: str) -> str:
        """``inner`` (column o) joined to the resource rows, one index seek each, in its order."""
        return (
            f"SELECT {columns} FROM ({inner}) x CROSS JOIN LATERAL "
            f"(SELECT * FROM resource s WHERE s.o = x.o AND s.tenant = {self.p(self.tenant)} OFFSET 0) r"
            f" ORDER BY x.o {self.way}"
        )

    # --- probes: does this resource belong? -----------------------------------------------------------------------

    def probe(self, part: Set, o: str) -> str:
        """A boolean expression about the order key ``o``."""
        match part:
            case Lists():
                return self._probe_lists(part, o)
            case Window():
                return f"({o} >= {self.p(part.lo)} AND {o} < {self.p(part.hi)} AND ({o} & {IMPRECISE}) = 0)"
            case Dated():
                return f"({self.probe(part.precise, o)} OR (({o} & {IMPRECISE}) <> 0 AND {self.probe(part.other, o)}))"
            case Interval():
                return f"EXISTS (SELECT 1 FROM rng q WHERE {self._interval(part, '+')} AND q.o = {o}{self.fence})"
            case Text():
                return f"EXISTS (SELECT 1 FROM str q WHERE {self._text(part)} AND q.o = {o}{self.fence})"
            case Subjects():
                return self.among_many(f"(SELECT q.subj FROM resource q WHERE q.o = {o})", part.hashes)
            case Instance() | Changed():
                return f"EXISTS (SELECT 1 FROM resource q WHERE q.o = {o} AND {self._column(part)}{self.fence})"
            case Patients():
                return f"({o} IN ({self.patients(part)})) IS TRUE"
            case Imprecise():
                return f"({o} & {IMPRECISE}) <> 0"
            case Chosen():
                return self.among_many(o, part.orders)
            case Except():
                return self._outside(part.part, o)
            case Both():
                return "(" + " AND ".join(self.probe(p, o) for p in part.parts) + ")"
            case Either():
                return "(" + " OR ".join(self.probe(p, o) for p in part.parts) + ")"

    def _probe_lists(self, part: Lists, o: str) -> str:
        if len(part.hashes) == 1:
            return f"EXISTS (SELECT 1 FROM post q WHERE q.h = {self.p(part.hashes[0])} AND q.o = {o}{self.fence})"
        if part.subjects:
            return self.probe(Subjects(part.subjects), o)
        if len(part.hashes) <= 64:
            return f"EXISTS (SELECT 1 FROM post q WHERE {self.among('q.h', part.hashes)} AND q.o = {o}{self.fence})"
        return f"({o} IN ({self.per_list(part.hashes, Span(), None, ())})) IS TRUE"

    def _outside(self, part: Set, o: str) -> str:
        """Most lists that are excluded are labels and empty: whether they are is asked once for a statement."""
        if not isinstance(part, Lists) or part.subjects or len(part.hashes) > FEW_EXCLUDED:
            return f"NOT {self.probe(part, o)}"
        names = [self.p(h) for h in part.hashes]
        any = f"EXISTS (SELECT 1 FROM post e WHERE e.h IN ({', '.join(names)}){self.fence})"
        tests = (f"NOT EXISTS (SELECT 1 FROM post q WHERE q.h = {h} AND q.o = {o}{self.fence})" for h in names)
        return f"(NOT {any} OR ({' AND '.join(tests)}))"

    def _interval(self, part: Interval, shy: str = "") -> str:
        """``shy`` (a unary plus) keeps lo and hi from being used as index bounds where o is the better one."""
        return f"{self._under(part.hashes)} AND {self._bounds(part, shy)}"

    def _bounds(self, part: Interval, shy: str) -> str:
        """Only bounds that leave something out, so that the database knows which end of the intervals tells more."""
        lower = (("lo", part.lo_from), ("hi", part.hi_from))
        upper = (("lo", part.lo_to), ("hi", part.hi_to))
        told = [f"{shy}q.{end} >= {self.p(value)}" for end, value in lower if value > BEGINNING]
        told += [f"{shy}q.{end} < {self.p(value)}" for end, value in upper if value <= END]
        return " AND ".join(told) or "true"

    def _under(self, hashes: Sequence[int]) -> str:
        return f"q.h = {self.p(hashes[0])}" if len(hashes) == 1 else self.among("q.h", hashes)

    def _text(self, part: Text) -> str:
        head = self._under(part.hashes) + " AND "
        if part.how == "exact":
            return f"{head}q.norm = {self.p(part.norm)}"
        if part.how in ("contains", "holds"):
            return head + self.contains("q.norm", part.norm)
        if part.how in ("below", "from"):
            return f"{head}q.norm {'<' if part.how == 'below' else '>='} {self.p(part.norm)}"
        if part.how == "ends":
            whole = f"(length(q.norm) <> {CUT} OR substr(q.norm, {PIECE + 1}, 1) <> {self.p(AS_WRITTEN)})"
            return f"{head}{self.contains('q.norm', part.norm)} AND {whole}"
        if part.how == "tail":
            end = f"substr(q.norm, length(q.norm) - {len(part.norm) - 1}) = {self.p(part.norm)}"
            return f"{head}length(q.norm) < {PIECE} AND {end}"
        return f"{head}q.norm >= {self.p(part.norm)} AND q.norm < {self.p(part.norm + LAST_CHARACTER)}"

    def _column(self, part: Instance | Changed) -> str:
        match part:
            case Instance():
                return (
                    f"q.tenant = {self.p(self.tenant)} AND q.type = {self.p(part.type)}"
                    f" AND {self.named('q.id', part.ids)} AND NOT q.deleted"
                )
            case Changed():
                return (
                    f"q.tenant = {self.p(self.tenant)} AND q.type = {self.p(part.type)}"
                    f" AND q.updated {'>=' if part.op == 'ge' else '<'} {self.p(part.instant)} AND NOT q.deleted"
                )

    # --- streams: the members in order ----------------------------------------------------------------------------

    def top(self, limit: int | None, alias: str) -> str:
        """Order and limit of a stream; a stream without limit has no order either."""
        return "" if limit is None else f" ORDER BY {alias}.o {self.way} LIMIT {self.p(limit)}"

    def stream(self, part: Set, span: Span, limit: int | None, conditions: Sequence[Set] = ()) -> str:
        """SELECT o: the first ``limit`` members inside ``span`` that fit all ``conditions``, each once."""
        match part:
            case Lists() if len(part.hashes) == 1:
                return self.one_list(self.p(part.hashes[0]), span, limit, conditions)
            case Lists():
                return self.per_list(part.hashes, span, limit, conditions)
            case Interval() if limit is not None and in_order(part):
                arms = [self._in_order(part, h, span, limit, conditions) for h in part.hashes]
                return arms[0] if len(arms) == 1 else self._union(arms, limit)
            case Interval():
                return self._collected(f"rng q WHERE {self._interval(part)}", span, limit, conditions)
            case Text():
                return self._collected(f"str q WHERE {self._text(part)}", span, limit, conditions)
            case Instance() | Changed():
                return self._collected(f"resource q WHERE {self._column(part)}", span, limit, conditions)
            case Patients():
                return self._collected(f"({self.patients(part)}) q WHERE true", span, limit, conditions)
            case Chosen():
                chosen = f"(SELECT n AS o FROM {self.numbers(part.orders, 'c')}) q WHERE true"
                return self._collected(chosen, span, limit, conditions)
            case Both():
                return self._intersection(part, span, limit, conditions)
            case Either():
                return self._union([self.stream(p, span, limit, conditions) for p in part.parts], limit)
        raise TypeError(f"{type(part).__name__} cannot be walked by itself")

    def one_list(self, h: str, span: Span, limit: int | None, conditions: Sequence[Set]) -> str:
        """``h`` is SQL: a placeholder or a column."""
        inside = f"SELECT p.o FROM post p WHERE p.h = {h} AND p.o >= {self.p(span.lo)} AND p.o < {self.p(span.hi)}"
        if not conditions:
            return inside + self.top(limit, "p")
        return f"SELECT a.o FROM ({inside} ORDER BY p.o {self.way}{self.fence}) a" + self._where(conditions, limit)

    def _where(self, conditions: Sequence[Set], limit: int | None) -> str:
        tests = " AND ".join(self.probe(c, "a.o") for c in conditions)
        return f" WHERE {tests or 'true'}{self.top(limit, 'a')}"

    def _collected(self, source: str, span: Span, limit: int | None, conditions: Sequence[Set]) -> str:
        # a unary plus, for what decides is the value: an index by place would be read from end to end
        inside = f"SELECT q.o FROM {source} AND +q.o >= {self.p(span.lo)} AND +q.o < {self.p(span.hi)}{self.fence}"
        return f"SELECT DISTINCT a.o FROM ({inside}) a" + self._where(conditions, limit)

    def _in_order(self, part: Interval, h: int, span: Span, limit: int, conditions: Sequence[Set]) -> str:
        """Of a list of which much fits: in the order of its places, until there are enough."""
        place = f"q.h = {self.p(h)} AND q.o >= {self.p(span.lo)} AND q.o < {self.p(span.hi)}"
        inside = (
            f"SELECT q.o FROM rng q WHERE {place} AND {self._bounds(part, '+')} ORDER BY q.o {self.way}{self.fence}"
        )
        return f"SELECT DISTINCT a.o FROM ({inside}) a" + self._where(conditions, limit)

    def _union(self, streams: Sequence[str], limit: int | None) -> str:
        if len(streams) > MOST_ARMS:
            parts = [streams[n : n + MOST_ARMS] for n in range(0, len(streams), MOST_ARMS)]
            return self._union([self._union(part, limit) for part in parts], limit)
        arms = " UNION ALL ".join(f"SELECT b{i}.o FROM ({text}) b{i}" for i, text in enumerate(streams))
        return f"SELECT DISTINCT e.o FROM ({arms}) e{self.top(limit, 'e')}"

    def _intersection(self, part: Both, span: Span, limit: int | None, conditions: Sequence[Set]) -> str:
        dated = [p for p in part.parts if isinstance(p, Dated)]
        rest = [p for p in part.parts if not isinstance(p, Dated)]
        if not dated:
            return self._walk(rest, span, limit, conditions)
        if len(dated) == 1 and size(dated[0].other) >= UNKNOWN_SIZE and any(walkable(p) for p in rest):
            return self._in_one_walk(dated[0], rest, span, limit, conditions)
        # A date is precise or it is not: two disjoint halves, and in the first one the dates bound the walk itself.
        precise = self._walk([*rest, *(d.precise for d in dated)], span, limit, conditions)
        return self._union([precise, *self._imprecise(dated, rest, span, limit, conditions)], limit)

    def _in_one_walk(
        self, dated: Dated, rest: Sequence[Set], span: Span, limit: int | None, conditions: Sequence[Set]
    ) -> str:
        """Where imprecise dates abound, those that fit are soon met, and precise ones on the way."""
        window = dated.precise
        last = max(dated.before, window.hi) if isinstance(window, Window) else HIGHEST
        walks = [self._walk([*rest, dated], span.meet(span.lo, last), limit, conditions)]
        if dated.endless is not None and last < span.hi:
            walks.append(self._walk([dated.endless, *rest, VAGUE], span.meet(last, span.hi), limit, conditions))
        return walks[0] if len(walks) == 1 else self._union(walks, limit)

    def _imprecise(
        self, dated: Sequence[Dated], rest: Sequence[Set], span: Span, limit: int | None, conditions: Sequence[Set]
    ) -> list[str]:
        """Imprecise dates: up to the earliest ``before`` all, behind it only what has no start."""
        first = min(dated, key=lambda d: d.before)
        others = [d.other for d in dated if d is not first]
        parts = [self._walk([*rest, *others, first.other, VAGUE], span.meet(span.lo, first.before), limit, conditions)]
        if first.endless is not None and first.before < span.hi:
            behind = span.meet(first.before, span.hi)
            parts.append(self._walk([first.endless, *others, *rest, VAGUE], behind, limit, conditions))
        return parts

    def _walk(self, parts: Sequence[Set], span: Span, limit: int | None, conditions: Sequence[Set]) -> str:
        driver = shortest(parts)
        tests = [p for p in parts if p is not driver and not _said(p, driver)]
        for window in (p for p in tests if isinstance(p, Window)):
            span = span.meet(window.lo, window.hi)
        return self.stream(driver, span, limit, [*tests, *conditions])

    # --- whole statements -------------------------------------------------------------------------------------------

    def capped_counts(self, parts: Sequence[Set], cap: int) -> str:
        """One row: the length of each part, counted no further than ``cap``."""
        counts = (self._capped_count(part, cap) for part in parts)
        return "SELECT " + ", ".join(counts)

    def _capped_count(self, part: Set, cap: int) -> str:
        sources = {Lists: "post", Interval: "rng", Text: "str"}
        source = sources.get(type(part), "resource")
        return f"(SELECT count(*) FROM (SELECT 1 FROM {source} q WHERE {self._member(part)} LIMIT {self.p(cap)}) c)"

    def _member(self, part: Set) -> str:
        match part:
            case Lists():
                return self.among("q.h", part.hashes)
            case Interval():
                return self._interval(part)
            case Text():
                return self._text(part)
            case Changed():
                return self._column(part)
        raise TypeError(type(part).__name__)

    def in_window(self, parts: Sequence[Interval], span: Span) -> str:
        """SELECT o: the members inside ``span`` of intervals of the same lists, in any order; each list is read there
        only."""
        asked = f"SELECT q.o FROM rng q WHERE q.h = u.n AND q.o >= {self.p(span.lo)} AND q.o < {self.p(span.hi)}"
        inside = f"{asked} AND {self._any_bounds(parts)}{self.fence}"
        return f"SELECT x.o FROM {self.numbers(parts[0].hashes, 'u')} CROSS JOIN LATERAL ({inside}) x"

    def _any_bounds(self, parts: Sequence[Interval]) -> str:
        return "(" + " OR ".join(f"({self._bounds(part, '+')})" for part in parts) + ")"

    def any_on(self, hashes: Sequence[int], near: Set) -> str:
        """Those hashes whose list holds a member of ``near``."""
        members = f"SELECT p.o FROM post p WHERE p.h = u.n{self.fence}"
        lists = self.numbers(hashes, "u")
        return f"SELECT u.n FROM {lists} WHERE EXISTS (SELECT 1 FROM ({members}) a WHERE {self.probe(near, 'a.o')})"


class SqliteSearchSql(SearchSql):
    """The same statements for SQLite, whose nested loops follow CROSS JOIN and which has no LATERAL."""

    fence = ""

    def array(self, values: Sequence[int]) -> str:
        return self.p(list(values))

    def among(self, column: str, values: Sequence[int]) -> str:
        return f"{column} IN (SELECT value FROM json_each({self.array(values)}))"

    among_many = among

    def named(self, column: str, texts: Sequence[str]) -> str:
        return f"{column} IN (SELECT value FROM json_each({self.p(list(texts))}))"

    def numbers(self, values: Sequence[int], alias: str) -> str:
        return f"(SELECT value AS n FROM json_each({self.array(values)})) {alias}"

    def contains(self, column: str, text: str) -> str:
        return f"instr({column}, {self.p(text)}) > 0"

    def per_list(self, hashes: Sequence[int], span: Span, limit: int | None, conditions: Sequence[Set]) -> str:
        lists = self.leading(hashes, span, limit, conditions) if limit and len(hashes) > limit else ""
        lists = lists or self.numbers(hashes, "u")
        if limit is None:
            tests = "".join(" AND " + self.probe(c, "y.o") for c in conditions)
            bounds = f"y.o >= {self.p(span.lo)} AND y.o < {self.p(span.hi)}"
            return f"SELECT DISTINCT y.o FROM {lists} CROSS JOIN post y WHERE y.h = u.n AND {bounds}{tests}"
        found = f"SELECT DISTINCT y.o FROM {lists} CROSS JOIN post y WHERE y.h = u.n"
        return f"{found} AND y.o IN ({self.one_list('u.n', span, limit, conditions)}){self.top(limit, 'y')}"

    def in_window(self, parts: Sequence[Interval], span: Span) -> str:
        bounds = f"q.o >= {self.p(span.lo)} AND q.o < {self.p(span.hi)} AND {self._any_bounds(parts)}"
        return f"SELECT q.o FROM {self.numbers(parts[0].hashes, 'u')} CROSS JOIN rng q WHERE q.h = u.n AND {bounds}"

    def patients(self, part: Patients) -> str:
        """``+`` keeps the planner from an index by tenant and type, which would walk all of a type for each row."""
        about = self.stream(part.about, Span(), None)
        source = f"+s.tenant = {self.p(self.tenant)} AND +s.type = {self.p(part.type)}"
        return (
            f"SELECT p.o FROM (SELECT DISTINCT s.subj AS subj FROM ({about}) i CROSS JOIN resource s"
            f" WHERE s.o = i.o AND {source}) d CROSS JOIN resource p WHERE p.subj = d.subj AND {self._patient()}"
        )

    def _patient(self) -> str:
        return f"p.type = 'Patient' AND +p.tenant = {self.p(self.tenant)} AND NOT p.deleted"

    def rows_of(self, inner: str, columns: str) -> str:
        joined = f"({inner}) x CROSS JOIN resource r WHERE r.o = x.o AND r.tenant = {self.p(self.tenant)}"
        return f"SELECT {columns} FROM {joined} ORDER BY x.o {self.way}"


def in_order(part: Set) -> bool:
    """Whether intervals are walked by place: there are many, on few lists."""
    return isinstance(part, Interval) and len(part.hashes) <= MANY_LISTS and part.size >= UNKNOWN_SIZE


def _said(part: Set, driver: Set) -> bool:
    """Whether what stands in an index of its type needs no look at the list of all."""
    return isinstance(part, Lists) and part.whole and isinstance(driver, Lists | Interval | Text)


def shortest(parts: Sequence[Set]) -> Set:
    """The set to walk: the one with the fewest members among those that can be listed."""
    return min((p for p in parts if walkable(p)), key=size)
