from resources.search_param import sort_key, sort_values
from resources.search_param.intervals import interval

PATIENT = {
    "resourceType": "Patient",
    "name": [{"family": "Zoe"}, {"family": "Ábel"}],
    "birthDate": "1970",
    "gender": "male",
}


def test_where_the_order_comes_from():
    assert sort_key("Observation", "date").by == "order"
    assert sort_key("Observation", "_lastUpdated").by == "updated"
    assert sort_key("Observation", "_id").by == "id"
    assert sort_key("Patient", "birthdate").by == "range"
    assert [key.branch for key in sort_key("Patient", "family").keys] == ["Patient.name.family"]
    assert sort_key("Patient", "gender").by == "value"


def test_values_least_first():
    assert sort_values(PATIENT, "family") == ("abel", "zoe")
    assert sort_values(PATIENT, "birthdate") == (interval("1970")[0],)
    assert sort_values(PATIENT, "gender") == ("male",)
    assert sort_values(PATIENT, "death-date") == ()
    observation = {"resourceType": "Observation", "effectiveDateTime": "2020-01-01T00:00:00Z"}
    assert sort_values(observation, "date") == (interval("2020")[0],)
