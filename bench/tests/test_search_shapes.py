"""The first page of every published search is the beginning of the set that it is a page of, however it is walked."""

import pytest

from bench import scaled
from bench.search_shapes import CALLER, known, w3
from fhir_server.search import execute
from fhir_server.search.engine import _Search
from fhir_server.search.query import parse
from fhir_server.search.tests.record import Record
from fhir_server.store import Store, search_sql
from fhir_server.store.search_sets import Span


@pytest.mark.parametrize("many", [0, 16])
def test_pages_are_the_beginning_of_the_set(store: Store, monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    """With few rows counted, so that what is long elsewhere is long here."""
    for module in (execute, search_sql):
        monkeypatch.setattr(module, "MANY_LISTS", many)
    monkeypatch.setattr(execute, "COUNTED", 5)
    monkeypatch.setattr(execute, "COLLECTED", 3)
    monkeypatch.setattr(execute, "WINDOWS", (5, 20))
    record = Record(store)
    for bundle in scaled.made()[:3]:
        scaled.store(record.session, bundle, "http://test/fhir")
    for shape in w3(known(record.engine, record.session)):
        request = shape.request
        query = parse(request, 50, 1000, "")
        search = _Search(record.engine, record.session, CALLER, request, query)
        near, far = search._set()
        sql = search.executor.sql()
        members = sorted((o for (o,) in record.session.query(sql.stream(near, Span(), None), sql.params)), reverse=True)
        assert search.executor.page(near, far, Span(), 6) == members[:6], shape.query
        assert search.executor.page(near, far, Span(), 6, False) == members[::-1][:6], shape.query
