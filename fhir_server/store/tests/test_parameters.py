"""Which stored search parameters are in force, as the database says and as a process knows it."""

import pytest

from fhir_server.store import OldRegistry, Store, Write, open_store
from fhir_server.store.parameter_sql import generation, states
from fhir_server.store.tests.stored_parameters import parameter, put, repository_on
from resources import json_codec
from resources.search_param import extract
from resources.search_param.registry import BUILT_IN, using


def test_a_database_without_any_is_the_specification(store: Store) -> None:
    assert store.parameters.registry() is BUILT_IN
    assert generation(store.session()) == (0, 0)


def test_each_version_raises_the_generation(store: Store) -> None:
    repository = repository_on(store)
    for n, status in enumerate(("draft", "active", "active", "retired"), 1):
        put(repository, parameter(status=status, description=f"version {n}"))
        assert generation(store.session()) == (n, n)
        assert [custom.id for custom in store.parameters.latest().customs] == (["colour"] if status == "active" else [])


def test_a_write_of_another_generation_is_refused(store: Store) -> None:
    put(repository_on(store), parameter())
    body = {"resourceType": "Patient", "id": "p1"}
    with using(BUILT_IN):
        write = Write("Patient", "p1", "PUT", 1, 1_700_000_000_000, json_codec.encode(body), extract(body))
    with pytest.raises(OldRegistry):
        store.session().write(write)
    with pytest.raises(OldRegistry):
        store.session().write_all([write])
    assert store.session().read("Patient", "p1") is None
    with store.parameters.pinned():
        assert store.session().write(write._replace(entries=extract(body)))


def test_of_two_by_one_code_the_older_is_in_force(store: Store) -> None:
    """As when both are stored at the same moment by two processes that know of neither."""
    repository = repository_on(store)
    put(repository, parameter(id="a", status="draft"), parameter(id="b", status="draft"))
    store.session().query("UPDATE parameter_generation SET applied = 0")
    for id in ("a", "b"):
        _damage(store, id, json_codec.encode(parameter(id=id)))
    fresh = _another(store)
    assert [custom.id for custom in fresh.parameters.latest().customs] == ["a"]
    fresh.close()


def _damage(store: Store, id: str, doc: bytes) -> None:
    """Write over a document, past everybody who would look at it."""
    sealed = store.sealer.seal(doc, "", 0)  # type: ignore[attr-defined]
    store.session().query("UPDATE resource SET doc = $1 WHERE id = $2", (sealed, id))
    store.session().query("UPDATE parameter_generation SET applied = 0")


def _another(store: Store) -> Store:
    """As another process opens it."""
    url: str = store.url  # type: ignore[attr-defined]
    return open_store(
        url if store.dialect == "postgresql" else f"sqlite:///{url}", key=b"hash key of the tests, 32 bytes."
    )


def test_what_cannot_be_read_is_left_out(store: Store) -> None:
    """One that an earlier release took, or that is damaged, keeps nobody from writing."""
    put(repository_on(store), parameter(status="draft"), parameter("hue", "string", "as code"))
    _damage(store, "colour", json_codec.encode({"resourceType": "SearchParameter", "status": "active", "base": 7}))
    fresh = _another(store)
    assert [custom.id for custom in fresh.parameters.latest().customs] == ["hue"]
    store.session().query("UPDATE resource SET doc = $1", (b"\xff damaged",))
    store.session().query("UPDATE parameter_generation SET applied = 0, generation = generation + 1")
    assert [custom.id for custom in _another(store).parameters.latest().customs] == ["hue"]  # as it was
    put(repository_on(fresh), {"resourceType": "Patient", "id": "p1"})
    assert [state.id for state in states(fresh.session())] == ["hue"]
    fresh.close()
