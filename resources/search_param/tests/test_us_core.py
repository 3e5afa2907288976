"""Every search parameter that US Core 6.1 and 7.0 name for a type is searched by (SHALL and SHOULD, combinations split:
any parameters go together)."""

import pytest

from resources.search_param import compile_param

PARAMETERS = {
    "AllergyIntolerance": "clinical-status patient",
    "CarePlan": "category date patient status",
    "CareTeam": "patient role status",
    "Condition": "abatement-date asserted-date category clinical-status code encounter onset-date patient recorded-date"
    " _lastUpdated",
    "Coverage": "patient",
    "Device": "patient status type",
    "DiagnosticReport": "category code date patient status _lastUpdated",
    "DocumentReference": "_id category date patient period status type",
    "Encounter": "_id _lastUpdated class date discharge-disposition identifier location patient status type",
    "Goal": "description lifecycle-status patient target-date",
    "Immunization": "date patient status",
    "Location": "address address-city address-postalcode address-state name",
    "MedicationDispense": "patient status type",
    "MedicationRequest": "authoredon encounter intent patient status",
    "Observation": "category code date patient status _lastUpdated",
    "Organization": "address name",
    "Patient": "_id birthdate death-date ethnicity family gender gender-identity given identifier name race",
    "Practitioner": "_id identifier name",
    "PractitionerRole": "practitioner specialty",
    "Procedure": "code date patient status",
    "QuestionnaireResponse": "_id authored patient questionnaire status",
    "RelatedPerson": "_id name patient",
    "ServiceRequest": "_id authored category code patient status",
    "Specimen": "_id patient",
}
DATES = frozenset({"authored", "authoredon", "birthdate", "period", "_lastUpdated"})


@pytest.mark.parametrize("type", PARAMETERS)
def test_parameters_of_us_core(type):
    for name in PARAMETERS[type].split():
        for value in ("ge2020-01-01", "lt2021") if name in DATES or name.endswith("date") else ("x1",):
            assert compile_param(type, name, "", value)
