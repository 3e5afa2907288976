"""Writers on SQLite: those of one process wait for each other, not longer than a statement may take."""

import threading
from pathlib import Path

import pytest

from fhir_server.store import Store, Write, open_store
from resources.errors import Unavailable
from resources.search_param.terms import Entries

NONE = Entries((), (), (), (), None, False, "", ())


def _store(folder: Path, timeout: float) -> Store:
    store = open_store(f"sqlite:///{folder / 'x.sqlite'}", key=b"k" * 32, timeout=timeout)
    store.migrate()
    return store


def _create(store: Store, id: str) -> None:
    store.session().write(Write("Basic", id, "PUT", 1, 1, b"{}", NONE))


def _elsewhere(work: object, *arguments: object) -> list[BaseException]:
    """What ``work`` raised in a thread of its own."""
    raised: list[BaseException] = []

    def body() -> None:
        try:
            work(*arguments)  # type: ignore[operator]
        except Unavailable as error:
            raised.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join(30)
    return raised


def test_a_writer_is_told_when_another_does_not_end(tmp_path: Path) -> None:
    store = _store(tmp_path, timeout=0.2)
    with store.session().transaction():
        assert _elsewhere(_create, store, "1")
    assert not _elsewhere(_create, store, "2")


def test_a_transaction_that_failed_lets_the_next_one_in(tmp_path: Path) -> None:
    store = _store(tmp_path, timeout=5)
    with pytest.raises(KeyError), store.session().transaction():
        raise KeyError
    assert not _elsewhere(_create, store, "1")


def test_writers_of_several_threads_lose_nothing(tmp_path: Path) -> None:
    store = _store(tmp_path, timeout=30)
    threads = [
        threading.Thread(target=lambda n=n: [_create(store, f"{n}-{i}") for i in range(25)])  # type: ignore[misc]
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.session().query("SELECT count(*) FROM resource") == [(100,)]
