"""Which answers are the same, and which come before others.

FHIR R4 Questionnaire.item.enableWhen.operator; values of different kinds, units or precision are not ordered.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

Json = dict[str, Any]


def same(one: Json, other: Json) -> bool:
    """A coding by its system and code, a quantity by its number and unit, anything else by its value."""
    if "valueCoding" in one and "valueCoding" in other:
        return _coding(one["valueCoding"]) == _coding(other["valueCoding"])
    sizes = size(one), size(other)
    return sizes[0] == sizes[1] if None not in sizes else one == other


def size(answer: Json) -> tuple[str, Any] | None:
    """(what it is measured in, how much) of an answer; None of what has no order."""
    [(name, value)] = answer.items()
    kinds, made = _SIZES.get(name, ((), _number))
    return made(value) if isinstance(value, kinds) and not isinstance(value, bool) else None


def _coding(found: Json) -> tuple[str, str]:
    return found.get("system", ""), found.get("code", "") or found.get("display", "")


def _number(value: Any) -> tuple[str, Any]:
    return "1", Decimal(str(value))


def _quantity(value: Json) -> tuple[str, Any] | None:
    unit = f"{value.get('system', '')}|{value['code']}" if value.get("code") else value.get("unit", "")
    return (unit, Decimal(str(value["value"]))) if "value" in value else None


def _moment(value: str) -> tuple[str, Any] | None:
    if "T" not in value:
        return f"date {len(value)}", value
    try:
        return "moment", datetime.fromisoformat(value).timestamp()
    except ValueError:
        return None


_NUMBERS = (int, float, Decimal)
_SIZES: dict[str, tuple[type | tuple[type, ...], Callable[[Any], tuple[str, Any] | None]]] = {
    "valueInteger": (_NUMBERS, _number),
    "valueDecimal": (_NUMBERS, _number),
    "valueQuantity": (dict, _quantity),
    "valueDate": (str, _moment),
    "valueDateTime": (str, _moment),
    "valueTime": (str, lambda value: ("time", value)),
    "valueString": (str, lambda value: ("text", value)),
}
"""By the element of an answer, what its value is, and what it is as `size` has it: a limit may be of another kind."""
