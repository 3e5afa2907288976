"""Branches that resources usually have, counted in Synthea's records and the official R4 examples: more than half of
them, or 95 of 100 where the index shows presence without a marker.

FHIR R4 Search, modifier missing. For these the index marks resources without a value, for all others those with one.
The side is part of the stored data: a change here asks for a reindex.
"""

from collections.abc import Mapping
from types import MappingProxyType

_BRANCHES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "ActivityDefinition": {
            "string": "description",
        },
        "AllergyIntolerance": {
            "reference": "recorder",
            "token": "clinicalStatus, code, verificationStatus",
        },
        "AuditEvent": {
            "reference": "agent.who, entity.what",
            "string": "agent.network.address",
            "token": "action, agent.altId, outcome, source.site, subtype",
        },
        "Bundle": {
            "reference": "entry[0].resource",
        },
        "CapabilityStatement": {
            "reference": "rest.resource.profile",
            "string": "description, name, publisher, software.name",
            "token": "rest.mode, rest.resource.type, rest.security.service",
        },
        "CarePlan": {
            "date": "period",
            "reference": "addresses, encounter",
            "token": "activity.detail.code, category",
        },
        "Claim": {
            "reference": "item.encounter",
        },
        "ClaimResponse": {
            "reference": "request, requestor",
            "string": "disposition",
            "token": "identifier",
        },
        "CodeSystem": {
            "string": "description, name, publisher, title",
            "token": "concept.code, identifier, version",
            "uri": "url",
        },
        "CompartmentDefinition": {
            "date": "date",
            "string": "description, publisher",
            "token": "resource.code, version",
        },
        "ConceptMap": {
            "date": "date",
            "reference": "source as canonical, target as canonical",
            "string": "name, publisher, title",
            "token": "group.element.code, group.element.target.code, version",
            "uri": "group.source, group.target, url",
        },
        "Condition": {
            "date": "onset, recordedDate",
            "reference": "encounter",
            "token": "clinicalStatus, code, verificationStatus",
        },
        "Consent": {
            "date": "dateTime",
            "reference": "organization, patient, provision.actor.reference",
        },
        "Contract": {
            "reference": "subject, subject(Patient)",
        },
        "Coverage": {
            "reference": "subscriber",
            "token": "identifier, type",
        },
        "CoverageEligibilityResponse": {
            "reference": "requestor",
            "string": "disposition",
            "token": "identifier",
        },
        "DetectedIssue": {
            "reference": "author, implicated",
        },
        "Device": {
            "reference": "patient",
        },
        "DeviceRequest": {
            "reference": "requester",
            "token": "status",
        },
        "DiagnosticReport": {
            "date": "effective, issued",
            "reference": "encounter, performer, subject, subject(Patient)",
            "token": "category",
        },
        "DocumentReference": {
            "date": "context.period, date",
            "reference": "author, context.encounter, custodian, subject, subject(Patient)",
            "token": "category, content.attachment.contentType, content.format, identifier, type",
        },
        "Encounter": {
            "date": "period",
            "reference": (
                "participant.individual, participant.individual(Practitioner), serviceProvider, subject, "
                "subject(Patient)"
            ),
            "token": "type",
        },
        "Endpoint": {
            "string": "name",
        },
        "ExplanationOfBenefit": {
            "reference": "careTeam.provider, claim, item.encounter",
            "token": "identifier",
        },
        "Goal": {
            "token": "achievementStatus",
        },
        "Immunization": {
            "date": "occurrence",
            "reference": "location",
        },
        "Library": {
            "date": "date",
            "reference": "relatedArtifact[type=depends-on].resource",
            "string": "description, title",
            "token": "content.contentType, identifier, topic, version",
        },
        "List": {
            "reference": "entry.item, subject(Patient)",
        },
        "Location": {
            "reference": "managingOrganization",
            "string": "name",
            "token": "status",
        },
        "Measure": {
            "string": "title",
        },
        "MeasureReport": {
            "reference": "reporter, subject(Patient)",
        },
        "Media": {
            "reference": "subject, subject(Patient)",
            "token": "modality",
        },
        "MedicationAdministration": {
            "date": "effective",
            "reference": "context, performer.actor, request",
        },
        "MedicationDispense": {
            "date": "whenPrepared",
            "reference": "authorizingPrescription, performer.actor, subject, subject(Patient)",
            "token": "type",
        },
        "MedicationRequest": {
            "date": "authoredOn",
            "reference": "encounter, requester",
        },
        "MedicationStatement": {
            "date": "effective",
            "reference": "informationSource",
        },
        "MolecularSequence": {
            "number": "referenceSeq.windowEnd, referenceSeq.windowStart",
            "token": "type",
        },
        "NutritionOrder": {
            "reference": "encounter, orderer",
            "token": "identifier",
        },
        "Observation": {
            "date": "effective",
            "reference": "encounter, subject, subject(Patient)",
            "token": "category",
        },
        "OperationDefinition": {
            "date": "date",
            "string": "description, publisher",
            "token": "version",
            "uri": "url",
        },
        "Organization": {
            "string": "address.city, address.country, address.line, address.postalCode, address.state, name",
            "token": "active, identifier, type",
        },
        "Patient": {
            "date": "birthDate",
            "string": "address.city, address.country, address.line, address.state, name.family, name.given",
            "token": "communication.language, gender, identifier, telecom, telecom(phone)",
        },
        "Person": {
            "date": "birthDate",
            "reference": "link.target",
            "token": "gender, telecom, telecom(phone)",
        },
        "PlanDefinition": {
            "reference": "library",
            "string": "title",
            "token": "version",
        },
        "Practitioner": {
            "string": (
                "address.city, address.country, address.line, address.postalCode, address.state, "
                "name.family, name.given, name.prefix"
            ),
            "token": "active, gender, identifier",
        },
        "PractitionerRole": {
            "reference": "organization, practitioner",
        },
        "Procedure": {
            "date": "performed",
            "reference": "encounter, reasonReference",
            "token": "code",
        },
        "Provenance": {
            "reference": "entity.what",
        },
        "QuestionnaireResponse": {
            "date": "authored",
            "reference": "author, questionnaire, subject, subject(Patient)",
        },
        "RelatedPerson": {
            "token": "gender, relationship, telecom, telecom(phone)",
        },
        "RiskAssessment": {
            "reference": "performer",
        },
        "SearchParameter": {
            "date": "date",
            "string": "publisher",
            "token": "version",
        },
        "ServiceRequest": {
            "reference": "requester",
            "token": "code",
        },
        "Slot": {
            "token": "serviceCategory",
        },
        "Specimen": {
            "date": "collection.collected",
            "reference": "collection.collector, subject, subject(Patient)",
            "token": "accessionIdentifier, container.type, type",
        },
        "StructureDefinition": {
            "date": "date",
            "reference": "baseDefinition",
            "string": "description, publisher",
            "token": (
                "derivation, differential.element.path, snapshot.element.base.path, snapshot.element.path, version"
            ),
        },
        "Task": {
            "date": "authoredOn, lastModified",
            "reference": "focus, owner, requester",
            "token": "code",
        },
        "TestScript": {
            "date": "date",
            "string": "description, publisher",
            "token": "identifier, jurisdiction, version",
        },
        "ValueSet": {
            "string": "description, name, publisher, title",
            "token": "version",
            "uri": "url",
        },
    }
)
"""Resource type to kind of parameter to paths."""

COMMON: frozenset[str] = frozenset(
    f"{type}.{path} {kind}"
    for type, kinds in _BRANCHES.items()
    for kind, paths in kinds.items()
    for path in paths.split(", ")
)
"""The same as ``Type.path kind``, as missing.py asks."""
