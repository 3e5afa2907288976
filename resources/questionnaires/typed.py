"""Answers as people type and choose them on a page: fields of a form to answers and back.

FHIR R4 data types; WHATWG HTML 4.10.5 (what date, time and number fields send).
A field is named ``a<at>:<link>``, ``at`` the numbers of its place joined by dots; with ``t`` what is said beside a
choice, with ``u`` the unit of a quantity.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from resources.questionnaires.answers import Answers, Breach
from resources.questionnaires.form import CHOICES, Form, Place, units

Json = dict[str, Any]
Fields = Mapping[str, Sequence[str]]
"""What a form sent: all values of each name."""

MOST_TIMES = 100
"""How often something may be repeated."""
_LONGEST = 20_000
_NAME = re.compile(r"a(\d{1,3}(?:\.\d{1,3}){0,20}):(.+)", re.DOTALL)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0d\x0e-\x1f\x7f]")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?")


def name_of(place: Place, kind: str = "a") -> str:
    """Of the field."""
    return f"{kind}{'.'.join(map(str, place.at))}:{place.link}"


def key_of(answer: Json) -> str:
    """How a choice is told from others in a field."""
    [value] = answer.values()
    return f"{value.get('system', '')}|{_word(value)}" if isinstance(value, dict) else str(value)


def _word(coding: Json) -> str:
    return str(coding.get("code") or coding.get("display", ""))


def label_of(answer: Json) -> str:
    """What a choice says."""
    [value] = answer.values()
    return str(value.get("display") or value.get("code", "")) if isinstance(value, dict) else str(value)


# --- what was sent


def read(form: Form, fields: Fields, before: Answers, zone: tzinfo) -> tuple[Answers, list[Breach]]:
    """The answers in ``fields`` and what cannot be understood; what a page cannot take stays as it was ``before``.

    Times that are typed are of ``zone``.
    """
    answers: Answers = {place: answer for place, answer in before.items() if not form.fillable(place.link)}
    amiss: list[Breach] = []
    for name in fields:
        if (place := _place(form, name)) is None:
            continue
        try:
            made = _answers(form, place, fields, zone)
        except ValueError as wrong:
            amiss.append(Breach(place, str(wrong)))
            continue
        answers |= {Place(place.link, (*place.around, place.at[-1] + n)): one for n, one in enumerate(made)}
    return answers, amiss


def _place(form: Form, name: str) -> Place | None:
    found = _NAME.fullmatch(name)
    if found is None or found[2] not in form.items or not form.fillable(found[2]):
        return None
    place = Place(found[2], tuple(int(n) for n in found[1].split(".")))
    deep = len(place.at) == len(form.above[place.link]) + 1
    told = name_of(place) == name  # in digits of ours, and no more of them than it takes
    return place if deep and told and max(place.at) < MOST_TIMES else None


def _answers(form: Form, place: Place, fields: Fields, zone: tzinfo) -> list[Json]:
    """Raises ValueError, which says what was expected."""
    item, values = form.items[place.link], [_clean(text) for text in fields[name_of(place)]]
    if item["type"] in CHOICES:
        return _choices(form, place, [text for text in values if text], fields)
    text = values[0]
    if item["type"] == "quantity":
        unit = _clean(next(iter(fields.get(name_of(place, "u"), ())), ""))
        return [{"valueQuantity": _quantity(item, text, unit)}] if text else []
    if len(text) > _LONGEST:
        raise ValueError(f"At most {_LONGEST:,} characters.")
    key, made = _TYPED[item["type"]]
    return [{key: made(text, zone)}] if text else []


OTHER = "other:"
"""Sent for what is none of the choices."""


def _choices(form: Form, place: Place, values: Sequence[str], fields: Fields) -> list[Json]:
    options = {key_of(option): option for option in form.options(place.link) or ()}
    if unknown := [text for text in values if text not in options and text != OTHER]:
        raise ValueError(f"{unknown[0].rpartition('|')[2][:60]!r} is no choice any more; please choose again.")
    made = [options[text] for text in dict.fromkeys(values) if text != OTHER]
    said = _clean(next(iter(fields.get(name_of(place, "t"), ())), ""))[:_LONGEST] if form.is_free(place.link) else ""
    if OTHER in values and not said:
        raise ValueError("Please say in your own words what else it is.")
    if said and made and OTHER not in values and not form.items[place.link].get("repeats"):
        raise ValueError("This is chosen and also answered in words; please clear one of them.")
    return [*made, {"valueString": said}] if said else made


def _clean(text: str) -> str:
    """Without what no FHIR string may hold."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n")).strip()


def _quantity(item: Json, text: str, unit: str) -> Json:
    allowed = units(item)
    coding = next((one for one in allowed if _word(one) == unit), allowed[0] if len(allowed) == 1 else None)
    if allowed and coding is None:
        raise ValueError("Please choose a unit.")
    value = {"value": _decimal(text)}
    if coding is None:
        return value | ({"unit": unit[:100]} if unit else {})
    named = {"unit": coding.get("display") or coding.get("code", "")}
    return value | named | {name: coding[name] for name in ("system", "code") if name in coding}


def _decimal(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise ValueError("Please write a number with a point, such as 37.5.")
    try:
        return Decimal(text)
    except InvalidOperation as wrong:
        raise ValueError("Please write a number, such as 37.5.") from wrong


def _integer(text: str) -> int:
    if not re.fullmatch(r"-?\d{1,10}", text) or abs(int(text)) > 2**31 - 1:
        raise ValueError("Please write a whole number, such as 3.")
    return int(text)


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat() if len(text) == 10 else _partial(text)
    except ValueError:
        raise ValueError("Please write a date as year-month-day, such as 2026-11-23.") from None


def _partial(text: str) -> str:
    if re.fullmatch(r"\d{4}(-(0[1-9]|1[0-2]))?", text) and not text.startswith("0000"):
        return text
    raise ValueError(text)


def _moment(text: str, zone: tzinfo) -> str:
    try:
        if "T" not in text and " " not in text:
            return _date(text)
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("Please write date and time, such as 2026-11-23T09:30.") from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone)
    return found.isoformat(timespec="seconds" if found.microsecond == 0 else "milliseconds")


def _time(text: str) -> str:
    try:
        return time.fromisoformat(text).replace(tzinfo=None).isoformat(timespec="seconds")
    except ValueError:
        raise ValueError("Please write a time, such as 09:30.") from None


def _yes(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("Please choose yes or no.")
    return text == "true"


def _url(text: str) -> str:
    if not text.isprintable() or " " in text:
        raise ValueError("Please write an address without spaces, such as https://example.org.")
    return text


_TYPED: dict[str, tuple[str, Callable[[str, tzinfo], Any]]] = {
    "boolean": ("valueBoolean", lambda text, zone: _yes(text)),
    "decimal": ("valueDecimal", lambda text, zone: _decimal(text)),
    "integer": ("valueInteger", lambda text, zone: _integer(text)),
    "date": ("valueDate", lambda text, zone: _date(text)),
    "dateTime": ("valueDateTime", _moment),
    "time": ("valueTime", lambda text, zone: _time(text)),
    "string": ("valueString", lambda text, zone: " ".join(text.split())),
    "text": ("valueString", lambda text, zone: text),
    "url": ("valueUri", lambda text, zone: _url(text)),
}


# --- what is shown


def fields(form: Form, answers: Mapping[Place, Json], zone: tzinfo) -> dict[str, list[str]]:
    """What a page would send that has ``answers`` on it."""
    made: dict[str, list[str]] = {}
    for place in sorted(answers):
        if form.fillable(place.link):
            _show(form, place, answers[place], zone, made)
    return made


def _show(form: Form, place: Place, answer: Json, zone: tzinfo, made: dict[str, list[str]]) -> None:
    [(key, value)] = answer.items()
    kind = form.items[place.link]["type"]
    if kind in CHOICES:
        # All that is chosen is one field.
        first = Place(place.link, (*place.around, 0))
        known = {key_of(option) for option in form.options(place.link) or ()}
        free = key_of(answer) not in known and key == "valueString"
        made.setdefault(name_of(first), []).append(OTHER if free else key_of(answer))
        if free:
            made[name_of(first, "t")] = [value]
        return
    if kind == "quantity":
        made[name_of(place)] = [str(value.get("value", ""))]
        made[name_of(place, "u")] = [str(value.get("code") or value.get("unit", ""))]
        return
    made[name_of(place)] = [_text(key, value, zone)]


def _text(key: str, value: Any, zone: tzinfo) -> str:
    if key == "valueBoolean":
        return "true" if value else "false"
    if key == "valueDateTime" and "T" in value:
        try:
            return datetime.fromisoformat(value).astimezone(zone).replace(tzinfo=None).isoformat()
        except (ValueError, OverflowError):  # a leap second, a year that no clock has
            return str(value)
    return str(value)
