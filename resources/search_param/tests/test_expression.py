import pytest

from resources import definitions
from resources.search_param.expression import Step, branches

URL = "http://example.org/x"
TYPES = frozenset({"CodeableConcept", "Reference", "string"})


def one(expression, type):
    [branch] = branches(expression, type, TYPES)
    return branch, [("/".join(step.name for step in leaf.steps), leaf.type) for leaf in branch.leaves]


@pytest.mark.parametrize(
    ("expression", "type", "text", "leaves"),
    [
        ("Patient.name.family", "Patient", "Patient.name.family", [("name/family", "string")]),
        ("Resource.meta.tag", "Patient", "Patient.meta.tag", [("meta/tag", "Coding")]),
        ("(Observation.value as Quantity)", "Observation", "Observation.value", [("valueQuantity", "Quantity")]),
        (
            "(Observation.value as CodeableConcept).text",
            "Observation",
            "Observation.value.text",
            [("valueCodeableConcept/text", "string")],
        ),
        ("Condition.onset.as(Period)", "Condition", "Condition.onset", [("onsetPeriod", "Period")]),
        ("name", "InsurancePlan", "InsurancePlan.name", [("name", "string")]),
        ("Bundle.entry[0].resource", "Bundle", "Bundle.entry[0].resource", [("entry/resource", "Resource")]),
        ("Questionnaire.item.code", "Questionnaire", "Questionnaire.item.code", [("item/code", "Coding")]),
    ],
)
def test_shapes(expression, type, text, leaves):
    branch, found = one(expression, type)
    assert (branch.text, found) == (text, leaves)


def test_branches_of_other_types_are_left_out():
    assert [b.text for b in branches("Patient.name | Person.name", "Person", TYPES)] == ["Person.name"]


def test_casts_of_one_path_are_one_branch():
    _, leaves = one("Condition.onset.as(dateTime) | Condition.onset.as(Period)", "Condition")
    assert leaves == [("onsetDateTime", "dateTime"), ("onsetPeriod", "Period")]


def test_conditions():
    assert one("Account.subject.where(resolve() is Patient)", "Account")[0].target == "Patient"
    assert one("Patient.telecom.where(system='email')", "Patient")[0].system == "email"
    related, _ = one("Library.relatedArtifact.where(type='successor').resource", "Library")
    assert related.leaves[0].steps[0] == Step("relatedArtifact", True, ("equals", "type", "successor"))
    assert related.text == "Library.relatedArtifact[type=successor].resource"
    assert one("Patient.deceased.exists() and Patient.deceased != false", "Patient")[0].truth


def test_extensions():
    branch, leaves = one(f"Device.extension('{URL}')", "Device")
    assert sorted(leaves) == [
        ("extension/valueCodeableConcept", "CodeableConcept"),
        ("extension/valueReference", "Reference"),
        ("extension/valueString", "string"),
    ]
    assert branch.leaves[0].steps[0].test == ("equals", "url", URL)


def test_required_means_every_element_on_the_way():
    assert one("Observation.status", "Observation")[0].required
    assert not one("Observation.component.code", "Observation")[0].required


def test_every_published_expression_leads_somewhere():
    for type in sorted(definitions.RESOURCE_TYPES):
        for row in definitions.search_params(type).values():
            if row.expression and row.type != "composite":
                found = branches(row.expression, type, TYPES | {"Coding", "dateTime"})
                assert found and all(b.leaves for b in found), (type, row.code)
