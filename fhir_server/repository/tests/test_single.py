"""One command at a time: preconditions, patches, integrity, lost races."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fhir_server.repository import BoundRepository, Services
from resources import json_codec
from resources.errors import BusinessRule, Conflict, FhirError, Gone, NotFound, PreconditionFailed
from resources.repository import WHOLE_RECORD, Caller, Create, Delete, Patch, Put

PATIENT: dict[str, Any] = {"resourceType": "Patient"}


def test_update_creates_then_replaces_and_answers_which(repository: BoundRepository) -> None:
    assert [repository.commit([Put(PATIENT, "Patient", "p1")])[0].status for _ in range(2)] == [201, 200]
    repository.commit([Delete("Patient", "p1")])
    [again] = repository.commit([Put(PATIENT, "Patient", "p1")])
    assert again.status == 201 and again.version and again.version.version == 4


def test_if_match_and_if_none_match(repository: BoundRepository) -> None:
    repository.commit([Put(PATIENT, "Patient", "p1", if_none_match=True)])
    with pytest.raises(PreconditionFailed, match="exists"):
        repository.commit([Put(PATIENT, "Patient", "p1", if_none_match=True)])
    repository.commit([Put(PATIENT, "Patient", "p1", if_match=1)])
    for stale in (Put(PATIENT, "Patient", "p1", if_match=1), Delete("Patient", "p1", if_match=1)):
        with pytest.raises(PreconditionFailed, match='current version is W/"2"'):
            repository.commit([stale])
    with pytest.raises(PreconditionFailed, match="no current version"):
        repository.commit([Put(PATIENT, "Patient", "absent", if_match=1)])


def test_patch_changes_the_current_version_and_is_validated(repository: BoundRepository) -> None:
    repository.commit([Put(PATIENT, "Patient", "p1")])
    [done] = repository.commit([Patch("Patient", lambda r: r | {"gender": "female"}, "p1")])
    assert done.status == 200 and done.version and done.version.op == "PATCH"
    for bad in (lambda r: r | {"gender": "x"}, lambda r: r | {"id": "other"}):
        with pytest.raises(FhirError):
            repository.commit([Patch("Patient", bad, "p1")])
    with pytest.raises(NotFound):
        repository.commit([Patch("Patient", lambda r: r, "absent")])
    repository.commit([Delete("Patient", "p1")])
    with pytest.raises(Gone):
        repository.commit([Patch("Patient", lambda r: r, "p1")])


def test_deleting_twice_or_nothing_succeeds(repository: BoundRepository) -> None:
    repository.commit([Put(PATIENT, "Patient", "p1")])
    outcomes = [repository.commit([Delete("Patient", id)])[0] for id in ("p1", "p1", "absent")]
    assert [(o.status, o.changed) for o in outcomes] == [(204, True), (204, False), (204, False)]


def test_references_need_their_targets_and_targets_their_referrers_gone(repository: BoundRepository) -> None:
    basic = {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": "Patient/p1"}}
    with pytest.raises(BusinessRule) as absent:
        repository.commit([Create(basic)])
    assert absent.value.issues[0].expression == "Basic.subject.reference"
    repository.commit([Put(PATIENT, "Patient", "p1")])
    repository.commit([Put(basic, "Basic", "b1")])
    with pytest.raises(Conflict, match="Basic/b1"):
        repository.commit([Delete("Patient", "p1")])
    repository.commit([Delete("Basic", "b1")])
    assert repository.commit([Delete("Patient", "p1")])[0].status == 204


def test_a_conditional_reference_is_resolved_in_a_single_write_too(repository: BoundRepository) -> None:
    basic = {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": "Patient?identifier=a|b"}}
    with pytest.raises(BusinessRule, match="no resource meets it"):
        repository.commit([Create(basic)])
    repository.commit([Put(PATIENT | {"identifier": [{"system": "a", "value": "b"}]}, "Patient", "p1")])
    [made] = repository.commit([Create(basic)])
    assert made.version and json_codec.decode(made.version.doc)["subject"] == {"reference": "Patient/p1"}


def test_parallel_patches_are_all_applied(services: Services) -> None:
    BoundRepository(services, Caller("a", grants=WHOLE_RECORD)).commit([Put(PATIENT, "Patient", "p1")])

    def append(n: int) -> int:
        mine = BoundRepository(services, Caller("a", grants=WHOLE_RECORD))
        name = {"family": f"n{n}"}
        patch = Patch("Patient", lambda r: r | {"name": [*r.get("name", []), name]}, "p1")
        return mine.commit([patch])[0].status

    with ThreadPoolExecutor(3) as pool:
        statuses = list(pool.map(append, range(12)))
    doc = json_codec.decode(BoundRepository(services, Caller("a", grants=WHOLE_RECORD)).read("Patient", "p1").doc)
    assert statuses == [200] * 12 and {n["family"] for n in doc["name"]} == {f"n{n}" for n in range(12)}
