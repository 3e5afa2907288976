"""A chat message of a visit as Communication.

FHIR R4 Communication (https://hl7.org/fhir/R4/communication.html).
"""

from typing import Any

from resources.instant import instant
from resources.literal_reference import local
from video.ports import Fact

Json = dict[str, Any]

FACTS = "urn:x-hearth:visit-fact"
"""Identifier system: which fact of which room a resource was made of."""
_SENDERS = frozenset({"Patient", "Practitioner", "PractitionerRole", "RelatedPerson"})


def identifier(fact: Fact) -> Json:
    return {"system": FACTS, "value": f"{fact.room}.{fact.number}"}


def about(fact: Fact) -> Json:
    """The elements that tie what is made of ``fact`` to its patient and Encounter."""
    found: Json = {"identifier": [identifier(fact)]}
    if fact.patient:
        found["subject"] = {"reference": fact.patient}
    if fact.encounter:
        found["encounter"] = {"reference": fact.encounter}
    return found


def communication(fact: Fact) -> Json | None:
    """The message; None when it says nothing. A guest of a link is nobody of the record and is named by its role."""
    text = str(fact.detail.get("text", "")).strip()
    if not text:
        return None
    made: Json = {"resourceType": "Communication", **about(fact), "status": "completed", "sent": instant(fact.at)}
    sender = local(fact.actor)
    if sender is not None and sender.type in _SENDERS:
        made["sender"] = {"reference": fact.actor}
    elif fact.role:
        made["note"] = [{"text": f"Sent by: {fact.role}"}]
    made["payload"] = [{"contentString": text}]
    return made
