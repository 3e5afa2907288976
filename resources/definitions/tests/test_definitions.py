"""The definition tables say what the specification says.

FHIR R4 4.0.1 (https://hl7.org/fhir/R4/).
"""

import pytest

from resources import definitions
from resources.definitions import (
    RESOURCE_TYPES,
    all_search_params,
    codes,
    compartment,
    compartment_codes,
    operations,
    plain_codes,
    search_param,
    search_params,
    shipped,
    type_def,
    type_names,
)  # fmt: skip


def test_every_resource_type_is_there():
    assert len(RESOURCE_TYPES) == 146
    assert {"Patient", "Binary", "Bundle", "Parameters"} <= RESOURCE_TYPES
    assert not {"Resource", "DomainResource"} & RESOURCE_TYPES


def test_unknown_names_raise():
    with pytest.raises(KeyError):
        type_def("Pateint")
    with pytest.raises(AttributeError):
        definitions.NOTHING  # noqa: B018


def test_elements_keep_the_order_of_the_specification_and_are_inherited():
    names = list(type_def("Patient").elements)
    assert names[:9] == [
        "id", "meta", "implicitRules", "language", "text", "contained", "extension", "modifierExtension", "identifier",
    ]  # fmt: skip
    assert names[-1] == "link"


def test_ids_are_typed():
    assert type_def("Patient").elements["id"].type == "id"
    assert type_def("HumanName").elements["id"].type == "string"
    assert type_def("Bundle").elements["id"].type == "id"


def test_choices_are_expanded_and_share_a_position():
    elements = type_def("Observation").elements
    values = [e for e in elements.values() if e.choice == "value"]
    assert len(values) == 11
    assert {e.position for e in values} == {elements["valueQuantity"].position}
    assert elements["valueDateTime"].type == "dateTime"
    assert elements["valueDateTime"].path == "Observation.value[x]"


def test_backbones_and_content_references_lead_on():
    assert type_def("Observation").elements["component"].type == "Observation.component"
    assert type_def("Observation.component").elements["referenceRange"].type == "Observation.referenceRange"
    assert type_def("Questionnaire.item").elements["item"].type == "Questionnaire.item"
    assert type_def("Timing.repeat").kind == "backbone"


def test_every_type_an_element_names_exists():
    known = set(type_names())
    named = {e.type for name in known for e in type_def(name).elements.values()}
    assert named <= known


def test_every_binding_has_codes():
    bindings = {e.binding for name in type_names() for e in type_def(name).elements.values()} - {""}
    assert len(bindings) == 220
    assert all(plain_codes(url) for url in bindings)


def test_codes_by_system():
    assert plain_codes("http://hl7.org/fhir/ValueSet/administrative-gender") == {"male", "female", "other", "unknown"}
    clinical = codes("http://hl7.org/fhir/ValueSet/condition-clinical")
    assert clinical["http://terminology.hl7.org/CodeSystem/condition-clinical"] >= {"active", "relapse", "resolved"}
    assert type_def("Attachment").elements["contentType"].binding == ""


def test_reference_targets():
    assert type_def("Observation").elements["encounter"].targets == ("Encounter",)
    assert type_def("Provenance").elements["target"].targets == ()


def test_flags_and_xml_attributes():
    patient = type_def("Patient").elements
    assert patient["active"].modifier
    assert patient["active"].summary
    assert not patient["photo"].summary
    assert type_def("Extension").elements["url"].xml_attribute
    assert type_def("HumanName").elements["id"].xml_attribute
    assert not patient["id"].xml_attribute


def test_invariants_stand_where_they_are_evaluated():
    assert "pat-1" in {i.key for i in type_def("Patient.contact").invariants}
    assert {i.key for i in type_def("Patient").invariants} >= {"dom-2", "dom-3", "dom-4", "dom-5"}
    telecom = type_def("Organization").elements["telecom"].invariants
    assert [(i.key, i.context) for i in telecom] == [("org-3", "Organization.telecom")]
    assert [i.key for i in type_def("Claim.item").elements["quantity"].invariants] == ["sqty-1"]
    assert type_def("Observation").elements["valueQuantity"].invariants == ()


def test_primitives_have_a_pattern_and_may_be_extended():
    assert type_def("id").pattern == r"[A-Za-z0-9\-\.]{1,64}"
    assert list(type_def("date").elements) == ["id", "extension"]


def test_search_parameters_of_a_type_include_those_of_its_bases():
    params = search_params("Patient")
    assert {"_id", "_lastUpdated", "_profile", "_security", "_source", "_tag", "birthdate"} <= params.keys()
    assert params["general-practitioner"].target == ("Practitioner", "Organization", "PractitionerRole")
    assert len(all_search_params()) == 1381 + len(shipped.ROWS)
    assert [param.code for param in all_search_params() if not param.expression] == ["_text", "_content"]


def test_components_of_composites_resolve():
    composite = search_params("Observation")["code-value-quantity"]
    assert [search_param(url).code for url, _ in composite.components] == ["code", "value-quantity"]


def test_compartments():
    assert compartment_codes() == ("Device", "Encounter", "Patient", "Practitioner", "RelatedPerson")
    assert compartment("Patient")["Observation"] == ("subject", "performer")
    assert "Medication" not in compartment("Patient")


def test_compartment_parameters_are_search_parameters():
    wrong = [
        (code, type, param)
        for code in compartment_codes()
        for type, params in compartment(code).items()
        for param in params
        if param not in search_params(type) and param != "{def}"
    ]
    assert wrong == []


def test_operations():
    found = {o.id: o for o in operations()}
    everything = found["Patient-everything"]
    assert (everything.code, everything.instance, everything.type, everything.system) == (
        "everything", True, True, False,
    )  # fmt: skip
    assert [p.name for p in everything.parameters if p.use == "in"][:2] == ["start", "end"]
