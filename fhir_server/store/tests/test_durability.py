"""What is said of a database whose answers may be lost."""

import pytest

from fhir_server.store import Store
from fhir_server.store.durability import weaknesses


def test_a_file_has_no_standby_to_speak_of(store: Store) -> None:
    if store.dialect == "sqlite":
        assert weaknesses(store.session()) == []


@pytest.mark.parametrize("value", ["off", "local", "remote_write"])
def test_commits_that_wait_for_less_are_named(store: Store, value: str) -> None:
    if store.dialect == "sqlite":
        pytest.skip("a file has no standby")
    store.session().query("SELECT set_config('synchronous_commit', $1, false)", (value,))
    commit, *others = weaknesses(store.session())
    assert commit.startswith(f"synchronous_commit = {value}: ") and "lost" in commit
    assert [each.partition(":")[0] for each in others] == ["synchronous_standby_names = empty"]
