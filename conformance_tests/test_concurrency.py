"""Interactions at the same time: no duplicate, no lost update, no 500."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from conformance_tests.client import SYSTEM, Client, Json, reference
from conformance_tests.examples import encounter, entry, observation, patient

requirement = pytest.mark.requirement
_CLIENTS = 8


def at_once(work: Callable[[int], int]) -> Counter[int]:
    """How often each status came of ``work`` done by all clients at the same time."""
    with ThreadPoolExecutor(_CLIENTS) as pool:
        return Counter(pool.map(work, range(_CLIENTS)))


@requirement("http.html#ccreate")
def test_conditional_creates_at_once_make_one_resource(fhir: Client, tag: str) -> None:
    criteria = f"identifier={SYSTEM}|{tag}"

    def create(_: int) -> int:
        return fhir.post("Patient", patient(tag), If_None_Exist=criteria, expect=(200, 201, 409, 412)).status_code

    assert at_once(create)[201] == 1
    assert len(fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}"})) == 1


@requirement("http.html#cond-update")
def test_conditional_updates_at_once_make_one_resource(fhir: Client, tag: str) -> None:
    query = {"identifier": f"{SYSTEM}|{tag}"}

    def update(_: int) -> int:
        return fhir.put("Patient", patient(tag), query=query, expect=(200, 201, 409, 412)).status_code

    assert at_once(update)[201] == 1
    assert len(fhir.found("Patient", query)) == 1


@requirement("http.html#concurrency")
def test_updates_with_if_match_at_once_lose_none(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))

    def update(number: int) -> int:
        body = made | {"multipleBirthInteger": number}
        return fhir.put(reference(made), body, If_Match='W/"1"', expect=(200, 409, 412)).status_code

    assert at_once(update)[200] == 1
    assert fhir.get(reference(made)).headers["etag"] == 'W/"2"'


@requirement("http.html#concurrency")
def test_plain_updates_at_once_make_a_version_each(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))

    def update(number: int) -> int:
        return fhir.put(reference(made), made | {"multipleBirthInteger": number}, expect=(200, 409)).status_code

    done = at_once(update)[200]
    versions = fhir.get(f"{reference(made)}/_history").json()["entry"]
    assert [each["resource"]["meta"]["versionId"] for each in versions] == [str(n) for n in range(done + 1, 0, -1)]


@requirement("http.html#transaction")
def test_transactions_that_share_resources_end_or_are_refused_whole(fhir: Client, tag: str) -> None:
    shared = [fhir.create(patient(f"{tag}-{n}")) for n in range(3)]

    def transact(number: int) -> int:
        # Each in another order: whoever locks as the entries come would block the others for good.
        order = shared[number % 3 :] + shared[: number % 3]
        updates = [entry("PUT", reference(each), each | {"multipleBirthInteger": number}) for each in order]
        visit = entry("POST", "Encounter", encounter(reference(order[0])))
        weight = entry("POST", "Observation", observation(reference(order[1]), tag))
        body: Json = {"resourceType": "Bundle", "type": "transaction", "entry": [*updates, visit, weight]}
        return fhir.post("", body, expect=(200, 409, 412)).status_code

    done = at_once(transact)[200]
    assert done
    assert len(fhir.found("Observation", {"identifier": f"{SYSTEM}|{tag}"})) == done
    last = {fhir.get(reference(each)).json()["multipleBirthInteger"] for each in shared}
    assert len(last) == 1


@requirement("http.html#delete")
def test_a_reference_and_the_delete_of_its_target_at_once(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))

    def race(number: int) -> int:
        if number % 2:
            return fhir.delete(reference(made), expect=(204, 409)).status_code
        body = observation(reference(made), tag)
        return fhir.post("Observation", body, expect=(201, 400, 409, 422)).status_code

    at_once(race)
    there = fhir.get(reference(made), expect=(200, 410)).status_code == 200
    referring = fhir.found("Observation", {"identifier": f"{SYSTEM}|{tag}"})
    assert there or not referring
