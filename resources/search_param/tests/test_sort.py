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
    assert [key.value for key in sort_key("Patient", "gender").keys] == ["female", "male", "other", "unknown"]
    assert [sort_key("Patient", name).by for name in ("gender", "active", "identifier")] == ["list", "list", "value"]
    assert sort_key("Observation", "value-quantity").by == "units"


def test_values_least_first():
    assert sort_values(PATIENT, "family") == ("abel", "zoe")
    assert sort_values(PATIENT, "birthdate") == (interval("1970")[0],)
    assert sort_values(PATIENT, "gender") == ("male",)
    assert sort_values(PATIENT, "death-date") == ()
    observation = {"resourceType": "Observation", "effectiveDateTime": "2020-01-01T00:00:00Z"}
    assert sort_values(observation, "date") == (interval("2020")[0],)


def test_a_token_is_sorted_by_what_is_read():
    identifier = {"system": "urn:a", "value": "z1", "type": {"coding": [{"system": "urn:t", "code": "MR"}]}}
    chart = {**PATIENT, "identifier": [identifier], "managingOrganization": {"reference": "Organization/1",
             "identifier": {"value": "0"}}}  # fmt: skip
    assert sort_values(chart, "identifier") == ("z1",)
    assert sort_values(chart, "organization") == ("Organization/1",)
    assert sort_values(chart, "deceased") == ("false",)
    assert sort_values({**chart, "deceasedDateTime": "2020"}, "deceased") == ("true",)
    coded = {"resourceType": "Observation", "code": {"coding": [{"system": "urn:b", "code": "X"}], "text": "a"}}
    assert sort_values(coded, "code") == ("urn:b|x",)
    questions = {"resourceType": "QuestionnaireResponse", "questionnaire": "urn:q|2"}
    assert sort_values(questions, "questionnaire") == ("urn:q", "urn:q|2")
    assert sort_values({"resourceType": "ValueSet", "url": "urn:v"}, "url") == ("urn:v",)
