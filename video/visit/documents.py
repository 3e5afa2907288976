"""A file that somebody sent in a visit as DocumentReference, and its content as Binary.

FHIR R4 DocumentReference (https://hl7.org/fhir/R4/documentreference.html), Attachment.hash (SHA-1), Binary.
"""

import hashlib
from base64 import b64encode
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from resources.instant import instant
from resources.literal_reference import local
from video.ports import Fact
from video.visit.communication import FACTS, identifier

Json = dict[str, Any]

_AUTHORS = frozenset({"Patient", "Practitioner", "PractitionerRole", "RelatedPerson"})
_TYPE = {"system": FACTS, "code": "shared-file"}


def place(fact: Fact) -> str:
    """What the content is known as within the commit that writes both."""
    return uuid5(NAMESPACE_URL, f"{FACTS}:{fact.room}.{fact.number}").urn


def document(fact: Fact) -> Json | None:
    """What was sent, by whom and in which visit; None when no file is named. A guest of a link is nobody of the record
    and is named by its role."""
    if not fact.detail.get("file"):
        return None
    made: Json = {
        "resourceType": "DocumentReference",
        "identifier": [identifier(fact)],
        "status": "current",
        "type": {"coding": [_TYPE], "text": "File sent in a video visit"},
        "date": instant(fact.at),
        "description": str(fact.detail.get("name", "")),
    }
    if fact.patient:
        made["subject"] = {"reference": fact.patient}
    author = local(fact.actor)
    if author is not None and author.type in _AUTHORS:
        made["author"] = [{"reference": fact.actor}]
    elif fact.role:
        made["author"] = [{"display": f"Sent by: {fact.role}"}]
    if fact.encounter:
        made["context"] = {"encounter": [{"reference": fact.encounter}]}
    made["content"] = [{"attachment": _attachment(fact)}]
    return made


def _attachment(fact: Fact) -> Json:
    return {
        "contentType": str(fact.detail.get("type", "application/octet-stream")),
        "url": place(fact),
        "size": fact.detail.get("size", 0),
        "title": str(fact.detail.get("name", "")),
        "creation": instant(fact.at),
    }


def with_content(documents: list[Json], fact: Fact, content: bytes) -> tuple[list[Json], Json]:
    """``documents`` with size and hash of what there really is, and the Binary that holds it."""
    told = {"size": len(content), "hash": b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()}
    binary: Json = {"resourceType": "Binary", "contentType": str(fact.detail.get("type", ""))}
    if fact.patient:
        binary["securityContext"] = {"reference": fact.patient}
    binary["data"] = b64encode(content).decode()
    return [_told(one, told) for one in documents], binary


def _told(document: Json, more: Json) -> Json:
    [content] = document["content"]
    return {**document, "content": [{**content, "attachment": content["attachment"] | more}]}
