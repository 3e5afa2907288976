"""The words in which scopes are told to a person who is no specialist.

SMART App Launch 2.2 asks that whoever approves understands what is asked. One row per resource type, permission,
category and special scope; a type without a row is told by its own name.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

TYPES: Mapping[str, str] = MappingProxyType(
    {
        "Patient": "Name, birth date, address and contact details",
        "Condition": "Health problems and diagnoses",
        "Observation": "Test results and vital signs",
        "MedicationRequest": "Prescribed medicines",
        "AllergyIntolerance": "Allergies and intolerances",
        "Immunization": "Vaccinations",
        "Procedure": "Operations and other procedures",
        "DiagnosticReport": "Reports of laboratory, X-ray and other examinations",
        "DocumentReference": "Letters, notes and other documents",
        "Encounter": "Visits and hospital stays",
        "Appointment": "Appointments",
        "AppointmentResponse": "Answers to invitations to appointments",
        "CarePlan": "Care plans",
        "CareTeam": "The people who take care together",
        "Goal": "Health goals",
        "MedicationStatement": "Medicines that are taken, as told",
        "MedicationAdministration": "Medicines that were given",
        "MedicationDispense": "Medicines that a pharmacy handed out",
        "ServiceRequest": "Orders of tests, treatments and referrals",
        "DeviceRequest": "Orders of devices such as a hearing aid",
        "DeviceUseStatement": "Devices that are used, as told",
        "Device": "Devices and implants",
        "FamilyMemberHistory": "Illnesses in the family",
        "ImagingStudy": "X-ray, CT, MRI and other image series",
        "Media": "Photos, videos and sound recordings",
        "Specimen": "Samples such as blood or tissue",
        "BodyStructure": "Places in the body that are examined or treated",
        "MolecularSequence": "Genetic findings",
        "QuestionnaireResponse": "Answers to questionnaires",
        "ClinicalImpression": "Assessments by clinicians",
        "RiskAssessment": "Assessments of risk",
        "DetectedIssue": "Warnings, such as medicines that do not go together",
        "AdverseEvent": "Unwanted events during treatment",
        "Flag": "Alerts that staff see on opening the record",
        "ImmunizationRecommendation": "Vaccinations that are recommended",
        "ImmunizationEvaluation": "Whether vaccinations are valid",
        "NutritionOrder": "Diets and nutrition that were ordered",
        "VisionPrescription": "Prescriptions of glasses and contact lenses",
        "Communication": "Messages",
        "CommunicationRequest": "Requests to send a message",
        "Consent": "Consents and privacy choices",
        "Composition": "Summaries and other structured documents",
        "DocumentManifest": "Sets of documents",
        "List": "Lists, such as the current medicines",
        "EpisodeOfCare": "Periods of care by one organization",
        "RequestGroup": "Groups of orders that belong together",
        "Task": "Tasks for staff or patient",
        "SupplyRequest": "Orders of supplies",
        "SupplyDelivery": "Supplies that were delivered",
        "RelatedPerson": "Relatives and others close to the patient",
        "Person": "Links between records of one person",
        "ResearchSubject": "Taking part in studies",
        "Group": "Groups of people",
        "MeasureReport": "Measures of the quality of care",
        "Coverage": "Insurance",
        "CoverageEligibilityRequest": "Questions to an insurer about what is covered",
        "CoverageEligibilityResponse": "Answers of an insurer about what is covered",
        "EnrollmentRequest": "Enrolments in an insurance",
        "Claim": "Claims to an insurer",
        "ClaimResponse": "Answers of an insurer to claims",
        "ExplanationOfBenefit": "What an insurer paid and why",
        "Account": "Billing accounts",
        "ChargeItem": "Single items of a bill",
        "Invoice": "Invoices",
        "Provenance": "Where entries come from",
        "AuditEvent": "Who looked at or changed the record",
        "Schedule": "When appointments are offered",
        "Slot": "Free times for appointments",
        "Basic": "Other entries, such as settings that the app keeps",
        "Binary": "Files, such as the pages of a document",
        "Medication": "Descriptions of medicines",
        "Practitioner": "Doctors, nurses and other professionals",
        "PractitionerRole": "Where professionals work and what they do there",
        "Organization": "Hospitals, practices and other organizations",
        "Location": "Places of care",
        "HealthcareService": "Services that organizations offer",
        "Endpoint": "Addresses of connected computer systems",
        "Questionnaire": "Questionnaires, not the answers",
    }
)

OF_A_RECORD = tuple(type for type in TYPES if type != "Group")
"""What a wildcard is spelled out to; a Group shows other people, so it is no part of one patient's record."""

_CATEGORY = "http://terminology.hl7.org/CodeSystem/"
_US_CORE = "http://hl7.org/fhir/us/core/CodeSystem/"

CATEGORIES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Condition": {
            f"{_CATEGORY}condition-category|problem-list-item": "Problems on the problem list",
            f"{_CATEGORY}condition-category|encounter-diagnosis": "Diagnoses made during a visit or stay",
            f"{_US_CORE}condition-category|health-concern": "Health concerns",
        },
        "Observation": {
            f"{_CATEGORY}observation-category|laboratory": "Laboratory results",
            f"{_CATEGORY}observation-category|vital-signs": "Vital signs such as blood pressure and weight",
            f"{_CATEGORY}observation-category|social-history": "Social history such as smoking and occupation",
            f"{_CATEGORY}observation-category|survey": "Results of surveys and assessments",
            f"{_CATEGORY}observation-category|imaging": "Findings in images",
            f"{_CATEGORY}observation-category|procedure": "Findings during procedures",
            f"{_CATEGORY}observation-category|exam": "Findings of physical examinations",
            f"{_CATEGORY}observation-category|therapy": "Findings during therapies",
            f"{_CATEGORY}observation-category|activity": "Activity such as steps and exercise",
            f"{_US_CORE}us-core-category|sdoh": "Living conditions such as housing and food",
        },
    }
)
"""For each type the ``category`` values that a person may narrow it to: those of FHIR and of US Core."""


class Action(NamedTuple):
    """What a permission lets an app do; ``letters`` in the order of ``cruds``."""

    letters: str
    label: str
    explanation: str


ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "see": Action("rs", "See", "look up what is there"),
        "add": Action("c", "Add", "add new entries"),
        "change": Action("u", "Change", "change entries"),
        "delete": Action("d", "Delete", "delete entries"),
    }
)
PARTIAL = MappingProxyType({"r": "open an entry that it knows of", "s": "search for entries"})
"""How ``see`` is explained where only one of its letters is asked."""


class Special(NamedTuple):
    """A scope that is about the person or the launch. One that may not be ``declined`` only lets the app be told
    what was chosen on the way here."""

    label: str
    explanation: str
    declined: bool = True


SPECIAL: Mapping[str, Special] = MappingProxyType(
    {
        "openid": Special("Know that it is you", "The app can recognise you when you log in again."),
        "fhirUser": Special("Know your entry in the record", "The app learns which person of the record you are."),
        "profile": Special("Know your name", "The app learns your name and which person of the record you are."),
        "offline_access": Special(
            "Keep access when you are away",
            "The app may go on using what you allow without you, until you end it or it has not done so for 90 days.",
        ),
        "online_access": Special(
            "Keep access while you are logged in", "The app's access is renewed until you log out."
        ),
        "launch": Special("Know where you were", "The app learns from where it was opened.", declined=False),
        "launch/patient": Special("Know the patient", "The app learns which patient was chosen.", declined=False),
        "launch/encounter": Special("Know the visit", "The app learns which visit was chosen.", declined=False),
    }
)


def of_type(type: str) -> str:
    """What resources of ``type`` are, such as 'Vaccinations'; 'Entries of the kind "substance protein"' at worst."""
    return TYPES.get(type) or f'Entries of the kind "{spaced(type)}"'


def of_special(scope: str) -> Special:
    """The words of a special scope; ``launch/[type]`` is told by the type's name."""
    name = scope.partition("?")[0]
    return SPECIAL.get(name) or Special(
        f"Know the {name.removeprefix('launch/')} in use",
        "The app learns which entry of that kind was open when it was started.",
        declined=False,
    )


def of_params(type: str, params: tuple[tuple[str, str], ...]) -> str:
    """What resources that meet the parameters of a granular scope are."""
    return "; ".join(_of_param(type, name, value) for name, value in params)


def _of_param(type: str, name: str, value: str) -> str:
    rows = CATEGORIES.get(type, {}) if name == "category" else {}
    known = [rows.get(choice) for choice in value.split(",")]
    told = " or ".join(words for words in known if words)
    return told if all(known) else f"Only those whose {name.strip('_').replace('-', ' ')} is {value}"


def spaced(type: str) -> str:
    """``SubstanceProtein`` as ``substance protein``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type).lower()
