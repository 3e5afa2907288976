"""No statement of search scans what grows: every published and every hard shape, history and value sets."""

from collections.abc import Iterator, Sequence

import pytest

from bench import scaled
from bench.plans import unbounded_postgresql, unbounded_sqlite
from bench.search_shapes import everything, known, run
from fhir_server.search.engine import SearchEngine
from fhir_server.search.tests.record import Record, two_charts
from fhir_server.store import Session, Store
from fhir_server.store.watch import Asked
from resources.errors import TooCostly


@pytest.fixture
def record(store: Store) -> Record:
    return two_charts(store)


def _asked(session: Session, engine: SearchEngine) -> Iterator[Asked]:
    """What all shapes and the histories ask of the database."""
    values = known(engine, session)
    with session.watched() as asked:
        for shape in everything(values):
            try:
                run(engine, session, shape)
            except TooCostly:
                continue
        session.history("Observation", count=20)
        session.history(count=20)
        session.history("Observation", count=20, since=1)
        session.history("Patient", values["patient"], count=20)
        session.read_many([("Patient", values["patient"])])
        session.referrers("Patient", values["patient"])
    yield from asked


def test_no_statement_scans_a_table(record: Record) -> None:
    session = record.session
    for bundle in scaled.made()[:6]:
        scaled.store(session, bundle, "http://test/fhir")
    asked: Sequence[Asked] = list(_asked(session, record.engine))
    assert len({each.sql for each in asked}) > 40
    if session.dialect == "sqlite":
        assert unbounded_sqlite(session, asked) == []
    else:
        assert unbounded_postgresql(record.engine.store.url, asked, small=True) == []


BAD = ("SELECT r.id FROM resource r WHERE r.op = $1", "SELECT q.o FROM rng q WHERE +q.h = $1 ORDER BY q.h LIMIT 1")


@pytest.mark.parametrize("sql", BAD)
def test_scans_are_seen(record: Record, sql: str) -> None:
    asked = [Asked(sql, ("1" if "op" in sql else 1,), 0, 0.0, False)]
    if record.session.dialect == "sqlite":
        assert unbounded_sqlite(record.session, asked)
    else:
        assert unbounded_postgresql(record.engine.store.url, asked, small=True)
