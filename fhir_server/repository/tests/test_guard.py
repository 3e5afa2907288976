"""What a caller confined to one patient may read and change; everybody else's is as if it never was."""

from collections.abc import Callable
from typing import Any

import pytest

from fhir_server.audit.record import AuditRecord
from fhir_server.repository import BoundRepository, Services
from resources import json_codec
from resources.errors import (
    BusinessRule,
    Conflict,
    FhirError,
    Forbidden,
    Gone,
    NotFound,
    PreconditionFailed,
)
from resources.repository import (
    WHOLE_RECORD,
    Caller,
    Create,
    Delete,
    Find,
    Grant,
    Grants,
    HistoryRequest,
    Outcome,
    Patch,
    Put,
    Read,
    SearchRequest,
)

ANN = ("Patient", "ann")


def caller(*grants: Grant) -> Caller:
    return Caller("Patient/ann", "app", grants=Grants(grants))


ALL_OF_ANN = caller(Grant("*", "cruds", compartment=ANN, confidential=True))
STAFF = caller(Grant("*", "cruds"))


def observation(of: str, id: str = "", **more: Any) -> dict[str, Any]:
    named = {"id": id} if id else {}
    return {
        "resourceType": "Observation", **named, "status": "final", "code": {"text": "x"},
        "subject": {"reference": f"Patient/{of}"}, **more,
    }  # fmt: skip


@pytest.fixture
def whole(services: Services) -> BoundRepository:
    made = BoundRepository(services, Caller("open", grants=WHOLE_RECORD))
    for id in ("ann", "bob"):
        made.commit([Put({"resourceType": "Patient", "id": id}, "Patient", id)])
        made.commit([Put(observation(id, f"o-{id}"), "Observation", f"o-{id}")])
    return made


@pytest.fixture
def ann(services: Services, whole: BoundRepository) -> BoundRepository:
    return BoundRepository(services, ALL_OF_ANN)


def refusal(act: Callable[[], Any], *names: str) -> tuple[type, str]:
    """The error of ``act`` with ``names`` taken out of its text."""
    with pytest.raises(FhirError) as caught:
        act()
    text = str([issue.as_fhir() for issue in caught.value.issues])
    for name in names:
        text = text.replace(name, "ID")
    return type(caught.value), text


def same(act: Callable[[str], Callable[[], Any]], foreign: str, absent: str) -> type:
    """The kind of error that both give, word for word but for the name."""
    one, other = refusal(act(foreign), foreign), refusal(act(absent), absent)
    assert one == other
    return one[0]


def moved(of: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda resource: {**resource, "subject": {"reference": f"Patient/{of}"}}


ABSENT: dict[str, tuple[Callable[[BoundRepository, str], Any], type]] = {
    "read": (lambda r, id: r.read("Observation", id), NotFound),
    "vread": (lambda r, id: r.vread("Observation", id, 1), NotFound),
    "history": (lambda r, id: r.history(HistoryRequest("Observation", id)), NotFound),
    "patch": (lambda r, id: r.commit([Patch("Observation", moved("ann"), id)]), NotFound),
    "update": (lambda r, id: r.commit([Put(observation("ann", id), "Observation", id)]), NotFound),
    "update to theirs": (lambda r, id: r.commit([Put(observation("bob", id), "Observation", id)]), NotFound),
    "update if match": (
        lambda r, id: r.commit([Put(observation("ann", id), "Observation", id, if_match=1)]),
        PreconditionFailed,
    ),
    "delete if match": (lambda r, id: r.commit([Delete("Observation", id, if_match=1)]), PreconditionFailed),
    "reference": (
        lambda r, id: r.commit([Create(observation("ann", derivedFrom=[{"reference": f"Observation/{id}"}]))]),
        BusinessRule,
    ),
    "versioned reference": (
        lambda r, id: r.commit(
            [Create(observation("ann", derivedFrom=[{"reference": f"Observation/{id}/_history/1"}]))]
        ),
        BusinessRule,
    ),
    "absolute reference": (
        lambda r, id: r.commit(
            [Create(observation("ann", derivedFrom=[{"reference": f"{r._services.base}/Observation/{id}"}]))]
        ),
        BusinessRule,
    ),
    "contained reference": (
        lambda r, id: r.commit(
            [
                Create(
                    observation(
                        "ann",
                        hasMember=[{"reference": "#c"}],
                        contained=[observation("ann", "c", derivedFrom=[{"reference": f"Observation/{id}"}])],
                    )
                )
            ]
        ),
        BusinessRule,
    ),
    "conditional reference": (
        lambda r, id: r.commit(
            [Create(observation("ann", derivedFrom=[{"reference": f"Observation?_id={id}"}]))], bundled=True
        ),
        BusinessRule,
    ),
    "conditional patch": (
        lambda r, id: r.commit([Patch("Observation", moved("ann"), criteria=f"_id={id}")]),
        NotFound,
    ),
    "transaction read": (lambda r, id: r.commit([Read("Observation", id)], bundled=True), NotFound),
    "chosen id": (
        lambda r, id: r.commit([Put(observation("ann", id), "Observation", criteria=f"_id={id}")]),
        NotFound,
    ),
}


@pytest.mark.parametrize("name", ABSENT)
def test_what_is_anothers_is_as_if_it_never_was(ann: BoundRepository, name: str) -> None:
    act, kind = ABSENT[name]
    assert same(lambda id: lambda: act(ann, id), "o-bob", "o-xyz") is kind


def test_a_deletion_of_anothers_does_nothing(ann: BoundRepository, whole: BoundRepository) -> None:
    for command in (Delete("Observation", "o-bob"), Delete("Observation", criteria="_id=o-bob")):
        assert ann.commit([command]) == [Outcome(204, None, changed=False)]
    assert whole.read("Observation", "o-bob")


def test_a_deleted_resource_of_another_never_was(ann: BoundRepository, whole: BoundRepository) -> None:
    whole.commit([Delete("Observation", "o-bob")])
    whole.commit([Delete("Observation", "o-ann")])
    for name in ("read", "vread", "history", "update"):
        act = ABSENT[name][0]
        assert same(lambda id, act=act: lambda: act(ann, id), "o-bob", "o-xyz") is NotFound  # type: ignore[misc]
    with pytest.raises(Gone):
        ann.read("Observation", "o-ann")
    assert len(ann.history(HistoryRequest("Observation", "o-ann")).versions) == 2


def test_own_resources_are_read_and_changed(ann: BoundRepository) -> None:
    assert ann.read("Observation", "o-ann").version == 1
    assert ann.commit([Put(observation("ann", "o-ann", language="en"), "Observation", "o-ann")])[0].status == 200
    [created] = ann.commit([Create(observation("ann", derivedFrom=[{"reference": "Observation/o-ann"}]))])
    assert created.version is not None
    assert ann.commit([Delete("Observation", created.version.id)])[0].status == 204
    with pytest.raises(Gone):
        ann.read("Observation", created.version.id)


def test_nothing_moves_to_another(ann: BoundRepository) -> None:
    for command in (
        Put(observation("bob", "o-ann"), "Observation", "o-ann"),
        Patch("Observation", moved("bob"), "o-ann"),
        Patch("Observation", moved("xyz"), "o-ann"),
    ):
        with pytest.raises(Forbidden, match=r"^Observation: update is not granted\.$"):
            ann.commit([command])
    for of in ("bob", "xyz"):
        with pytest.raises(Forbidden, match=r"^Observation: create is not granted\.$"):
            ann.commit([Create(observation(of))])


def test_shared_types_are_not_written(ann: BoundRepository, whole: BoundRepository) -> None:
    whole.commit([Put({"resourceType": "Organization", "id": "org", "name": "a"}, "Organization", "org")])
    assert ann.read("Organization", "org")
    with pytest.raises(Forbidden):
        ann.commit([Create({"resourceType": "Organization", "name": "b"})])
    with pytest.raises(NotFound):
        ann.commit([Put({"resourceType": "Organization", "id": "org", "name": "c"}, "Organization", "org")])
    assert ann.commit([Delete("Organization", "org")]) == [Outcome(204, None, changed=False)]
    assert ann.commit([Create(observation("ann", performer=[{"reference": "Organization/org"}]))])[0].status == 201


def test_types_and_interactions_outside_are_refused_before_anything_else(
    services: Services, whole: BoundRepository, noted: list[AuditRecord]
) -> None:
    narrow = BoundRepository(services, caller(Grant("Observation", "r", compartment=ANN)))
    refused: list[Callable[[], Any]] = [
        lambda: narrow.read("Patient", "ann"),
        lambda: narrow.vread("Patient", "ann", 1),
        lambda: narrow.history(HistoryRequest("Patient", "ann")),
        lambda: narrow.history(HistoryRequest("Observation")),
        lambda: narrow.history(HistoryRequest()),
        lambda: narrow.search(SearchRequest("Observation", ())),
        lambda: narrow.search(SearchRequest("", ())),
        lambda: narrow.commit([Create({"resourceType": "Observation", "nonsense": 1})]),
        lambda: narrow.commit([Put(observation("ann", "o-ann"), "Observation", "o-ann")]),
        lambda: narrow.commit([Patch("Observation", moved("ann"), "o-ann")]),
        lambda: narrow.commit([Delete("Observation", "o-ann")]),
        lambda: narrow.commit([Find(SearchRequest("Observation", ()))], bundled=True),
    ]
    for act in refused:
        with pytest.raises(Forbidden):
            act()
    assert [row.who for row in noted[-len(refused) :]] == ["Patient/ann"] * len(refused)
    assert {row.client for row in noted[-len(refused) :]} == {"app"}


def test_criteria_need_a_search(services: Services, whole: BoundRepository) -> None:
    writer = BoundRepository(services, caller(Grant("Observation", "cud", compartment=ANN)))
    for command in (
        Create(observation("ann"), if_none_exist="_id=o-ann"),
        Put(observation("ann"), "Observation", criteria="_id=o-ann"),
        Patch("Observation", moved("ann"), criteria="_id=o-ann"),
        Delete("Observation", criteria="_id=o-ann"),
    ):
        with pytest.raises(Forbidden, match="search"):
            writer.commit([command])
    with pytest.raises(Forbidden, match="Patient: search"):
        writer.commit([Create({**observation("ann"), "subject": {"reference": "Patient?_id=ann"}})], bundled=True)


def test_criteria_see_the_own_view(ann: BoundRepository, whole: BoundRepository) -> None:
    named = {"identifier": [{"system": "urn:x", "value": "1"}]}
    whole.commit([Create(observation("bob", **named))])
    first = ann.commit([Create(observation("ann", **named), if_none_exist="identifier=urn:x|1")])[0]
    again = ann.commit([Create(observation("ann", **named), if_none_exist="identifier=urn:x|1")])[0]
    assert (first.status, again.status) == (201, 200)
    updated = ann.commit([Put(observation("ann", **named), "Observation", criteria="identifier=urn:x|1")])[0]
    assert updated.version is not None and first.version is not None and updated.version.id == first.version.id


def test_a_transaction_is_refused_whole(ann: BoundRepository, whole: BoundRepository) -> None:
    before = len(whole.search(SearchRequest("Observation", ())).hits)
    with pytest.raises(Forbidden, match=r"Bundle\.entry\[1\]"):
        ann.commit([Create(observation("ann")), Create(observation("bob"))])
    assert same(
        lambda id: lambda: ann.commit([Create(observation("ann")), Put(observation("ann", id), "Observation", id)]),
        "o-bob", "o-xyz",
    ) is NotFound  # fmt: skip
    assert len(whole.search(SearchRequest("Observation", ())).hits) == before


def test_a_transaction_may_link_its_own_entries(ann: BoundRepository) -> None:
    url = "urn:uuid:0d0c2a0e-0d0c-4d0c-8d0c-0d0c2a0e0d0c"
    told = {
        "resourceType": "Provenance", "target": [{"reference": url}], "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"who": {"reference": "Patient/ann"}}],
    }  # fmt: skip
    outcomes = ann.commit([Create(told), Create(observation("ann"), full_url=url)])
    assert [outcome.status for outcome in outcomes] == [201, 201]
    assert outcomes[0].version and ann.read("Provenance", outcomes[0].version.id)


def test_referrers_are_named_to_who_may_read_them(ann: BoundRepository, whole: BoundRepository) -> None:
    whole.commit([Create(observation("bob", derivedFrom=[{"reference": "Observation/o-ann"}]))])
    with pytest.raises(Conflict, match="others refer to it"):
        ann.commit([Delete("Observation", "o-ann")])
    [own] = ann.commit([Create(observation("ann", derivedFrom=[{"reference": "Observation/o-ann"}]))])
    assert own.version is not None
    with pytest.raises(Conflict, match=f"these refer to it: Observation/{own.version.id}\\."):
        ann.commit([Delete("Observation", "o-ann")])


def document(url: str) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference", "status": "current", "subject": {"reference": "Patient/ann"},
        "content": [{"attachment": {"url": url}}],
    }  # fmt: skip


def test_a_document_reference_opens_no_foreign_binary(ann: BoundRepository, whole: BoundRepository) -> None:
    whole.commit([Put({"resourceType": "Binary", "id": "b-bob", "contentType": "text/plain"}, "Binary", "b-bob")])
    base = ann._services.base
    for url in ("Binary/ID", f"{base}/Binary/ID"):
        assert same(
            lambda id, url=url: lambda: ann.commit([Create(document(url.replace("ID", id)))]),  # type: ignore[misc]
            "b-bob", "b-xyz",
        ) is BusinessRule  # fmt: skip
    mine = {"resourceType": "Binary", "contentType": "text/plain", "securityContext": {"reference": "Patient/ann"}}
    [binary] = ann.commit([Create(mine)])
    assert binary.version is not None
    assert ann.commit([Create(document(f"Binary/{binary.version.id}"))])[0].status == 201
    with pytest.raises(NotFound):
        ann.read("Binary", "b-bob")


def test_histories_show_what_is_inside(ann: BoundRepository, whole: BoundRepository) -> None:
    whole.commit([Put(observation("ann", "o-ann", language="en"), "Observation", "o-ann")])
    whole.commit([Put(observation("ann", "o-bob"), "Observation", "o-bob")])  # was Bob's once
    whole.commit([Put(observation("ann", "gone"), "Observation", "gone")])
    whole.commit([Delete("Observation", "gone")])
    whole.commit([Put(observation("bob", "gone-bob"), "Observation", "gone-bob")])
    whole.commit([Delete("Observation", "gone-bob")])
    shown = ann.history(HistoryRequest("Observation", "o-bob"))
    assert ([v.version for v in shown.versions], shown.total) == ([2], 1)
    with pytest.raises(NotFound):
        ann.vread("Observation", "o-bob", 1)
    assert ann.vread("Observation", "o-bob", 2)
    expected = ["gone/2", "gone/1", "o-bob/2", "o-ann/2", "o-ann/1"]
    assert walked(ann, "Observation", 50) == walked(ann, "Observation", 1) == expected
    assert walked(ann, "", 2) == [*expected, "ann/1"]
    whole.commit([Put(observation("bob", "o-ann"), "Observation", "o-ann")])
    with pytest.raises(NotFound):
        ann.history(HistoryRequest("Observation", "o-ann"))
    with pytest.raises(NotFound):
        ann.vread("Observation", "o-ann", 1)
    assert "o-ann/1" not in walked(ann, "Observation", 50)


def walked(repository: BoundRepository, type: str, count: int) -> list[str]:
    page = repository.history(HistoryRequest(type, count=count))
    found = [f"{v.id}/{v.version}" for v in page.versions]
    while page.next:
        page = repository.history(HistoryRequest(type, count=count, cursor=page.next))
        found += [f"{v.id}/{v.version}" for v in page.versions]
    return found


def test_a_history_link_serves_the_caller_it_was_made_for(
    ann: BoundRepository, whole: BoundRepository, services: Services
) -> None:
    cursor = whole.history(HistoryRequest("Observation", count=1)).next
    for other in (ann, BoundRepository(services, STAFF)):
        with pytest.raises(Forbidden):
            other.history(HistoryRequest("Observation", count=1, cursor=cursor))


def labelled(resource: dict[str, Any]) -> dict[str, Any]:
    system = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
    return {**resource, "meta": {"security": [{"system": system, "code": "R"}]}}


def test_labelled_resources_are_hidden_from_staff(services: Services, whole: BoundRepository) -> None:
    staff = BoundRepository(services, STAFF)
    whole.commit([Put(labelled(observation("bob", "secret")), "Observation", "secret")])
    assert same(lambda id: lambda: staff.read("Observation", id), "secret", "xyz") is NotFound
    assert "secret/1" not in walked(staff, "Observation", 50)
    with pytest.raises(NotFound):
        staff.commit([Put(observation("bob", "secret"), "Observation", "secret")])
    assert staff.commit([Put(observation("bob", "chosen"), "Observation", "chosen")])[0].status == 201


def test_staff_store_what_is_labelled_and_see_it_no_more(services: Services, whole: BoundRepository) -> None:
    staff = BoundRepository(services, STAFF)
    [made] = staff.commit([Create(labelled(observation("bob")))])
    plain = observation("bob", "to-protect")
    staff.commit([Put(plain, "Observation", "to-protect")])
    staff.commit([Put(labelled(plain), "Observation", "to-protect")])
    assert made.version is not None
    for id in (made.version.id, "to-protect"):
        assert whole.read("Observation", id)
        with pytest.raises(NotFound):
            staff.read("Observation", id)
    with pytest.raises(NotFound):  # what was protected stays so
        staff.commit([Put(plain, "Observation", "to-protect")])


def test_granular_writes_stay_within_their_category(services: Services, whole: BoundRepository) -> None:
    def lab(code: str) -> dict[str, Any]:
        return {"category": [{"coding": [{"system": "urn:c", "code": code}]}]}

    grant = Grant("Observation", "cruds", (("category", "urn:c|laboratory"),), ANN)
    mine = BoundRepository(services, caller(grant))
    [made] = mine.commit([Create(observation("ann", **lab("laboratory")))])
    assert made.version is not None and mine.read("Observation", made.version.id)
    with pytest.raises(Forbidden):
        mine.commit([Create(observation("ann", **lab("survey")))])
    with pytest.raises(NotFound):
        mine.read("Observation", "o-ann")
    doc = json_codec.decode(made.version.doc)
    with pytest.raises(Forbidden):
        mine.commit([Put({**doc, **lab("survey")}, "Observation", made.version.id)])
