"""What both stores share: equipment, blocks of row numbers, marks, list lengths, the dictionary already seen.

FHIR R4 RESTful API (https://hl7.org/fhir/R4/http.html).
"""

import logging
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import Any

from fhir_server.at_rest import PlainSealer, Sealer
from fhir_server.store.hashing import Hasher
from fhir_server.store.model import DatabaseError, MarkMissed, Parameter
from fhir_server.store.parameters import StoredParameters
from fhir_server.store.threads import after_fork
from resources.errors import FhirError
from resources.repository import Mark
from resources.search_param.terms import DictionaryEntry

STATISTICS_EVERY = 180.0
"""Seconds between two looks at the list lengths."""
MOST_SEEN = 20_000
"""Entries of the dictionary a process remembers to be stored; one takes about 500 bytes. Beyond, it begins anew."""
_NAMED = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")
log = logging.getLogger(__name__)


class BaseStore:
    """See session.Store."""

    dialect: str

    def __init__(self, url: str, key: bytes | None, sealer: Sealer | None, timeout: float) -> None:
        self.url = url
        self.timeout = timeout
        self.sealer: Sealer = sealer or PlainSealer()
        self._hasher = Hasher(key) if key else None
        self._guard = threading.Lock()
        self._rids: list[tuple[int, int]] = []
        self._marks: dict[str, tuple[str, list[str]]] = {}
        self._lengths: dict[int, int] = {}
        self._lengths_at = -STATISTICS_EVERY
        self._seen: dict[int, set[DictionaryEntry]] = {}
        self.parameters = StoredParameters(self)
        after_fork(self)

    @property
    def hasher(self) -> Hasher:
        """Raises RuntimeError before the store is equipped with its hash key."""
        if self._hasher is None:
            raise RuntimeError("the store has no hash key yet; call equip() first")
        return self._hasher

    def equip(self, key: bytes, sealer: Sealer | None = None) -> None:
        self._hasher = Hasher(key)
        self.sealer = sealer or self.sealer

    # --- numbers of new rows

    def take_rids(self, count: int, block: Callable[[], tuple[int, int]]) -> list[int]:
        """``count`` numbers from the blocks of this process; ``block`` fetches another [first, end)."""
        taken: list[int] = []
        while len(taken) < count:
            with self._guard:
                span = self._rids.pop() if self._rids else None
            first, end = span or block()
            stop = min(end, first + count - len(taken))
            taken += range(first, stop)
            if stop < end:
                with self._guard:
                    self._rids.append((stop, end))
        return taken

    def forked(self) -> None:
        """In a child process: it must not give out the numbers its parent holds."""
        self._guard = threading.Lock()
        self._rids = []

    # --- marks

    def register_mark(self, name: str, sql: str) -> None:
        names: list[str] = []

        def number(match: "re.Match[str]") -> str:
            if match[1] not in names:
                names.append(match[1])
            return f"${names.index(match[1]) + 1}"

        self._marks[name] = (_NAMED.sub(number, sql), names)

    def run_mark(self, query: Callable[[str, Sequence[Parameter]], Sequence[Any]], mark: Mark) -> None:
        """Run ``mark`` by ``query``. Raises MarkMissed when it returns other rows than it must."""
        rows = query(*self.mark_statement(mark))
        if mark.rows is not None and len(rows) != mark.rows:
            raise MarkMissed(mark.name)

    def mark_statement(self, mark: Mark) -> tuple[str, list[Parameter]]:
        """The statement and parameters of ``mark``. Raises KeyError for a name nobody registered."""
        sql, names = self._marks[mark.name]
        return sql, [mark.params[name] for name in names]

    # --- dictionary

    def unseen(self, tenant: int, entries: Iterable[DictionaryEntry]) -> set[DictionaryEntry]:
        """Those that this process has not yet seen committed."""
        return set(entries) - self._seen.get(tenant, set())

    def saw(self, tenant: int, entries: Iterable[DictionaryEntry]) -> None:
        """``entries`` are committed."""
        seen = self._seen.setdefault(tenant, set())
        if len(seen) > MOST_SEEN:
            seen = self._seen[tenant] = set()
        seen.update(entries)

    # --- upkeep

    def most_common(self, h: int) -> int | None:
        if monotonic() - self._lengths_at > STATISTICS_EVERY:
            self._lengths_at = monotonic()  # first, so that other threads do not look too
            self._quietly(self.refresh_statistics)
        return self._lengths.get(h)

    def refresh_statistics(self) -> None:
        self._lengths_at = monotonic()
        self._lengths = self._read_lengths()
        self._upkeep()

    def _quietly(self, task: Callable[[], None]) -> None:
        try:
            task()
        except (FhirError, DatabaseError) as error:  # old lengths are good enough for the query in hand
            log.warning("list lengths could not be read: %s", type(error).__name__)

    def _read_lengths(self) -> dict[int, int]:
        return {}

    def _upkeep(self) -> None:
        return

    def migrate(self, packages: Mapping[str, Sequence[Any]] | None = None) -> list[str]:
        from fhir_server.store import migrate  # SQLAlchemy is loaded only when the schema is in question

        engine = migrate.engine_for(self._migration_url())
        try:
            applied = migrate.migrate(engine, packages or {})
        finally:
            engine.dispose()
        self._upkeep()
        return applied

    def pending(self, packages: Mapping[str, Sequence[Any]] | None = None) -> list[str]:
        from fhir_server.store import migrate

        engine = migrate.engine_for(self._migration_url())
        try:
            return migrate.pending(engine, packages or {})
        finally:
            engine.dispose()

    def _migration_url(self) -> str:
        return self.url
