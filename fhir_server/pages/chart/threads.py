"""Messages between patients and the care team: Communications, a thread each with what answers it.

FHIR R4 Communication.inResponseTo (https://hl7.org/fhir/R4/communication.html).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from fhir_server.pages.chart.words import name, when
from resources.instant import instant
from resources.literal_reference import local

Json = dict[str, Any]

CATEGORY = {"system": "urn:x-hearth:communication", "code": "care-team", "display": "Message with the care team"}
"""What tells these from the chat of a visit and from what devices say."""
ONES = ("category", f"{CATEGORY['system']}|{CATEGORY['code']}")
"""The search that finds them."""
LONGEST, LONGEST_TOPIC = 4000, 120
_NEVER_SAID = frozenset({"preparation", "not-done", "entered-in-error"})
"""Statuses of what is still being written, was not sent, or was taken back."""


@dataclass(frozen=True)
class Message:
    """``sender`` is a reference; ``text`` as it was written."""

    id: str
    version: str
    sender: str
    who: str
    at: str
    text: str

    @property
    def reference(self) -> str:
        """Of this version of it."""
        return f"Communication/{self.id}/_history/{self.version}"


@dataclass(frozen=True)
class Thread:
    """``id`` is that of its first message; the messages in order."""

    id: str
    topic: str
    patient: str
    sent: str
    messages: tuple[Message, ...]

    @property
    def last(self) -> Message:
        return self.messages[-1]


def threads(found: Iterable[Json], included: Mapping[str, Json], zone: tzinfo) -> list[Thread]:
    """Of Communications in order of time; the thread with the latest message first."""
    roots: dict[str, list[Json]] = {}
    for one in (one for one in found if one.get("status") not in _NEVER_SAID):
        before = next((row.get("reference", "") for row in one.get("inResponseTo", ())), "")
        roots.setdefault(before.removeprefix("Communication/") or one["id"], []).append(one)
    made = [_thread(root, ones, included, zone) for root, ones in roots.items()]
    return sorted(made, key=lambda one: one.sent, reverse=True)


def _thread(root: str, ones: list[Json], included: Mapping[str, Json], zone: tzinfo) -> Thread:
    topic = next((one["topic"]["text"] for one in ones if one.get("topic", {}).get("text")), "Message")
    patient = next((ref for one in ones if (ref := one.get("subject", {}).get("reference", ""))), "")
    return Thread(root, topic, patient, ones[-1].get("sent", ""), tuple(_message(one, included, zone) for one in ones))


def _message(one: Json, included: Mapping[str, Json], zone: tzinfo) -> Message:
    sender = one.get("sender", {}).get("reference", "")
    return Message(
        id=one["id"],
        version=one.get("meta", {}).get("versionId", ""),
        sender=sender,
        who=name(included.get(sender)) or one.get("sender", {}).get("display", ""),
        at=when(one.get("sent", ""), zone),
        text="\n".join(part.get("contentString", "") for part in one.get("payload", ())).strip(),
    )


def fault(text: str) -> str:
    """What is wrong with ``text`` as a message, '' when nothing is."""
    if not text:
        return "Please write a message."
    return f"A message has at most {LONGEST} characters." if len(text) > LONGEST else ""


def written(text: str, *, patient: str, sender: str, now: int, thread: str = "", topic: str = "") -> Json:
    """A Communication about ``patient`` from ``sender`` ('' where nobody is logged in), both references; it answers
    ``thread``, or begins one of its own with ``topic``. ``now`` in ms since 1970 UTC."""
    by = {"reference": sender} if sender else {"display": "The clinic"}
    made: Json = {
        "resourceType": "Communication",
        "status": "completed",
        "category": [{"coding": [CATEGORY]}],
        "subject": {"reference": patient},
        "sender": by,
        "sent": instant(now),
        "payload": [{"contentString": text}],
    }
    first = local(f"Communication/{thread}")
    answers = {"inResponseTo": [{"reference": f"Communication/{first.id}"}]} if first else {}
    to = {} if sender == patient else {"recipient": [{"reference": patient}]}
    return made | answers | to | ({"topic": {"text": topic}} if topic and not first else {})
