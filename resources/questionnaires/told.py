"""Answers in words.

FHIR R4 QuestionnaireResponse.item.answer.value[x].
"""

from datetime import datetime, tzinfo
from typing import Any, NamedTuple

Json = dict[str, Any]


class Line(NamedTuple):
    """A question as it was asked, or a group, with what was said and what stands below."""

    text: str
    answers: list[str]
    below: "list[Line]"


def lines(parent: Json, zone: tzinfo) -> list[Line]:
    """Of a QuestionnaireResponse, an item or an answer."""
    return [_line(item, zone) for item in parent.get("item", ())]


def _line(item: Json, zone: tzinfo) -> Line:
    answers = item.get("answer", ())
    below = [line for each in (item, *answers) for line in lines(each, zone)]
    return Line(item.get("text") or item.get("linkId", ""), [told(answer, zone) for answer in answers], below)


def told(answer: Json, zone: tzinfo) -> str:
    """As a person reads it; times of ``zone``."""
    for name, value in answer.items():
        if name.startswith("value"):
            return str(_WORDS[name](value, zone)) if name in _WORDS else str(value)
    return ""


def _quantity(value: Json, zone: tzinfo) -> str:
    return f"{value.get('comparator', '')}{value.get('value', '')} {value.get('unit') or value.get('code', '')}".strip()


def _coding(value: Json, zone: tzinfo) -> str:
    return str(value.get("display") or value.get("code", ""))


def _moment(value: str, zone: tzinfo) -> str:
    if "T" not in value:
        return value
    try:
        return f"{datetime.fromisoformat(value).astimezone(zone):%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError):  # a leap second, a year that no clock has
        return value


def _attachment(value: Json, zone: tzinfo) -> str:
    return str(value.get("title") or "a file")


def _reference(value: Json, zone: tzinfo) -> str:
    return str(value.get("display") or value.get("reference", ""))


_WORDS: dict[str, Any] = {
    "valueBoolean": lambda value, zone: "Yes" if value else "No",
    "valueQuantity": _quantity,
    "valueCoding": _coding,
    "valueDateTime": _moment,
    "valueTime": lambda value, zone: value[:5] if value.endswith(":00") else value,
    "valueAttachment": _attachment,
    "valueReference": _reference,
}
