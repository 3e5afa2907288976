from resources.search_param.references import references


def test_all_literal_references_with_their_place():
    resource = {
        "resourceType": "Observation",
        "subject": {"reference": "Patient/1", "display": "x"},
        "performer": [{"display": "nobody"}, {"reference": "urn:uuid:2"}],
        "extension": [{"url": "urn:x", "valueReference": {"reference": "Group/3"}}],
        "contained": [{"resourceType": "Specimen", "subject": {"reference": "Patient/4"}}],
        "device": {"reference": "#in"},
    }
    assert references(resource) == (
        ("Observation.subject.reference", "Patient/1"),
        ("Observation.performer[1].reference", "urn:uuid:2"),
        ("Observation.extension[0].valueReference.reference", "Group/3"),
        ("Observation.contained[0].subject.reference", "Patient/4"),
    )


def test_bundles_refer_within_themselves():
    entry = {"resource": {"resourceType": "Observation", "subject": {"reference": "Patient/1"}}}
    assert references({"resourceType": "Bundle", "entry": [entry]}) == ()
