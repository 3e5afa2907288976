"""The record's changes in order, for followers."""

from fhir_server.audit.record import AuditRecord
from fhir_server.repository import BoundRepository, Services
from resources.repository import Caller, Create, Delete, Grant, Grants, Put, Version

TYPES = ("Patient", "Observation")


def patient(name: str) -> dict[str, object]:
    return {"resourceType": "Patient", "name": [{"family": name}]}


def made(repository: BoundRepository, name: str) -> Version:
    version = repository.commit([Create(patient(name))])[0].version
    assert version
    return version


def test_each_changed_resource_comes_once_as_it_is_now(repository: BoundRepository) -> None:
    one, two = made(repository, "one"), made(repository, "two")
    repository.commit([Put({**patient("uno"), "id": one.id}, "Patient", one.id)])
    versions, position = repository.changes(TYPES, 0, 10)
    assert [(v.id, v.version) for v in versions] == [(two.id, 1), (one.id, 2)]
    assert repository.changes(TYPES, position, 10) == ([], position)
    repository.commit([Delete("Patient", two.id)])
    versions, _ = repository.changes(TYPES, position, 10)
    assert [(v.id, v.deleted) for v in versions] == [(two.id, True)]


def test_many_come_in_parts_and_none_is_missed(repository: BoundRepository) -> None:
    ids = [made(repository, str(n)).id for n in range(7)]
    found: list[str] = []
    position = 0
    while len(found) < len(ids):
        versions, position = repository.changes(TYPES, position, 3)
        found += [version.id for version in versions]
    assert found == ids


def test_a_confined_caller_follows_only_what_it_sees(services: Services, repository: BoundRepository) -> None:
    one, _ = made(repository, "one"), made(repository, "two")
    confined = Caller("Patient/x", grants=Grants([Grant("Patient", "rs", compartment=("Patient", one.id))]))
    versions, _ = BoundRepository(services, confined).changes(["Patient"], 0, 10)
    assert [version.id for version in versions] == [one.id]


def test_following_is_audited_when_something_came(repository: BoundRepository, noted: list[AuditRecord]) -> None:
    made(repository, "one")
    noted.clear()
    _, position = repository.changes(TYPES, 0, 10)
    assert noted
    noted.clear()
    repository.changes(TYPES, position, 10)
    assert not noted
