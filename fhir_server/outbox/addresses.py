"""Where a patient is written to: what Patient.telecom says that holds today, unless they want no letters.

FHIR R4 ContactPoint (https://hl7.org/fhir/R4/datatypes.html#ContactPoint), Flag (https://hl7.org/fhir/R4/flag.html).
"""

import re
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address as Mailbox
from typing import Any, Literal, NamedTuple

Json = dict[str, Any]
Channel = Literal["smtp", "webhook"]

CONTACT = "urn:x-hearth:contact"
NO_LETTERS = "no-letters"
"""Code of CONTACT; an active Flag with it on the patient ends all letters."""
_LAST = 1 << 31
_DOMAIN = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9-]*\.)+[A-Za-z][A-Za-z0-9-]*")
"""A name: an address by number would have the site's mail server ask hosts of its own network."""
_PHONE = re.compile(r"\+?[0-9][0-9 ()/.\-]{4,24}")


class Address(NamedTuple):
    """``system`` is that of the ContactPoint: email, sms or phone."""

    channel: Channel
    system: str
    value: str


def address_of(patient: Json, channels: tuple[Channel, ...], now: datetime) -> Address | None:
    """By the first of ``channels`` for which the patient has an address; None without one."""
    points = sorted(
        (one for one in patient.get("telecom", ()) if one.get("use") != "old" and _holds(one, now)),
        key=lambda one: one.get("rank", _LAST),
    )
    found = (address for channel in channels for address in _of[channel](points))
    return next(found, None)


def wants_none(flags: list[Json]) -> bool:
    """Whether one of ``flags`` ends all letters."""
    codings = (one for flag in flags if flag.get("status") == "active" for one in flag["code"].get("coding", ()))
    return any((one.get("system"), one.get("code")) == (CONTACT, NO_LETTERS) for one in codings)


def _mails(points: list[Json]) -> list[Address]:
    return [
        Address("smtp", "email", value)
        for one in points
        if one.get("system") == "email" and _is_mail(value := one.get("value", "").strip())
    ]


def _phones(points: list[Json]) -> list[Address]:
    """Of sms, then of mobile telephones: to others nothing can be written."""
    texts = [one for one in points if one.get("system") == "sms"]
    mobile = [one for one in points if one.get("system") == "phone" and one.get("use") == "mobile"]
    return [
        Address("webhook", one["system"], value)
        for one in (*texts, *mobile)
        if _PHONE.fullmatch(value := one.get("value", "").strip())
    ]


_of = {"smtp": _mails, "webhook": _phones}


def _is_mail(text: str) -> bool:
    """One address and nothing else: what a record holds must not become a second recipient or a header."""
    try:
        mailbox = Mailbox(addr_spec=text)
    except (ValueError, IndexError, MessageError):
        return False
    whole = mailbox.addr_spec == text  # no comment and no blank beside it
    named = bool(_DOMAIN.fullmatch(mailbox.domain))
    return bool(mailbox.username and whole and named and text.isascii() and text.isprintable() and len(text) < 255)


def _holds(point: Json, now: datetime) -> bool:
    """Dates as they are written, a day at either end in doubt held."""
    today = now.date().isoformat()
    start, end = (point.get("period", {}).get(name, "")[:10] for name in ("start", "end"))
    return start <= today and (not end or today[: len(end)] <= end)
