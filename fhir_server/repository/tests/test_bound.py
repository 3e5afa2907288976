"""The repository as its callers see it: answers, errors, and an audit record for each."""

import pytest

from fhir_server.audit.record import AuditRecord, Interaction, Outcome
from fhir_server.repository import BoundRepository, Services
from resources import json_codec
from resources.errors import BadSearch, Forbidden, Gone, Invalid, MethodNotAllowed, NotFound, PreconditionFailed
from resources.repository import Caller, Create, Delete, Grant, Grants, HistoryRequest, Patch, Put, SearchRequest

PATIENT = {"resourceType": "Patient", "name": [{"family": "Okafor"}]}


def test_a_created_resource_is_read_searched_and_audited(repository: BoundRepository, noted: list[AuditRecord]) -> None:
    [made] = repository.commit([Create(PATIENT)])
    assert made.status == 201 and made.version
    read = repository.read("Patient", made.version.id)
    assert read == made.version
    page = repository.search(SearchRequest("Patient", (("name", "okafor"),)))
    assert [hit.version for hit in page.hits] == [read]
    assert [(r.interaction, r.patient) for r in noted] == [
        (Interaction.READ, f"Patient/{read.id}"),
        (Interaction.SEARCH_TYPE, f"Patient/{read.id}"),
    ]
    rows = repository._services.store.session().query("SELECT interaction, entity, patient FROM audit")
    assert rows == [("create", f"Patient/{read.id}/_history/1", f"Patient/{read.id}")]


def test_a_search_is_noted_for_each_patient_it_shows(repository: BoundRepository, noted: list[AuditRecord]) -> None:
    def about(id: str, of: str) -> Put:
        subject = {"reference": f"Patient/{of}"}
        return Put({"resourceType": "Condition", "subject": subject}, "Condition", id)

    for command in (*(Put(PATIENT, "Patient", id) for id in "ab"), about("1", "a"), about("2", "a"), about("3", "b")):
        repository.commit([command])
    noted.clear()
    repository.search(SearchRequest("Condition", (("_count", "9"),)))
    repository.search(SearchRequest("Condition", (("_id", "1"), ("_include", "Condition:subject"))))
    repository.search(SearchRequest("Patient", (("_id", "b"), ("_revinclude", "Condition:patient"))))
    repository.search(SearchRequest("Condition", (("_id", "4"),)))
    assert [record.patient for record in noted] == ["Patient/a", "Patient/b", "Patient/a", "Patient/b", ""]


def test_what_has_identifiers_is_found_in_one_look_and_noted_for_each_patient(
    repository: BoundRepository, noted: list[AuditRecord]
) -> None:
    def one(type: str, id: str, *values: str) -> Put:
        return Put({"resourceType": type, "identifier": [{"system": "urn:a|b", "value": v} for v in values]}, type, id)

    for command in (one("Patient", "a", "1,2", "3"), one("Patient", "b", "3"), one("Device", "c", "3"), *"de"):
        repository.commit([command if isinstance(command, Put) else one("Device", command, "4")])
    repository.commit([Delete("Device", "e")])
    repository.commit([one("Device", "d", "5")])
    noted.clear()
    wanted = [(type, "urn:a|b", value) for type, value in (("Patient", "1,2"), ("Patient", "3"), ("Device", "4"))]
    found = repository.identified(wanted, [("Device", "c"), ("Device", "e"), ("Device", "never"), ("Patient", "b")])
    assert sorted(each.reference for each in found) == ["Device/c", "Patient/a", "Patient/b"]
    assert [(r.interaction, r.patient) for r in noted] == [
        (Interaction.SEARCH_SYSTEM, "Patient/a"),
        (Interaction.SEARCH_SYSTEM, "Patient/b"),
    ]
    assert noted[0].detail.startswith("Patient.identifier=urn:a|b|1,2,urn:a|b|3&Device.identifier=urn:a|b|4&Device._id")
    assert repository.identified([]) == [] and repository.identified([("Patient", "urn:a", "3")]) == []
    with pytest.raises(BadSearch):
        repository.identified([("Provenance", "urn:a", "3")])
    assert noted[-1].outcome == Outcome.MINOR


def test_how_something_stands_is_told_without_a_trace_and_only_to_who_may_see_it(
    repository: BoundRepository, noted: list[AuditRecord]
) -> None:
    for id, active in (("a", True), ("b", True), ("b", False)):
        repository.commit([Put(PATIENT | {"active": active}, "Patient", id)])
    repository.commit([Delete("Patient", "a")])
    noted.clear()
    names = [("Patient", id) for id in "abc"]
    assert repository.standing(names) == {("Patient", "b"): 2}
    assert repository.standing([]) == {} and noted == []
    stranger = BoundRepository(repository._services, Caller("x", grants=Grants((Grant("Consent", "rs"),))))
    with pytest.raises(Forbidden):
        stranger.standing(names)
    assert [each.outcome for each in noted] == [Outcome.MINOR]


def test_the_document_carries_identity_and_keeps_everything_else(repository: BoundRepository) -> None:
    sent = json_codec.decode(b'{"resourceType":"Observation","meta":{"profile":["urn:p"]},"status":"final",'
                             b'"code":{"text":"x"},"valueQuantity":{"value":1.00}}')  # fmt: skip
    [made] = repository.commit([Create(sent)])
    assert made.version and b'"value":1.00' in made.version.doc
    stored = json_codec.decode(made.version.doc)
    assert stored["meta"]["profile"] == ["urn:p"] and stored["meta"]["versionId"] == "1"
    assert list(stored)[:3] == ["resourceType", "id", "meta"]


def test_what_is_absent_and_what_is_deleted_are_told_apart(
    repository: BoundRepository, noted: list[AuditRecord]
) -> None:
    with pytest.raises(NotFound):
        repository.read("Patient", "never")
    [made] = repository.commit([Create(PATIENT)])
    assert made.version
    repository.commit([Delete("Patient", made.version.id)])
    with pytest.raises(Gone):
        repository.read("Patient", made.version.id)
    with pytest.raises(Gone):
        repository.vread("Patient", made.version.id, 2)
    assert repository.vread("Patient", made.version.id, 1) == made.version
    refused = [(record.outcome, record.detail) for record in noted if record.outcome]
    assert refused == [(Outcome.MINOR, "not-found"), (Outcome.MINOR, "deleted"), (Outcome.MINOR, "deleted")]


def test_a_refused_write_is_told_as_what_was_tried(repository: BoundRepository, noted: list[AuditRecord]) -> None:
    repository.commit([Put(PATIENT, "Patient", "p1")])
    with pytest.raises(PreconditionFailed):
        repository.commit([Delete("Patient", "p1", if_match=7)])
    with pytest.raises(NotFound):
        repository.commit([Patch("Patient", dict, "p2")])
    with pytest.raises(Invalid):
        repository.commit([Create({"resourceType": "Patient", "gender": 1})])
    with pytest.raises(Invalid):
        repository.commit([Put({"resourceType": "Patient", "gender": 1}, "Patient", "p1"), Delete("Patient", "p3")])
    assert [(record.interaction, record.entity) for record in noted if record.outcome] == [
        (Interaction.DELETE, "Patient/p1"),
        (Interaction.PATCH, "Patient/p2"),
        (Interaction.CREATE, "Patient"),
        (Interaction.TRANSACTION, ""),
    ]


def test_history_tells_every_version_newest_first(repository: BoundRepository) -> None:
    repository.commit([Put(PATIENT, "Patient", "p1")])
    repository.commit([Put(PATIENT | {"active": True}, "Patient", "p1")])
    repository.commit([Delete("Patient", "p1")])
    page = repository.history(HistoryRequest("Patient", "p1", count=2))
    assert [(v.version, v.op) for v in page.versions] == [(3, "DELETE"), (2, "PUT")] and page.total == 3
    rest = repository.history(HistoryRequest("Patient", "p1", count=2, cursor=page.next))
    assert [v.version for v in rest.versions] == [1] and rest.next == ""
    with pytest.raises(NotFound):
        repository.history(HistoryRequest("Patient", "never"))


def test_an_invalid_resource_stores_nothing(repository: BoundRepository) -> None:
    with pytest.raises(Invalid):
        repository.commit([Create({"resourceType": "Patient", "gender": "none of these"})])
    assert repository.history(HistoryRequest()).versions == ()


def test_absolute_references_to_this_server_become_relative(repository: BoundRepository, services: Services) -> None:
    repository.commit([Put(PATIENT, "Patient", "p1")])
    sent = {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": f"{services.base}/Patient/p1"}}
    [made] = repository.commit([Create(sent)])
    assert made.version and json_codec.decode(made.version.doc)["subject"] == {"reference": "Patient/p1"}
    assert repository.search(SearchRequest("Basic", (("subject", "Patient/p1"),))).hits


def test_audit_events_are_not_written_by_clients(repository: BoundRepository) -> None:
    with pytest.raises(MethodNotAllowed):
        repository.commit([Create({"resourceType": "AuditEvent"})])
