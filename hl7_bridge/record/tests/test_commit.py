"""One commit: nothing when nothing changed, everything or nothing else."""

import pytest

from hl7_bridge.mapping.model import Key
from hl7_bridge.record.commit import commit
from hl7_bridge.record.node import new_node
from hl7_bridge.record.provenance import Source
from hl7_bridge.record.shelf import Shelf
from resources.errors import Conflict, PreconditionFailed
from resources.repository import SearchRequest

KEY = Key("urn:mrn", "1")
SOURCE = Source("lab", "1", 0)


def patient():
    node = new_node("Patient", (KEY,))
    node.resource["identifier"] = [KEY._asdict()]
    return node


def shelf_with(bench, name):
    shelf = Shelf(bench.repository, bench.record.stamps)
    node = shelf.node(name)
    node.settle(bench.repository, b"")
    return shelf, node


def test_the_second_of_two_that_make_the_same_is_refused(bench):
    first, second = patient(), patient()
    [made] = commit(bench.repository, [first], SOURCE)
    assert made.reference == f"{first.name}/_history/1"
    with pytest.raises(PreconditionFailed):
        commit(bench.repository, [second], SOURCE)
    assert len(bench.find("Patient", KEY)) == 1 and second.name not in bench.record.stamps.read([second.name])


def test_the_second_of_two_that_only_restamp_is_refused_as_well(bench):
    [made] = commit(bench.repository, [patient()], SOURCE)
    shelves = [shelf_with(bench, made.name) for _ in range(2)]
    for _, node in shelves:
        node.standing.added["note"] = ["x"]
    assert commit(bench.repository, shelves[0][0].nodes.values(), SOURCE) == []
    with pytest.raises(Conflict):
        commit(bench.repository, shelves[1][0].nodes.values(), SOURCE)
    assert bench.record.stamps.read([made.name])[made.name].revision == 2


def test_who_refers_to_a_patient_fails_when_the_patient_was_changed_meanwhile(bench):
    [made] = commit(bench.repository, [patient()], SOURCE)
    shelf, _ = Shelf(bench.repository, bench.record.stamps), None
    shelf.node(made.name)
    other, node = shelf_with(bench, made.name)
    node.standing.added["note"] = ["x"]
    commit(bench.repository, other.nodes.values(), SOURCE)
    basic = new_node("Basic", ())
    basic.resource |= {"code": {"text": "x"}, "subject": {"reference": str(made.name)}}
    with pytest.raises(Conflict):
        commit(bench.repository, [*shelf.nodes.values(), basic], SOURCE)


def test_nothing_changed_is_no_commit(bench, monkeypatch):
    [made] = commit(bench.repository, [patient()], SOURCE)
    shelf, _ = shelf_with(bench, made.name)
    monkeypatch.setattr(type(bench.repository), "commit", None)
    assert commit(bench.repository, shelf.nodes.values(), SOURCE) == []


def test_without_a_source_versions_keep_theirs_and_no_provenance_is_made(bench):
    [made] = commit(bench.repository, [patient()], SOURCE)
    shelf, node = shelf_with(bench, made.name)
    node.resource["active"] = False
    commit(bench.repository, shelf.nodes.values(), None)
    assert bench.one("Patient", KEY)["meta"]["source"] == "urn:hl7v2:lab#1"
    assert len(bench.repository.search(SearchRequest("Provenance", ())).hits) == 1
