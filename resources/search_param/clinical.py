"""The clinical date of each resource type: the search parameter whose value orders its resources.

FHIR R4 search parameters of type date. The order key of the store is made of it, so date searches on it need no rows of
their own where the date is exactly one whole second.
"""

from collections.abc import Mapping
from types import MappingProxyType

CLINICAL: Mapping[str, str] = MappingProxyType(
    {
        "AdverseEvent": "date", "AllergyIntolerance": "date", "Appointment": "date", "AuditEvent": "date",
        "CarePlan": "date", "CareTeam": "date", "Claim": "created", "ClaimResponse": "created",
        "ClinicalImpression": "date", "Communication": "sent", "CommunicationRequest": "authored",
        "Composition": "date",
        "Condition": "onset-date", "Consent": "date", "Contract": "issued", "CoverageEligibilityRequest": "created",
        "CoverageEligibilityResponse": "created", "DetectedIssue": "identified", "DeviceRequest": "authored-on",
        "DiagnosticReport": "date", "DocumentManifest": "created", "DocumentReference": "date", "Encounter": "date",
        "EpisodeOfCare": "date", "ExplanationOfBenefit": "created", "FamilyMemberHistory": "date", "Flag": "date",
        "Goal": "start-date", "ImagingStudy": "started", "Immunization": "date", "ImmunizationEvaluation": "date",
        "ImmunizationRecommendation": "date", "Invoice": "date", "List": "date", "MeasureReport": "date",
        "Media": "created", "MedicationAdministration": "effective-time", "MedicationDispense": "whenhandedover",
        "MedicationRequest": "authoredon", "MedicationStatement": "effective", "NutritionOrder": "datetime",
        "Observation": "date", "PaymentNotice": "created", "PaymentReconciliation": "created", "Procedure": "date",
        "Provenance": "recorded", "QuestionnaireResponse": "authored", "RequestGroup": "authored",
        "ResearchSubject": "date", "RiskAssessment": "date", "Schedule": "date", "ServiceRequest": "authored",
        "Slot": "start", "Specimen": "collected", "SupplyRequest": "date",
        "Task": "authored-on", "VisionPrescription": "datewritten",
    }
)  # fmt: skip
"""Resource type to search parameter; a type that is absent is ordered by its time of creation."""


def clinical(type: str) -> str:
    """The code of the clinical parameter of a type, or ''."""
    return CLINICAL.get(type, "")
