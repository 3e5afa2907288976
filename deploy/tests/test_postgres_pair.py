"""A primary with a standby that is waited for: what is said of it, and of a change when the standby is gone."""

from collections.abc import Iterator

import pytest

from conftest import HASH_KEY
from deploy.postgres_cluster import NoPostgres, stop
from deploy.postgres_pair import Pair, pair
from fhir_server.preparation import packages
from fhir_server.store import open_store, overdue
from fhir_server.store.durability import weaknesses
from fhir_server.store.tests.test_postgresql_write import create
from resources.errors import OutcomeUnknown


@pytest.fixture(scope="module")
def servers() -> Iterator[Pair]:
    try:
        with pair() as made:
            yield made
    except NoPostgres as error:
        pytest.skip(str(error))


def test_a_change_that_no_standby_confirms_is_unknown(servers: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overdue, "GRACE", 0.5)
    store = open_store(servers.url, key=HASH_KEY, timeout=1)
    store.migrate(packages())
    session = store.session()
    assert weaknesses(session) == []
    session.write(create("confirmed"))
    stop(servers.standby)
    [absent] = weaknesses(session)
    assert "no synchronous standby follows" in absent
    with pytest.raises(OutcomeUnknown, match="no standby"):
        session.write(create("alone"))
    with pytest.raises(OutcomeUnknown, match="no standby"), session.transaction():
        session.write_all([create("together")])
    assert session.read("Observation", "alone") and session.read("Observation", "together")
    store.close()
