"""Merges stick, in one shape whatever the order in which they are said."""

from itertools import permutations

import pytest

from hl7_bridge.errors import Held
from hl7_bridge.mapping.model import Key, Policy
from hl7_bridge.record.follow_ups import _referring

A, B, C, D = (Key("urn:mrn", letter) for letter in "ABCD")
RESULT = Key("urn:obx", "1")


def adt(draft, time, key, **rest):
    made = draft(time)
    made.patient(key, **rest)
    return made.mapped


def merge(draft, time, survivor, loser, **rest):
    made = draft(time)
    made.merge(made.patient(survivor, **rest), made.patient(loser, policy=Policy.MENTION))
    return made.mapped


def oru(draft, time, key, result=RESULT):
    made = draft(time)
    made.observation(made.patient(key, policy=Policy.MENTION), result)
    return made.mapped


def links(bench, key):
    """(type, key of the other) of a patient's links."""
    found = []
    for link in bench.one("Patient", key).get("link", ()):
        type, id = link["other"]["reference"].split("/")
        other = bench.repository.read(type, id).doc.decode()
        found.append((link["type"], next(k.value for k in (A, B, C, D) if f'"value":"{k.value}"' in other)))
    return sorted(found)


def test_a_merge_of_patients_nobody_knew_makes_both(bench, draft):
    bench.apply(merge(draft, 1, A, B, gender="male"))
    assert links(bench, A) == [("replaces", "B")] and links(bench, B) == [("replaced-by", "A")]
    assert bench.one("Patient", B)["active"] is False and "active" not in bench.one("Patient", A)


def test_a_merge_sticks_whatever_is_said_of_the_loser(bench, draft):
    bench.apply(adt(draft, 10, B, name=[{"family": "Okafor"}], active=True, birthDate="1900-01-01"))
    bench.apply(adt(draft, 10, A, name=[{"family": "Obi"}], birthDate="1980-01-01"))
    bench.apply(merge(draft, 20, A, B))
    for time in (5, 30):
        bench.apply(adt(draft, time, B, active=True, telecom=[{"system": "phone", "value": str(time)}]))
    loser, survivor = bench.one("Patient", B), bench.one("Patient", A)
    assert loser["active"] is False and links(bench, B) == [("replaced-by", "A")]
    assert survivor["name"] == [{"family": "Obi"}] and survivor["birthDate"] == "1980-01-01"
    assert survivor["telecom"] == [{"system": "phone", "value": "30"}]  # said after the merge, meant for the survivor
    assert "active" not in survivor
    assert bench.apply(merge(draft, 20, A, B)).changed == ()


def test_results_of_the_loser_follow_and_new_ones_land_on_the_survivor(bench, draft):
    bench.apply(oru(draft, 1, B))
    bench.apply(merge(draft, 2, A, B))
    bench.apply(oru(draft, 3, B, Key("urn:obx", "2")))
    survivor = bench.one("Patient", A)["id"]
    for number in "12":
        assert bench.one("Observation", Key("urn:obx", number))["subject"]["reference"] == f"Patient/{survivor}"
    assert bench.apply(oru(draft, 1, B)).changed == ()  # what was re-pointed is still ours
    assert bench.record.stamps.claim(2**60, 1, 10) == []


def test_follow_ups_are_resumed_by_whoever_sweeps(bench, draft):
    bench.apply(oru(draft, 1, B))
    source = bench.record.apply(bench.repository, merge(draft, 2, A, B), source_of_a_message())
    assert source.follow_ups
    bench.record.now = lambda: 2**50
    assert bench.follow_ups.sweep() == 1 and bench.follow_ups.sweep() == 0
    survivor = bench.one("Patient", A)["id"]
    assert bench.one("Observation", RESULT)["subject"]["reference"] == f"Patient/{survivor}"


def source_of_a_message():
    from hl7_bridge.record import Source

    return Source("lab", "m", 0)


CHAINS = [
    [(1, B, A), (2, C, B)],
    [(2, B, A), (1, C, B)],
    [(1, B, A), (2, C, A)],
    [(1, B, A), (2, C, B), (3, C, A)],
    [(1, B, A), (1, B, C), (2, D, B)],
]


@pytest.mark.parametrize("chain", CHAINS)
def test_chains_of_merges_end_alike_in_every_order(bench, draft, chain):
    seen = set()
    for run, order in enumerate(permutations(chain)):
        names = {key: Key("urn:mrn", f"{key.value}{run}") for key in (A, B, C, D)}
        for time, survivor, loser in order:
            bench.apply(merge(draft, time, names[survivor], names[loser]))
        known = {}
        for key, name in names.items():
            for each in bench.find("Patient", name):
                known[f"Patient/{each['id']}"] = key.value, each
        shape = tuple(
            (
                value,
                each.get("active"),
                tuple((x["type"], known[x["other"]["reference"]][0]) for x in each.get("link", ())),
            )
            for value, each in sorted(known.values(), key=lambda pair: pair[0])
        )
        seen.add(tuple((v, a, tuple(sorted(x))) for v, a, x in shape))
    assert len(seen) == 1, seen


def test_a_circle_is_held(bench, draft):
    bench.apply(merge(draft, 1, A, B))
    bench.apply(merge(draft, 2, C, A))
    with pytest.raises(Held):
        bench.apply(merge(draft, 3, B, C))
    assert links(bench, C) == [("replaces", "A")]


def test_a_survivor_sent_with_the_identity_of_whom_it_replaces(bench, draft):
    bench.apply(adt(draft, 1, A))
    bench.apply(adt(draft, 1, B))
    made = draft(2)
    made.merge(made.patient(A, B), made.patient(B, policy=Policy.MENTION))
    bench.apply(made.mapped)
    bench.apply(oru(draft, 3, B))
    assert len(bench.find("Patient", A, B)) == 2
    survivor = next(each for each in bench.find("Patient", A) if each.get("active") is not False)
    assert bench.one("Observation", RESULT)["subject"]["reference"] == f"Patient/{survivor['id']}"


def test_a_person_may_undo_a_merge(bench, draft):
    from resources.repository import Put

    bench.apply(merge(draft, 1, A, B))
    loser = bench.one("Patient", B)
    apart = {name: value for name, value in loser.items() if name not in ("link", "active")}
    bench.repository.commit([Put(apart, "Patient", loser["id"])])
    assert bench.apply(merge(draft, 1, A, B)).changed == ()
    assert "link" not in bench.one("Patient", B)


def test_encounters_are_merged_as_well(bench, draft):
    def encounter(made, key, policy=Policy.REGISTER):
        resource = {"resourceType": "Encounter", "status": "in-progress", "class": {"code": "IMP"}}
        return made.add(policy, {**resource, "subject": made.patient(A).reference}, key)

    first = draft(1)
    loser = encounter(first, B)
    first.add(Policy.RESULT, {"resourceType": "Observation", "status": "final", "code": {"text": "c"},
                              "encounter": loser.reference}, RESULT)  # fmt: skip
    bench.apply(first.mapped)
    second = draft(2)
    second.merge(encounter(second, C), encounter(second, B, Policy.MENTION))
    bench.apply(second.mapped)
    survivor = f"Encounter/{bench.one('Encounter', C)['id']}"
    assert bench.one("Observation", RESULT)["encounter"]["reference"] == survivor
    ended = bench.one("Encounter", B)
    assert ended["status"] == "entered-in-error" and ended["extension"][0]["valueReference"]["reference"] == survivor


def test_everything_that_can_name_a_patient_is_asked():
    found = _referring("Patient")
    assert {"Observation", "DiagnosticReport", "Encounter", "MedicationRequest", "Account", "Coverage"} <= found.keys()
    assert "Provenance" not in found and "Patient" not in found and "subject" in found["Observation"]
