"""Fixtures of this package's tests: a real journal on SQLite and then on PostgreSQL."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from hl7_bridge.journal import Sealing, SqlJournal
from hl7_bridge.ports import Incoming

KEY = b"hash key of the tests, 32 bytes."


class Clock:
    """Milliseconds that pass when told."""

    def __init__(self) -> None:
        self.now = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += int(seconds * 1000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def journal_url(database_url: str) -> str:
    """URL of a database with the bridge's tables, on SQLite and then on PostgreSQL."""
    return database_url


@pytest.fixture
def journals(journal_url: str, clock: Clock) -> Iterator[Callable[..., SqlJournal]]:
    """Makes journals over one database, as several nodes have them."""
    made: list[SqlJournal] = []

    def make(sealing: Sealing | None = None) -> SqlJournal:
        made.append(SqlJournal(journal_url, sealing or Sealing(KEY), now=clock))
        return made[-1]

    yield make
    for journal in made:
        journal.close()


@pytest.fixture
def journal(journals: Callable[..., SqlJournal]) -> SqlJournal:
    return journals()


@pytest.fixture
def rows(journal_url: str) -> Iterator[Callable[..., list[Any]]]:
    """Runs SQL on the journal's database beside it."""
    engine = sa.create_engine(journal_url.replace("postgresql://", "postgresql+psycopg://"))

    def run(sql: str, **params: Any) -> list[Any]:
        with engine.begin() as connection:
            result = connection.execute(sa.text(sql), params)
            return list(result) if result.returns_rows else []

    yield run
    engine.dispose()


@pytest.fixture
def message() -> Callable[..., Incoming]:
    """Makes an Incoming of patient 1 unless told otherwise."""

    def make(control_id: str = "1", text: str = "", **more: Any) -> Incoming:
        raw = f"MSH|^~\\&|LAB|A|||2026||ORU^R01|{control_id}|P|2.5.1\rPID|||1\r{text}".encode(errors="replace")
        given: dict[str, Any] = {"sender": "lab", "received": 1_700_000_000_000, "lanes": ("A|1",), "patient": "1"}
        given |= more
        return Incoming(raw=raw, control_id=control_id, type="ORU", event="R01", version="2.5.1", **given)

    return make
