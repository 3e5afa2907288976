"""What a receiver answers to an order, as changes of the record: a Task that says where it stands, and the order.

HL7 v2.5.1 sections 4.4.7 (ORL), 4.13.7 (RRE), tables 0008, 0119 and 0038; no official map exists.
"""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from hl7_bridge.er7 import Message, Segment
from hl7_bridge.mapping.controls import without_controls
from hl7_bridge.mapping.datatypes.identifiers import entity
from hl7_bridge.mapping.reading import Reading
from hl7_bridge.outbound.events import Sent, said
from hl7_bridge.outbound.follower import SOURCE
from hl7_bridge.outbound.orders import filler
from hl7_bridge.reply import read_reply
from hl7_bridge.site.model import Receiver, Sender, Site
from resources.instant import instant
from resources.repository import Command, Patch, Put

TASK_SYSTEM = "https://hearth.health/v2/outgoing-order"
"""Identifier system of the Task about one order at one receiver: ``receiver/ServiceRequest/id``."""

ORDERS = frozenset({"ServiceRequest", "MedicationRequest"})


class Effect(NamedTuple):
    """What an answer does: the Task's status, the order's new status ('' leaves it), and words for people."""

    task: str
    order: str = ""
    words: str = ""


EFFECTS: Mapping[str, Effect] = {
    "OK": Effect("accepted", words="Order accepted"),
    "NA": Effect("accepted", words="Number assigned"),
    "SN": Effect("accepted", words="Number sent"),
    "UA": Effect("rejected", words="Unable to accept order"),
    "CR": Effect("cancelled", "revoked", "Cancelled as requested"),
    "OC": Effect("cancelled", "revoked", "Cancelled by the filler"),
    "UC": Effect("in-progress", words="Unable to cancel"),
    "DR": Effect("cancelled", "stopped", "Discontinued as requested"),
    "OD": Effect("cancelled", "stopped", "Discontinued by the filler"),
    "UD": Effect("in-progress", words="Unable to discontinue"),
    "HR": Effect("on-hold", words="On hold as requested"),
    "OH": Effect("on-hold", "on-hold", "Put on hold by the filler"),
    "UH": Effect("in-progress", words="Unable to put on hold"),
    "RE": Effect("in-progress", words="Observations to follow"),
    "OE": Effect("in-progress", words="Released by the filler"),
    "UR": Effect("on-hold", words="Unable to release"),
    "XR": Effect("accepted", words="Changed as requested"),
    "UX": Effect("rejected", words="Unable to change"),
    "XX": Effect("accepted", words="Changed by the filler"),
    "RR": Effect("received", words="Request received"),
    "SC": Effect("in-progress", words="Status changed"),
}
"""Order control codes of answers (table 0119); of a plain AA and of a refusal see below."""

_ACKNOWLEDGED = Effect("received", words="Order received")
_REFUSED = Effect("failed", words="Message refused")
_NOT_FOR = {("MedicationRequest", "revoked"): "cancelled"}
"""Statuses of the order that have another name for a type."""


class Answered(NamedTuple):
    """The order an answer is about: ``resource`` as it is now at ``version``; ``at`` in ms since 1970 UTC."""

    receiver: Receiver
    site: Site
    resource: Mapping[str, Any]
    version: int
    at: int


class Consequences(NamedTuple):
    """What an answer changes; ``told`` is what the receiver then knows of the order, None when that stays as it is."""

    commands: list[Command]
    told: Sent | None


def consequences(answered: Answered, reply: Message | None, refusal: str = "") -> Consequences:
    """What ``reply`` changes: the Task, the order's status and number; without one ``refusal`` says why."""
    # What the record would refuse would never be settled, and the message sent again and again.
    reply = without_controls(reply) if reply else None
    orc = reply.first("ORC") if reply else None
    effect = _effect(orc, refusal)
    changed = _changed(answered, orc, effect)
    order = answered.resource
    task = _task(answered, effect, ": ".join(filter(None, (refusal, _words(reply)))))
    if changed is None:
        return Consequences([task], None)
    patch = Patch(order["resourceType"], changed, order["id"], if_match=answered.version)
    return Consequences([task, patch], said(answered.version + 1, changed(dict(order))))


def _effect(orc: Segment | None, refusal: str) -> Effect:
    if refusal:
        return _REFUSED
    return EFFECTS.get(orc.text(1), _ACKNOWLEDGED) if orc else _ACKNOWLEDGED


def _words(reply: Message | None) -> str:
    """What the receiver says to people."""
    said = read_reply(reply) if reply else None
    text = (said.errors[0].text if said.errors else said.text) if said else ""
    return " ".join(text.split())[:_LONGEST]


_LONGEST = 1000
"""Characters of what a receiver says."""


def _task(answered: Answered, effect: Effect, words: str) -> Command:
    order, receiver = answered.resource, answered.receiver
    target = f"{order['resourceType']}/{order['id']}"
    identifier = {"system": TASK_SYSTEM, "value": f"{receiver.name}/{target}"}
    # Under an id, not by the identifier: a patient may write a Task of their own with that, and with two of them every
    # answer would be refused and the order sent again for ever. Who is confined to one patient chooses no ids.
    id = f"order-{blake2b(identifier['value'].encode(), digest_size=16).hexdigest()}"
    task = {
        "resourceType": "Task",
        "id": id,
        "meta": {"source": SOURCE + receiver.name},
        "identifier": [identifier],
        "basedOn": [{"reference": target}],
        "status": effect.task,
        "statusReason": {"text": words or effect.words},
        "businessStatus": {"text": effect.words},
        "intent": "order",
        "code": {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"}]},
        "focus": {"reference": target},
        "for": order["subject"],
        "lastModified": instant(answered.at),
        "owner": {"display": receiver.application or receiver.name},
    }
    return Put(task, "Task", id)


Change = Callable[[dict[str, Any]], dict[str, Any]]


def _changed(answered: Answered, orc: Segment | None, effect: Effect) -> Change | None:
    """The change of the order itself, None when the answer leaves it as it is."""
    order = answered.resource
    status = _NOT_FOR.get((order["resourceType"], effect.order), effect.order)
    number = _filler_number(answered.site, orc) if orc and filler(order) is None else None
    if number is None and (not status or status == order.get("status")):
        return None

    def apply(resource: dict[str, Any]) -> dict[str, Any]:
        identifiers = [*resource.get("identifier", ()), *([number] if number else ())]
        meta = {**resource.get("meta", {}), "source": SOURCE + answered.receiver.name}
        told = {"meta": meta, "identifier": identifiers} if identifiers else {"meta": meta}
        return {**resource, **told, **({"status": status} if status else {})}

    return apply


def _filler_number(site: Site, orc: Segment) -> dict[str, Any] | None:
    """ORC-3 as an Identifier."""
    return entity(orc.first(3), Reading(Sender(authorities=site.authorities)), "FILL")
