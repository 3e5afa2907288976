"""Transactions: FHIR order, links, conditions, and nothing of one that fails."""

from typing import Any

import pytest

from fhir_server.repository import BoundRepository, Services
from resources import json_codec
from resources.errors import (
    BusinessRule,
    Conflict,
    FhirError,
    Invalid,
    MultipleMatches,
    NotFound,
    PreconditionFailed,
    TooCostly,
)
from resources.repository import Create, Delete, Find, HistoryRequest, Mark, Patch, Put, Read, SearchRequest

PATIENT: dict[str, Any] = {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "7"}]}
CRITERIA = "identifier=urn:mrn|7"
URL = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"


def about(reference: str) -> dict[str, Any]:
    return {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": reference}}


def subject(repository: BoundRepository, id: str) -> str:
    return str(json_codec.decode(repository.read("Basic", id).doc)["subject"]["reference"])


def test_full_urls_become_references_whatever_the_order(repository: BoundRepository) -> None:
    basic, patient = repository.commit([Create(about(URL)), Create(PATIENT, full_url=URL)])
    assert basic.version and patient.version
    assert subject(repository, basic.version.id) == patient.version.reference


def test_links_in_narrative_and_uris_follow(repository: BoundRepository) -> None:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{URL}">who</a> {URL}</div>'
    extension = {"url": "http://example.org/e", "valueUri": URL}
    sent = about(URL) | {"text": {"status": "generated", "div": div}, "extension": [extension]}
    sent |= {"identifier": [{"value": URL}]}
    basic, patient = repository.commit([Create(sent), Create(PATIENT, full_url=URL)])
    assert basic.version and patient.version
    stored = json_codec.decode(basic.version.doc)
    assert f'href="{patient.version.reference}"' in stored["text"]["div"] and f" {URL}<" in stored["text"]["div"]
    assert stored["extension"][0]["valueUri"] == patient.version.reference
    assert stored["identifier"][0]["value"] == URL


def test_conditional_create_makes_one_and_then_finds_it(repository: BoundRepository) -> None:
    first, second, basic = repository.commit(
        [Create(PATIENT, CRITERIA, URL), Create(PATIENT, CRITERIA), Create(about(URL))]
    )
    assert (first.status, second.status) == (201, 200) and first.version == second.version
    assert first.version and basic.version and subject(repository, basic.version.id) == first.version.reference
    [third] = repository.commit([Create(PATIENT, CRITERIA)])
    assert third.status == 200 and not third.changed and third.version == first.version
    assert len(repository.search(SearchRequest("Patient", ())).hits) == 1


def test_a_conditional_update_that_may_only_create(repository: BoundRepository) -> None:
    named = Put(PATIENT | {"id": "p1"}, "Patient", criteria=CRITERIA, if_none_match=True)
    [made] = repository.commit([named])
    assert made.status == 201 and made.version and made.version.id == "p1"
    with pytest.raises(PreconditionFailed, match="asks for a create"):
        repository.commit([Put(PATIENT | {"id": "p2"}, "Patient", criteria=CRITERIA, if_none_match=True)])


def test_identifiers_select_as_criteria_do(repository: BoundRepository) -> None:
    either = (("urn:other", "1,|"), ("urn:mrn", "7"))
    [made] = repository.commit([Put(PATIENT | {"id": "p1"}, "Patient", identities=either, if_none_match=True)])
    assert made.version and made.version.id == "p1"
    with pytest.raises(PreconditionFailed, match="asks for a create"):
        repository.commit([Put(PATIENT | {"id": "p2"}, "Patient", identities=either, if_none_match=True)])
    [changed] = repository.commit([Put(PATIENT | {"active": True}, "Patient", identities=either)])
    assert changed.version and (changed.version.id, changed.version.version) == ("p1", 2)


def test_a_commit_of_marks_alone(repository: BoundRepository, services: Services) -> None:
    services.store.register_mark(
        "rise", "UPDATE schema_version SET version = version WHERE package = :name RETURNING 1"
    )
    assert repository.commit([], [Mark("rise", {"name": "store"})]) == []
    with pytest.raises(Conflict, match="worked out"):
        repository.commit([Create(PATIENT)], [Mark("rise", {"name": "nobody"}, rows=1)])
    assert repository.search(SearchRequest("Patient", ())).hits == ()


def test_conditional_references_are_resolved_or_all_named(repository: BoundRepository) -> None:
    repository.commit([Put(PATIENT, "Patient", "p1")])
    [basic, _] = repository.commit([Create(about(f"Patient?{CRITERIA}")), Create(about("Patient/p1"))])
    assert basic.version and subject(repository, basic.version.id) == "Patient/p1"
    with pytest.raises(BusinessRule) as unresolved:
        repository.commit([Create(about("Patient?identifier=x|1")), Create(about("Patient?identifier=x|2"))])
    assert [issue.expression for issue in unresolved.value.issues] == [
        "Bundle.entry[0].resource.subject.reference",
        "Bundle.entry[1].resource.subject.reference",
    ]


def test_an_unknown_urn_is_refused(repository: BoundRepository) -> None:
    with pytest.raises(BusinessRule, match="no entry"):
        repository.commit([Create(about(URL)), Create(PATIENT)])


def test_conditional_update_patch_and_delete(repository: BoundRepository) -> None:
    [made] = repository.commit([Put(PATIENT, "Patient", criteria=CRITERIA)])
    [changed] = repository.commit([Put(PATIENT | {"active": True}, "Patient", criteria=CRITERIA)])
    [patched] = repository.commit([Patch("Patient", lambda r: r | {"gender": "male"}, criteria=CRITERIA)])
    assert made.version and changed.version and patched.version
    assert (made.status, changed.status, patched.status) == (201, 200, 200)
    assert patched.version.id == made.version.id and patched.version.version == 3
    assert repository.commit([Delete("Patient", criteria=CRITERIA)])[0].status == 204
    assert repository.commit([Delete("Patient", criteria=CRITERIA)])[0].changed is False
    with pytest.raises(PreconditionFailed):
        repository.commit([Delete("Patient", criteria=CRITERIA, if_match=1)])
    with pytest.raises(NotFound):
        repository.commit([Patch("Patient", lambda r: r, criteria=CRITERIA)])


def test_more_than_one_match_is_refused(repository: BoundRepository) -> None:
    repository.commit([Create(PATIENT), Create(PATIENT)])
    for command in (
        Create(PATIENT, CRITERIA),
        Put(PATIENT, "Patient", criteria=CRITERIA),
        Delete("Patient", criteria=CRITERIA),
        Patch("Patient", lambda r: r, criteria=CRITERIA),
    ):
        with pytest.raises(MultipleMatches):
            repository.commit([command])


def test_criteria_that_select_nothing_are_refused(repository: BoundRepository) -> None:
    with pytest.raises(PreconditionFailed):
        repository.commit([Delete("Patient", criteria="identifier=")])


def test_the_body_id_must_fit_what_the_criteria_select(repository: BoundRepository) -> None:
    repository.commit([Put(PATIENT, "Patient", "p1")])
    with pytest.raises(Invalid, match="p1"):
        repository.commit([Put(PATIENT | {"id": "p2"}, "Patient", criteria=CRITERIA)])


def test_a_failure_anywhere_stores_nothing_and_names_the_entry(repository: BoundRepository) -> None:
    repository.commit([Put(PATIENT, "Patient", "p1")])
    before = len(repository.history(HistoryRequest()).versions)
    failing: list[tuple[list[Any], type[FhirError]]] = [
        ([Create(PATIENT), Create({"resourceType": "Patient", "gender": "x"})], Invalid),
        ([Create(PATIENT), Put(PATIENT, "Patient", "p1", if_match=9)], PreconditionFailed),
        ([Create(PATIENT), Create(about("Patient/absent"))], BusinessRule),
        ([Create(PATIENT), Patch("Patient", lambda r: r, "absent")], NotFound),
        ([Create(PATIENT), Read("Patient", "absent")], NotFound),
        ([Put(PATIENT, "Patient", "p1"), Delete("Patient", "p1")], Invalid),
    ]
    for commands, error in failing:
        with pytest.raises(error) as raised:
            repository.commit(commands)
        assert "Bundle.entry[1]" in str(raised.value)
    assert len(repository.history(HistoryRequest()).versions) == before


def test_target_and_referrer_may_go_together(repository: BoundRepository) -> None:
    repository.commit([Put(PATIENT, "Patient", "p1"), Put(about("Patient/p1"), "Basic", "b1")])
    with pytest.raises(Conflict):
        repository.commit([Delete("Patient", "p1"), Create(PATIENT)])
    outcomes = repository.commit([Delete("Patient", "p1"), Delete("Basic", "b1")])
    assert [outcome.status for outcome in outcomes] == [204, 204]


def test_reads_see_the_writes_of_their_transaction(repository: BoundRepository) -> None:
    search = SearchRequest("Patient", (("identifier", "urn:mrn|7"),))
    read, found, put = repository.commit([Read("Patient", "p1"), Find(search), Put(PATIENT, "Patient", "p1")])
    assert read.version == put.version and found.page and [h.version for h in found.page.hits] == [put.version]


def test_a_thousand_entries(repository: BoundRepository) -> None:
    outcomes = repository.commit([Create(PATIENT, full_url=URL)] + [Create(about(URL)) for _ in range(999)])
    assert {outcome.status for outcome in outcomes} == {201}


def test_what_fails_behind_the_writes_leaves_no_gap_in_the_trail(
    repository: BoundRepository, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit([Create(PATIENT), Create(PATIENT)])
    with monkeypatch.context() as small, pytest.raises(TooCostly):
        small.setattr("fhir_server.repository.transaction.MOST_READ", 1)
        repository.commit([Put(PATIENT | {"id": "p1"}, "Patient", "p1"), Read("Patient", "p1")])
    repository.commit([Create(PATIENT), Create(PATIENT)])
    rows = services.store.session().query("SELECT chain, count(*), max(n) FROM audit GROUP BY chain")
    assert [(count, count) for _, count, _ in rows] == [(count, n) for _, count, n in rows]
    assert sum(count for _, count, _ in rows) == 4
