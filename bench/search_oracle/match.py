"""Whether the values of a resource meet one value of a search parameter: a function for each kind of parameter.

FHIR R4 Search, parameter types and modifiers (https://hl7.org/fhir/R4/search.html#ptypes, #modifiers).
"""

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from bench.search_oracle.amounts import UCUM, fits, quantities, scaled
from bench.search_oracle.moments import compared, moment, ranges
from bench.search_oracle.values import Value

PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
_ADDRESS = ("text", "line", "city", "district", "state", "postalCode", "country")
_NAME = ("text", "family", "given", "prefix", "suffix")
_STROKES = tuple(zip("øłđðħŧ\u0131æœþ", ("o", "l", "d", "d", "h", "t", "i", "ae", "oe", "th"), strict=True))
Matches = Callable[[Sequence[Value], str, str], bool]
"""Values, modifier, and what was asked, unescaped: whether one of them meets it."""


def split_prefix(text: str) -> tuple[str, str]:
    return (text[:2], text[2:]) if text[:2] in PREFIXES else ("eq", text)


# --- dates, numbers, quantities


def date(values: Sequence[Value], modifier: str, asked: str) -> bool:
    prefix, text = split_prefix(asked)
    wanted = moment(text)
    return any(compared(prefix, one, wanted) for type, value in values for one in ranges(type, value))


def number(values: Sequence[Value], modifier: str, asked: str) -> bool:
    prefix, text = split_prefix(asked)
    return any(fits(prefix, value, text) for _, value in values if not isinstance(value, dict | str))


def quantity(values: Sequence[Value], modifier: str, asked: str) -> bool:
    text, *unit = asked.split("|")
    prefix, amount = split_prefix(text)
    found = (one for type, value in values for one in quantities(type, value))
    return any(_fits(prefix, number, named, amount, unit) for number, named in found)


def _fits(prefix: str, number: Any, named: dict[str, Any], amount: str, unit: list[str]) -> bool:
    if not unit:
        return fits(prefix, number, amount)
    system, code = [*unit, ""][:2]
    if not system and code in (named.get("code"), named.get("unit")):
        return fits(prefix, number, amount)
    if system == named.get("system") and code == named.get("code"):
        return fits(prefix, number, amount)
    converted = scaled(number, named, code) if system in ("", UCUM) else None
    return converted is not None and fits(prefix, converted, amount)


# --- words


def folded(text: str) -> str:
    """Without case, accents, width and extra white space."""
    apart = unicodedata.normalize("NFKD", text)
    plain = "".join(each for each in apart if not unicodedata.combining(each)).casefold()
    for letter, written in _STROKES:
        plain = plain.replace(letter, written)
    return " ".join(unicodedata.normalize("NFKC", plain).split())


def texts(values: Sequence[Value]) -> list[str]:
    """All that a string parameter looks at."""
    found: list[str] = []
    for type, value in values:
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            for name in _NAME if type == "HumanName" else _ADDRESS if type == "Address" else ():
                part = value.get(name, [])
                found += [part] if isinstance(part, str) else [each for each in part if each]
    return found


def string(values: Sequence[Value], modifier: str, asked: str) -> bool:
    found = texts(values)
    if modifier == "exact":
        return asked in found
    wanted = folded(asked)
    if modifier == "contains":
        return any(wanted in folded(each) for each in found)
    return any(folded(each).startswith(wanted) for each in found)


# --- codes


def codings(type: str, value: Any) -> list[tuple[str, str]]:
    """(system, code) of a value of a token parameter."""
    if isinstance(value, bool):
        return [("", str(value).lower())]
    if isinstance(value, str):
        return [("", value)]
    if type == "CodeableConcept":
        return [pair for coding in value.get("coding", ()) for pair in codings("Coding", coding)]
    if type in ("Identifier", "ContactPoint"):
        return [(value.get("system", "") if type == "Identifier" else "", value["value"])] if value.get("value") else []
    return [(value.get("system", ""), value["code"])] if value.get("code") else []


def token(values: Sequence[Value], modifier: str, asked: str) -> bool:
    if modifier == "not":
        return not token(values, "", asked)
    if modifier == "text":
        wanted = folded(asked)
        return any(folded(text).startswith(wanted) for text in displays(values))
    if modifier == "of-type":
        return any(_is_of(value, *asked.split("|")) for type, value in values if type == "Identifier")
    system, bar, code = asked.rpartition("|")
    pairs = [pair for type, value in values for pair in codings(type, value)]
    if not bar:
        return any(there == code for _, there in pairs)
    if not code:
        return any(where == system for where, _ in pairs)
    return (system, code) in pairs


def displays(values: Sequence[Value]) -> list[str]:
    """The texts that stand beside codes."""
    found: list[str] = []
    for type, value in values:
        if type == "CodeableConcept":
            found += [value.get("text", ""), *(coding.get("display", "") for coding in value.get("coding", ()))]
        elif type == "Coding":
            found.append(value.get("display", ""))
        elif type == "Identifier":
            found.append(value.get("type", {}).get("text", ""))
    return [text for text in found if text]


def _is_of(identifier: dict[str, Any], system: str, code: str, value: str) -> bool:
    kinds = codings("CodeableConcept", identifier.get("type", {}))
    return (system, code) in kinds and identifier.get("value") == value


# --- references and addresses


def targets(values: Sequence[Value]) -> list[str]:
    """What References refer to, versions left out."""
    found = (value.get("reference", "") for type, value in values if type == "Reference" and isinstance(value, dict))
    return [text.partition("/_history/")[0] for text in found if text]


def reference(values: Sequence[Value], modifier: str, asked: str) -> bool:
    if modifier == "identifier":
        return token([("Identifier", value.get("identifier", {})) for _, value in values], "", asked)
    return (f"{modifier}/{asked}" if modifier else asked) in targets(values)


def uri(values: Sequence[Value], modifier: str, asked: str) -> bool:
    found = [value for _, value in values if isinstance(value, str)]
    if modifier == "below":
        return any(each == asked or each.startswith(asked.rstrip("/") + "/") for each in found)
    if modifier == "above":
        return any(asked == each or asked.startswith(each.rstrip("/") + "/") for each in found)
    return asked in found


MATCHES: dict[str, Matches] = {
    "date": date,
    "number": number,
    "quantity": quantity,
    "string": string,
    "token": token,
    "reference": reference,
    "uri": uri,
}
