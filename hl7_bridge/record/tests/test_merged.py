"""How merged resources look."""

from hl7_bridge.record.merged import keep_ended, show_replaced, show_survivor, survivor_of


def test_a_patient_shows_it_by_links_and_is_not_active():
    loser = {
        "resourceType": "Patient",
        "active": True,
        "link": [{"type": "seealso", "other": {"reference": "Patient/9"}}],
    }
    assert survivor_of(loser) == ""
    for survivor in ("Patient/1", "Patient/2"):
        show_survivor(loser, survivor)
        assert survivor_of(loser) == survivor and len(loser["link"]) == 2 and loser["active"] is False


def test_others_show_it_by_an_extension_and_are_in_error():
    loser = {"resourceType": "Encounter", "status": "finished"}
    show_survivor(loser, "Encounter/1")
    assert survivor_of(loser) == "Encounter/1" and loser["status"] == "entered-in-error"
    loser["status"] = "finished"
    keep_ended(loser)
    assert loser["status"] == "entered-in-error"


def test_a_survivor_names_each_it_replaces_once():
    survivor = {"resourceType": "Patient"}
    for loser in ("Patient/2", "Patient/1", "Patient/2"):
        show_replaced(survivor, loser, replaced=True)
    assert [link["other"]["reference"] for link in survivor["link"]] == ["Patient/1", "Patient/2"]
    for loser in ("Patient/1", "Patient/2"):
        show_replaced(survivor, loser, replaced=False)
    assert survivor == {"resourceType": "Patient"}
