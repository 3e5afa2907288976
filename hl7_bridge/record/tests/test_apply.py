"""Messages meet the record: matched, applied once, in one commit."""

import pytest

from hl7_bridge.errors import Held
from hl7_bridge.mapping.model import Key, Policy
from hl7_bridge.record import Source
from resources import json_codec
from resources.repository import Create, Delete, Mark, Put, SearchRequest

MRN, OTHER, FILLER, PLACER = Key("urn:mrn", "1"), Key("urn:mrn", "2"), Key("urn:fill", "F1"), Key("urn:place", "P1")
RESULT, SECOND = Key("urn:obx", "F1|glu"), Key("urn:obx", "F1|na")


def oru(draft, time=1000, status="final", value="5", policy=Policy.MENTION):
    made = draft(time)
    patient = made.patient(MRN, policy=policy, name=[{"family": "Okafor"}])
    glucose = made.observation(patient, RESULT, status, value)
    made.report(patient, FILLER, [glucose], status)
    return made.mapped


def test_a_message_makes_what_is_not_there_and_links_it(bench, draft):
    applied = bench.apply(oru(draft), "42")
    patient, found, report = (
        bench.one("Patient", MRN),
        bench.one("Observation", RESULT),
        bench.one("DiagnosticReport", FILLER),
    )
    assert found["subject"] == report["subject"] == {"reference": f"Patient/{patient['id']}"}
    assert report["result"] == [{"reference": f"Observation/{found['id']}"}]
    assert {each["meta"]["source"] for each in (patient, found, report)} == {"urn:hl7v2:lab#42"}
    assert [str(each.name) for each in applied.changed] == sorted(str(each.name) for each in applied.changed)


def test_every_applied_message_has_its_provenance(bench, draft):
    bench.apply(oru(draft), "1")
    bench.apply(oru(draft, 2000, "corrected", "6"), "2")
    page = bench.repository.search(SearchRequest("Provenance", ()))
    by_activity = {}
    for hit in page.hits:
        each = json_codec.decode(hit.version.doc)
        targets = sorted(t["reference"].partition("/")[0] + t["reference"][-2:] for t in each["target"])
        by_activity[each["activity"]["coding"][0]["code"], each["meta"]["source"]] = targets
        assert each["entity"][0]["what"]["identifier"]["value"] == each["meta"]["source"]
        assert each["agent"][0]["who"] == {"display": "lab"} and each["recorded"] == "2023-11-14T22:13:20.000Z"
    assert by_activity == {
        ("CREATE", "urn:hl7v2:lab#1"): ["DiagnosticReport/1", "Observation/1", "Patient/1"],
        ("UPDATE", "urn:hl7v2:lab#2"): ["DiagnosticReport/2", "Observation/2"],
    }


def test_resends_make_no_versions_and_an_older_state_never_returns(bench, draft):
    bench.apply(oru(draft, 1000, "preliminary", "4"))
    bench.apply(oru(draft, 2000, "final", "5"))
    for _ in range(5):
        assert bench.apply(oru(draft, 2000, "final", "5")).changed == ()
    assert bench.apply(oru(draft, 3000, "preliminary", "4")).changed == ()
    assert bench.apply(oru(draft, 1500, "final", "4.9")).changed == ()
    assert bench.apply(oru(draft, 4000, "final", "5")).changed == ()
    found = bench.one("Observation", RESULT)
    assert (found["status"], found["valueString"], found["meta"]["versionId"]) == ("final", "5", "2")
    assert bench.apply(oru(draft, 3500, "final", "5.1")).changed == ()  # 4000 said 5 again


def test_the_mark_is_kept_even_when_nothing_changes_and_lost_with_the_rest(bench, draft):
    bench.store.register_mark("note", "INSERT INTO schema_version (package, version) VALUES (:name, 1) RETURNING 1")
    bench.apply(oru(draft))
    source = Source("lab", "9", 1)
    assert bench.record.apply(bench.repository, oru(draft), source, [Mark("note", {"name": "again"})]).changed == ()
    names = "SELECT package FROM schema_version WHERE package IN ('again', 'held')"
    assert bench.store.session().query(names) == [("again",)]


def test_a_mention_changes_nothing_that_is_there(bench, draft):
    adt = draft(1000)
    adt.patient(MRN, name=[{"family": "Okafor"}], gender="male")
    bench.apply(adt.mapped)
    mention = draft(2000)
    mention.patient(MRN, policy=Policy.MENTION, name=[{"family": "Okafour"}], birthDate="1980-01-01")
    assert bench.apply(mention.mapped).changed == ()
    assert bench.one("Patient", MRN)["name"] == [{"family": "Okafor"}]


def ordered(draft, time=1000, status="active", **more):
    """An order, or what a result says of it: with ``certain`` only whether it is over."""
    made = draft(time)
    patient = made.patient(MRN, policy=Policy.MENTION)
    policy = Policy.MENTION if more else Policy.ORDER
    rank = 0 if status == "active" else 1
    code = {"text": "mentioned" if more else "ordered"}
    request = {"resourceType": "ServiceRequest", "status": status, "intent": "order", "code": code}
    made.add(policy, {**request, "subject": patient.reference}, PLACER, rank=rank, **more)
    return made.mapped


@pytest.mark.parametrize("later", [False, True])
def test_a_result_says_that_its_order_is_over_whichever_comes_first(bench, draft, later):
    over = {"certain": frozenset({"status"})}
    told = [ordered(draft, 1000), ordered(draft, 2000, "completed", **over), ordered(draft, 3000)]
    for mapped in reversed(told) if later else told:
        bench.apply(mapped)
    assert bench.apply(told[1]).changed == ()
    found = bench.one("ServiceRequest", PLACER)
    assert (found["status"], found["code"]["text"]) == ("completed", "ordered")
    bench.apply(ordered(draft, 4000, "revoked"))
    bench.apply(told[1])
    assert bench.one("ServiceRequest", PLACER)["status"] == "revoked"


def test_what_people_made_is_answered_within_the_second(bench, draft):
    [patient] = bench.repository.commit([Create({"resourceType": "Patient", "identifier": [MRN._asdict()]})])
    request = {"resourceType": "ServiceRequest", "status": "active", "intent": "order", "code": {"text": "ordered"}}
    request |= {"subject": {"reference": f"Patient/{patient.version.id}"}, "identifier": [PLACER._asdict()]}
    [made] = bench.repository.commit([Create(request)])
    second = made.version.updated // 1000 * 1000
    bench.apply(ordered(draft, second, "completed", certain=frozenset({"status"})))
    found = bench.one("ServiceRequest", PLACER)
    assert (found["status"], found["code"]["text"]) == ("completed", "ordered")


def test_an_order_of_another_patient_is_not_ended_by_its_number(bench, draft):
    bench.apply(ordered(draft))
    other = draft(2000)
    patient = other.patient(OTHER, policy=Policy.MENTION)
    request = {"resourceType": "ServiceRequest", "status": "completed", "intent": "order"}
    over = {"rank": 1, "certain": frozenset({"status"})}
    other.add(Policy.MENTION, {**request, "subject": patient.reference}, PLACER, **over)
    with pytest.raises(Held):
        bench.apply(other.mapped)


def test_two_different_patients_are_held(bench, draft):
    for key in (MRN, OTHER):
        made = draft()
        made.patient(key)
        bench.apply(made.mapped)
    both = draft()
    both.patient(OTHER, MRN)
    with pytest.raises(Held) as held:
        bench.apply(both.mapped)
    assert held.value.code.number == "205" and "2" not in str(held.value).replace("2 resources", "")


def test_a_number_given_anew_never_moves_a_result_to_another_patient(bench, draft):
    bench.apply(oru(draft))
    made = draft(2000)
    made.observation(made.patient(OTHER, policy=Policy.MENTION), RESULT, "corrected")
    with pytest.raises(Held):
        bench.apply(made.mapped)
    assert bench.one("Observation", RESULT)["status"] == "final" and bench.find("Patient", OTHER) == []


def test_the_number_of_a_specimen_is_one_within_a_patient(bench, draft):
    for _ in range(2):
        for key in (MRN, OTHER):
            made = draft()
            patient = made.patient(key, policy=Policy.MENTION)
            made.add(
                Policy.RESULT, {"resourceType": "Specimen", "subject": patient.reference}, Key("urn:specimen", "1")
            )
            bench.apply(made.mapped)
    found = bench.find("Specimen", Key("urn:specimen", "1"))
    assert len(found) == 2 and len({each["subject"]["reference"] for each in found}) == 2


def test_placer_and_filler_both_find_an_order_and_two_orders_are_held(bench, draft):
    def order(time, *keys, **rest):
        made = draft(time)
        patient = made.patient(MRN, policy=Policy.MENTION)
        resource = {"resourceType": "ServiceRequest", "status": "active", "intent": "order", **rest}
        made.add(Policy.ORDER, {**resource, "subject": patient.reference}, *keys)
        return made.mapped

    bench.apply(order(1, PLACER))
    bench.apply(order(2, PLACER, FILLER, priority="stat"))
    bench.apply(order(3, FILLER, priority="asap"))
    assert bench.one("ServiceRequest", PLACER)["priority"] == "asap"
    bench.apply(order(4, Key("urn:fill", "F2")))
    with pytest.raises(Held):
        bench.apply(order(5, PLACER, Key("urn:fill", "F2")))


def test_values_with_separators_match_themselves_only(bench, draft):
    odd = [Key("urn:x", value) for value in ("1,2", "1", "2", "a|b", "a\\b", "$c", "é ü&=%")]
    for _ in range(2):
        for key in odd:
            made = draft()
            made.patient(key, name=[{"text": key.value}])
            bench.apply(made.mapped)
    page = bench.repository.search(SearchRequest("Patient", (("_count", "100"),)))
    assert len(page.hits) == len(odd)


def test_two_entries_of_one_thing_are_one_resource(bench, draft):
    made = draft()
    patient = made.patient(MRN)
    made.observation(patient, RESULT, "preliminary", "1")
    made.observation(patient, RESULT, "final", "2")
    bench.apply(made.mapped)
    assert bench.one("Observation", RESULT)["valueString"] == "2"


def test_two_results_under_one_identity_are_held(bench, draft):
    made = draft()
    patient = made.patient(MRN)
    for value in "12":
        made.observation(patient, RESULT, "final", value)
    with pytest.raises(Held):
        bench.apply(made.mapped)
    assert bench.find("Patient", MRN) == []


def test_what_nothing_identifies_is_not_doubled_by_saying_it_again(bench, draft):
    for name in ("Mother", "Mother", "Father"):
        made = draft()
        patient = made.patient(MRN)
        made.add(
            Policy.MENTION, {"resourceType": "RelatedPerson", "patient": patient.reference, "name": [{"text": name}]}
        )
        bench.apply(made.mapped)
    assert len(bench.repository.search(SearchRequest("RelatedPerson", ())).hits) == 2


def test_results_missing_from_a_resend_stay_with_their_report(bench, draft):
    first = draft(1000)
    patient = first.patient(MRN)
    results = [first.observation(patient, key) for key in (RESULT, SECOND)]
    first.report(patient, FILLER, results, "preliminary")
    bench.apply(first.mapped)
    bench.apply(oru(draft, 2000))
    report = bench.one("DiagnosticReport", FILLER)
    names = {bench.one("Observation", key)["id"]: key for key in (RESULT, SECOND)}
    assert [names[each["reference"].partition("/")[2]] for each in report["result"]] == [RESULT, SECOND]
    assert report["status"] == "final"


def test_a_child_finds_its_parent_whichever_comes_first(bench, draft):
    def child():
        made = draft()
        patient = made.patient(MRN, policy=Policy.MENTION)
        identifier = {"system": RESULT.system, "value": RESULT.value}
        parent = {"type": "Observation", "identifier": identifier}
        made.observation(patient, SECOND, derivedFrom=[parent], pending=(RESULT,))
        return made.mapped

    bench.apply(child())
    assert "reference" not in bench.one("Observation", SECOND)["derivedFrom"][0]
    bench.apply(oru(draft))
    parent = bench.one("Observation", RESULT)["id"]
    first = bench.one("Observation", SECOND)["derivedFrom"]
    assert first[0]["reference"] == f"Observation/{parent}" and first[0]["identifier"]
    assert bench.apply(child()).changed == ()
    assert bench.one("Observation", SECOND)["derivedFrom"] == first
    assert bench.record.stamps.claim(2**60, 1, 10) == []


def test_what_people_changed_is_not_undone_by_older_messages(bench, draft):
    bench.apply(oru(draft))
    found = bench.one("Observation", RESULT)
    noted = {**found, "note": [{"text": "seen"}], "valueString": "5 (read by phone)"}
    bench.repository.commit([Put(noted, "Observation", found["id"])])
    bench.apply(oru(draft, 2000, "corrected", "6"))
    after = bench.one("Observation", RESULT)
    assert after["note"] == [{"text": "seen"}] and after["valueString"] == "5 (read by phone)"
    assert after["status"] == "corrected"
    bench.apply(oru(draft, 2**43, "corrected", "7"))
    after = bench.one("Observation", RESULT)
    assert after["note"] == [{"text": "seen"}] and after["valueString"] == "7"


def test_what_was_made_by_hand_is_found_and_kept(bench, draft):
    bench.repository.commit([Create({"resourceType": "Patient", "gender": "female", "identifier": [MRN._asdict()]})])
    adt = draft(1000)
    adt.patient(MRN, gender="male", birthDate="1980-01-01")
    bench.apply(adt.mapped)
    patient = bench.one("Patient", MRN)
    assert patient["gender"] == "female" and patient["birthDate"] == "1980-01-01"


def test_what_was_deleted_is_made_anew_when_it_is_said_again(bench, draft):
    bench.apply(oru(draft))
    before = bench.one("Observation", RESULT)["id"]
    report = bench.one("DiagnosticReport", FILLER)["id"]
    told = bench.repository.search(SearchRequest("Provenance", ())).hits
    gone = [Delete("Provenance", each.version.id) for each in told]
    bench.repository.commit([*gone, Delete("DiagnosticReport", report), Delete("Observation", before)])
    bench.apply(oru(draft))
    assert bench.one("Observation", RESULT)["id"] != before
    assert bench.apply(oru(draft)).changed == ()


def test_extras_are_made_only_when_something_changed(bench, draft):
    for _ in range(3):
        made = draft()
        patient = made.patient(MRN)
        header = {"resourceType": "Basic", "code": {"text": "header"}, "subject": patient.reference}
        made.add(Policy.ALWAYS, header)
        bench.apply(made.mapped)
    assert len(bench.repository.search(SearchRequest("Basic", ())).hits) == 1
