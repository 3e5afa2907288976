"""Transactions at once: rules that each keeps alone must hold for all of them together."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from fhir_server.repository import BoundRepository, Services
from resources import json_codec
from resources.errors import FhirError
from resources.repository import WHOLE_RECORD, Caller, Command, Create, Delete, Find, Patch, Put, Read, SearchRequest

THREADS, ROUNDS = 4, 8
Entries = Callable[[str, int], Sequence[Command]]


def organization(key: str) -> dict[str, Any]:
    return {"resourceType": "Organization", "name": key, "identifier": [{"system": "urn:k", "value": key}]}


def at_once(services: Services, work: Callable[[BoundRepository, int, int], None]) -> None:
    """``work(repository, thread, round)`` in all threads, round by round; refusals are fine."""
    barrier = threading.Barrier(THREADS, timeout=60)
    broken: list[BaseException] = []

    def run(number: int) -> None:
        repository = BoundRepository(services, Caller(f"thread {number}", grants=WHOLE_RECORD))
        try:
            for turn in range(ROUNDS):
                barrier.wait()
                work(repository, number, turn)
        except BaseException as error:  # noqa: BLE001 raised again below
            broken.append(error)
            barrier.abort()
        finally:
            services.store.session().close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if broken:
        raise broken[0]


def done(repository: BoundRepository, commands: Sequence[Command]) -> bool:
    try:
        repository.commit(commands, bundled=True)
    except FhirError as error:
        assert error.status < 500
        return False
    return True


def found(repository: BoundRepository, type: str, *params: tuple[str, str]) -> int:
    return len(repository.search(SearchRequest(type, params)).hits)


def test_one_of_two_stays(services: Services, repository: BoundRepository) -> None:
    def work(mine: BoundRepository, thread: int, turn: int) -> None:
        keep, drop = (f"{turn}{side}" for side in ("ab" if thread % 2 else "ba"))
        hits = mine.search(SearchRequest("Organization", (("identifier", f"urn:k|{drop}"),))).hits
        ensure = Create(organization(keep), if_none_exist=f"identifier=urn:k|{keep}")
        done(mine, [ensure, *(Delete("Organization", hit.version.id) for hit in hits)])

    for turn in range(ROUNDS):
        repository.commit([Create(organization(f"{turn}a")), Create(organization(f"{turn}b"))])
    at_once(services, work)
    for turn in range(ROUNDS):
        assert found(repository, "Organization", ("identifier", f"urn:k|{turn}a,urn:k|{turn}b"))


def one_or_other(number: int, turn: int) -> list[Command]:
    """A location unless there is one, and a device: or the other way round."""
    location = {"resourceType": "Location", "name": f"n{turn}x"}
    device = {"resourceType": "Device", "deviceName": [{"name": f"n{turn}x", "type": "other"}]}
    if number % 2:
        return [Create(location, if_none_exist=f"name=n{turn}x"), Create(device)]
    return [Create(device, if_none_exist=f"device-name=n{turn}x"), Create(location)]


def one_or_patched(number: int, turn: int) -> list[Command]:
    """A location with a key unless there is one, and a device that is given the other key: or the other way round."""
    mine, other = (f"{turn}{side}" for side in ("ab" if number % 2 else "ba"))
    key = [{"system": "urn:k", "value": other}]
    location = {"resourceType": "Location", "identifier": [{"system": "urn:k", "value": mine}]}
    ensure = Create(location, if_none_exist=f"identifier=urn:k|{mine}")
    return [ensure, Patch("Location", lambda resource: resource | {"identifier": key}, f"p{number}-{turn}")]


@pytest.mark.parametrize("commands", [one_or_other, one_or_patched])
def test_what_others_bring_is_seen(
    services: Services, repository: BoundRepository, commands: Callable[[int, int], list[Command]]
) -> None:
    counts = [0] * ROUNDS
    patched = commands is one_or_patched
    for turn in range(ROUNDS if patched else 0):
        names = [f"p{n}-{turn}" for n in range(THREADS)]
        repository.commit([Put({"resourceType": "Location", "id": name}, "Location", name) for name in names])
    guard = threading.Lock()

    def work(mine: BoundRepository, thread: int, turn: int) -> None:
        if done(mine, commands(thread, turn)):
            with guard:
                counts[turn] += 1

    at_once(services, work)
    for turn, count in enumerate(counts):
        keyed = found(repository, "Location", ("identifier", f"urn:k|{turn}a,urn:k|{turn}b"))
        named = found(repository, "Location", ("name", f"n{turn}x")) + found(
            repository, "Device", ("device-name", f"n{turn}x")
        )
        assert (keyed if patched else named) == count + 1


def test_reads_of_a_transaction_are_of_one_moment(services: Services, repository: BoundRepository) -> None:
    def basic(id: str, value: int) -> Put:
        extension = [{"url": "http://example.org/v", "valueInteger": value}]
        resource = {"resourceType": "Basic", "id": id, "code": {"text": "x"}, "extension": extension}
        return Put(resource, "Basic", id)

    ids = ["a", "b", "c"]
    repository.commit([basic(id, 0) for id in ids])

    def work(mine: BoundRepository, thread: int, turn: int) -> None:
        if thread % 2:
            done(mine, [basic(id, thread * 100 + turn) for id in ids])
            return
        found = SearchRequest("Basic", ())
        for commands in ([Read("Basic", id) for id in ids], [Find(found)]):
            outcomes = mine.commit(commands, bundled=True)
            versions = [o.version for o in outcomes if o.version]
            versions += [hit.version for o in outcomes if o.page for hit in o.page.hits]
            docs = [json_codec.decode(version.doc) for version in versions]
            assert len({doc["extension"][0]["valueInteger"] for doc in docs}) == 1

    at_once(services, work)
