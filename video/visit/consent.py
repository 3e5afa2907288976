"""Somebody's agreement to be recorded in one visit, as Consent.

FHIR R4 Consent (https://hl7.org/fhir/R4/consent.html). It is active until its member withdraws, or until
somebody changes or deletes it in the record; either ends the recording.
"""

from hashlib import blake2b
from typing import Any

from resources.instant import instant
from resources.literal_reference import local
from video.ports import Fact, FactKind
from video.visit.communication import FACTS
from video.visit.moments import period

Json = dict[str, Any]

KINDS = frozenset({FactKind.CONSENT_GIVEN, FactKind.CONSENT_WITHDRAWN})
_PERFORMERS = frozenset({"Patient", "Practitioner", "PractitionerRole", "RelatedPerson"})
_SCOPES = "http://terminology.hl7.org/CodeSystem/consentscope"
_ACTIONS = "http://terminology.hl7.org/CodeSystem/consentaction"
_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def named(room: str, purpose: str, number: int) -> str:
    """The id of what ``number`` of ``room`` makes: known before it is written, so that it is written once."""
    return blake2b(f"{purpose} {room}.{number}".encode(), digest_size=16).hexdigest()


def consent_id(room: str, agreement: int) -> str:
    """``agreement``: number of the fact with which it was given."""
    return named(room, "consent", agreement)


def agreement_of(fact: Fact) -> int:
    return fact.number if fact.kind is FactKind.CONSENT_GIVEN else int(fact.detail["agreement"])


def consent(fact: Fact, known: Json | None) -> Json:
    """The Consent after ``fact``; ``known`` as the record has it. What is inactive never becomes active again."""
    if fact.kind is FactKind.CONSENT_GIVEN:
        return known or _made(fact)
    if known is None:
        return _ended(_made(fact), fact)
    return _ended(known, fact) if known.get("status") == "active" else known


def holds(consent: Json) -> bool:
    """Whether it permits still, whoever changed it."""
    return consent.get("status") == "active" and consent.get("provision", {}).get("type", "permit") == "permit"


def _ended(consent: Json, fact: Fact) -> Json:
    provision = consent.get("provision", {})
    span = {**provision.get("period", {}), "end": instant(fact.at)}
    return {**consent, "status": "inactive", "provision": {**provision, "period": span}}


def _made(fact: Fact) -> Json:
    number = agreement_of(fact)
    made: Json = {"resourceType": "Consent", "id": consent_id(fact.room, number)}
    made |= {"identifier": [{"system": FACTS, "value": f"{fact.room}.{number}"}], "status": "active"}
    scope = "patient-privacy" if fact.patient else "treatment"
    made["scope"] = {"coding": [{"system": _SCOPES, "code": scope}]}
    made["category"] = [{"coding": [{"system": FACTS, "code": "recording"}], "text": "Recording of a video visit"}]
    if fact.patient:
        made["patient"] = {"reference": fact.patient}
    made["dateTime"] = instant(fact.at)
    performer = local(fact.actor)
    known = performer is not None and performer.type in _PERFORMERS
    made["performer"] = [{"reference": fact.actor} if known else {"display": fact.role}]
    made["policyRule"] = {"coding": [{"system": _ACT, "code": "OPTIN"}]}
    provision: Json = {"type": "permit", "period": period(fact.at)}
    provision["action"] = [{"coding": [{"system": _ACTIONS, "code": "collect"}]}]
    if fact.encounter:
        provision["data"] = [{"meaning": "instance", "reference": {"reference": fact.encounter}}]
    return made | {"provision": provision}
