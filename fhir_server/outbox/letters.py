"""The words of a letter: that there is a visit, when, and a link. No name, no reason, no kind of clinic, no doctor.

45 CFR 164.514(b) lists what identifies; RFC 5322 for the parts of a mail.
"""

from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from fhir_server.outbox.planning import Template

_TEXTS: dict[Template, tuple[str, str]] = {
    Template.BOOKED: ("Your visit is booked", "Your visit at {clinic} is booked for {time}."),
    Template.MOVED: ("Your visit has another time", "Your visit at {clinic} is now on {time}."),
    Template.REMINDER: ("Reminder of your visit", "Your visit at {clinic} is on {time}."),
    Template.CANCELLED: ("Your visit is cancelled", "Your visit at {clinic} on {time} will not take place."),
}
SAID: dict[Template, str] = {
    Template.BOOKED: "Told that the visit is booked.",
    Template.MOVED: "Told that the visit has another time.",
    Template.REMINDER: "Reminded of the visit.",
    Template.CANCELLED: "Told that the visit is cancelled.",
}
"""What the record keeps of a letter."""
_JOIN = "Join it here, from a few minutes before it begins: {link}"
_LOG_IN = "Log in to see it: {link}"
_END = "This message is sent by a machine and says no more than this, for your privacy. Answers to it are not read."


class Letter(NamedTuple):
    """``time`` in words, ``start`` an instant; ``link`` may be ''."""

    template: Template
    clinic: str
    start: str
    time: str
    subject: str
    text: str
    link: str

    def parameters(self) -> dict[str, Any]:
        """As a webhook gets them."""
        return {**self._asdict(), "template": self.template.value}


def written(template: Template, clinic: str, start: int, zone: tzinfo, link: str, *, opens: bool) -> Letter:
    """``start`` in ms since 1970 UTC; ``opens``: ``link`` leads into the visit, else to a log-in."""
    at = datetime.fromtimestamp(start / 1000, zone)
    time = f"{at:%A} {at.day} {at:%B} {at.year}, {at:%H:%M} ({zone})"
    subject, sentence = _TEXTS[template]
    way = (_JOIN if opens else _LOG_IN).format(link=link) if link else ""
    lines = (sentence.format(clinic=clinic, time=time), way, _END)
    return Letter(template, clinic, at.isoformat(), time, subject, "\n\n".join(filter(None, lines)), link)
