"""OBX-5 by the type that OBX-2 names, as Observation.value[x].

HL7 v2.5.1 section 7.4.2.5 and table 0125; official map OBX[Observation].
"""

from collections.abc import Callable
from typing import Any, Final

from hl7_bridge.er7 import Value
from hl7_bridge.mapping.datatypes.coded import concept
from hl7_bridge.mapping.datatypes.numbers import numeric_range, quantity, structured
from hl7_bridge.mapping.datatypes.texts import clean
from hl7_bridge.mapping.datatypes.times import date_time, period, time
from hl7_bridge.mapping.draft import Draft

Made = tuple[str, Any]
"""The suffix of ``value[x]`` and the value."""

Make = Callable[[Value, Value, Draft], Made | None]


def value(kind: str, each: Value, units: Value, draft: Draft) -> Made | None:
    """What one repetition of OBX-5 says, of the type ``kind``; as text when it is not of that type. None when empty."""
    make = TYPES.get(kind, _text)
    return make(each, units, draft) or _text(each, units, draft)


def _text(each: Value, units: Value, draft: Draft) -> Made | None:
    text = clean(each.whole)
    return ("String", text) if text else None


def _number(each: Value, units: Value, draft: Draft) -> Made | None:
    made = quantity(each.text(), units, draft) if len(each) == 1 else None
    if made is None:
        draft.warn(f"{draft.place}: a value of type NM is no number and is kept as text.")
        return None
    if "comparator" in made:
        draft.warn(f"{draft.place}: a value of type NM has a comparator.")
    return "Quantity", made


def _structured(each: Value, units: Value, draft: Draft) -> Made | None:
    made = structured(each, units, draft)
    return (made[0][0].upper() + made[0][1:], made[1]) if made else None


def _coded(each: Value, units: Value, draft: Draft) -> Made | None:
    made = concept(each, draft)
    return ("CodeableConcept", made) if made else None


def _moment(each: Value, units: Value, draft: Draft) -> Made | None:
    made = date_time(each, draft)
    return ("DateTime", made) if made else None


def _time(each: Value, units: Value, draft: Draft) -> Made | None:
    made = time(each, draft)
    return ("Time", made) if made else None


def _period(each: Value, units: Value, draft: Draft) -> Made | None:
    made = period(each, draft)
    return ("Period", made) if made else None


def _range(each: Value, units: Value, draft: Draft) -> Made | None:
    made = numeric_range(each, draft)
    return ("Range", made) if made else None


def _value_range(each: Value, units: Value, draft: Draft) -> Made | None:
    low, high = each.text(1), each.text(2)
    return ("String", f"{low}-{high}") if low and high else None


def _composite(each: Value, units: Value, draft: Draft) -> Made | None:
    """CQ: a number with its own unit."""
    made = quantity(each.text(1), each.part(2) if each.raw_part(2) else units, draft)
    return ("Quantity", made) if made else None


TYPES: Final[dict[str, Make]] = {
    "NM": _number,
    "SN": _structured,
    "CQ": _composite,
    "CE": _coded,
    "CF": _coded,
    "CNE": _coded,
    "CWE": _coded,
    "IS": _coded,
    "ID": _coded,
    "DT": _moment,
    "TS": _moment,
    "DTM": _moment,
    "TM": _time,
    "DR": _period,
    "NR": _range,
    "VR": _value_range,
    "ST": _text,
    "TX": _text,
    "FT": _text,
}
"""By OBX-2; what is not here is text."""

LINES: Final = frozenset({"TX", "FT", "ST", "", "CF"})
"""Types whose repetitions are lines of one text."""

CODED: Final = frozenset({"CE", "CWE", "CNE", "CF"})
"""Types of what can have results of its own, such as an organism."""

DOCUMENTS: Final = frozenset({"ED", "RP"})
"""Types that are documents: they go to the report's presentedForm."""
