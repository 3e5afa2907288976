"""A resource with what is remembered of it, and what people did to it since."""

import pytest

from hl7_bridge.mapping.model import AsOf
from hl7_bridge.ports import Stamp
from hl7_bridge.record.node import Stale, found_node, new_node
from hl7_bridge.record.standing import OTHERS, Standing
from resources.repository import Put

PATIENT = {"resourceType": "Patient", "id": "p", "gender": "male"}


def test_each_change_of_people_counts_as_of_its_own_version(bench):
    versions = []
    for changed in ({}, {"birthDate": "1980"}, {"active": True}):
        PATIENT_NOW = PATIENT | {name: value for each in (*versions, changed) for name, value in (each or {}).items()}
        bench.repository.commit([Put(PATIENT_NOW, "Patient", "p")])
        versions.append(changed)
    ours = Standing(elements={"gender": AsOf(0, 5, "t")})
    node = found_node(bench.repository.read("Patient", "p"), Stamp(1, 4, ours.dump()))
    node.settle(bench.repository, b"")
    times = {name: as_of.time for name, as_of in node.standing.elements.items()}
    updated = [bench.repository.vread("Patient", "p", n).updated for n in (2, 3)]
    assert times == {"gender": 5, "birthDate": updated[0], "active": updated[1]}
    assert node.standing.elements["active"].tie == OTHERS and node.revision == 4 and node.is_restamped


def test_stamps_of_a_later_version_are_stale(bench):
    bench.repository.commit([Put(PATIENT, "Patient", "p")])
    with pytest.raises(Stale):
        found_node(bench.repository.read("Patient", "p"), Stamp(2, 1, "{}"))


def test_a_new_one_is_changed_and_knows_what_it_must_be_first_to_have():
    node = new_node("Patient", ())
    assert node.is_new and node.is_changed and node.is_settled and node.survivor is None and node.revision == 0
