"""Queries made of what is there: values of the record, whole, cut short and changed, under every modifier and prefix.

Seeded: the same seed asks the same.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bench.search_oracle.amounts import CONVERTED, UCUM, quantities
from bench.search_oracle.match import PREFIXES, codings, targets, texts
from bench.search_oracle.oracle import Oracle
from bench.search_oracle.values import Resource, Value
from resources.definitions import SearchParam, search_params
from resources.fhirpath import FhirPathError

_ORDERED = tuple(prefix for prefix in PREFIXES if prefix != "ap")
_KINDS = frozenset({"date", "number", "quantity", "string", "token", "reference", "uri", "composite"})
_ROW = ("_id", "_lastUpdated")
_DATES = frozenset({"date", "dateTime", "instant", "Period", "Timing"})
_DEEPEST = 3
# Canonicals are uris under the type reference; ContactPoints may be matched loosely (#token): not judged here.
_UNJUDGED = frozenset({"canonical", "ContactPoint", "SampledData", "Attachment", "Extension"})


def escaped(text: str) -> str:
    """Without what separates."""
    return "".join(f"\\{each}" if each in "\\,|$" else each for each in text)


class Generator:
    """Makes (type, query) over the record of ``oracle``."""

    def __init__(self, oracle: Oracle, seed: int) -> None:
        self.oracle, self.chance = oracle, random.Random(seed)
        self.types = sorted(oracle.by_type)
        self.known = {type: self._judged(type) for type in self.types}
        self._led: dict[tuple[str, str], set[str]] = {}
        self._makers: dict[str, Callable[[Value], str]] = {
            "date": self._date, "number": self._number, "quantity": self._quantity, "string": self._string,
            "token": self._token, "reference": self._reference, "uri": self._uri,
        }  # fmt: skip

    def query(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        type = self.chance.choice(self.types)
        filters = [self._filter(type) for _ in range(self.chance.choice((1, 1, 1, 2, 2, 3)))]
        sort = [("_sort", self._sort(type))] if self.chance.random() < 0.4 else []
        return type, (*(pair for pair in filters if pair), *(pair for pair in sort if pair[1]), ("_count", "1000"))

    def _judged(self, type: str) -> list[SearchParam]:
        found = []
        for name, param in sorted(search_params(type).items()):
            if param.type not in _KINDS or (name.startswith("_") and name not in ("_tag", "_profile", "_security")):
                continue
            try:
                values = [value for each in self.oracle.by_type[type] for value in self._some(each, param)]
            except FhirPathError:  # expressions that R4 publishes and FHIRPath does not know
                continue
            if values and not any(kind in _UNJUDGED for kind, _ in values):
                found.append(param)
        return found

    def _some(self, resource: Resource, param: SearchParam) -> list[Value]:
        if param.type != "composite":
            return self.oracle.reader.values(resource, param.code)
        return [value for part in self.oracle.reader.parts(resource, param.code) for some in part for value in some]

    # --- one parameter

    def _filter(self, type: str, depth: int = 0) -> tuple[str, str] | None:
        if depth < _DEEPEST and self.chance.random() < 0.15:
            return self._link(type, depth)
        if self.chance.random() < 0.06:
            return self._row(type)
        if not self.known[type]:
            return None
        param = self.chance.choice(self.known[type])
        if self.chance.random() < 0.08 and param.type != "composite":
            return f"{param.code}:missing", self.chance.choice(("true", "false"))
        count = self.chance.choice((1, 1, 1, 1, 2, 3)) if param.multiple_or else 1
        if param.type == "composite":
            return self._composite(type, param)
        modifier = self._modifier(type, param)
        made = [self._made(type, param, modifier) for _ in range(count)]
        values = [each for each in made if each]
        return (f"{param.code}{modifier}", ",".join(values)) if values else None

    def _row(self, type: str) -> tuple[str, str]:
        some = self.chance.sample(self.oracle.by_type[type], min(3, len(self.oracle.by_type[type])))
        if self.chance.random() < 0.5:
            return "_id", ",".join(each["id"] for each in some)
        at = self.oracle.updated[f"{type}/{some[0]['id']}"] // 1000
        return "_lastUpdated", self.chance.choice(_ORDERED) + datetime.fromtimestamp(at, UTC).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        )

    def _modifier(self, type: str, param: SearchParam) -> str:
        chosen = {
            "string": ("", "", ":exact", ":contains"),
            "token": ("", "", "", ":not", ":text"),
            "uri": ("", "", ":below", ":above"),
            "reference": ("", "", "", ":identifier"),
        }.get(param.type, ("",))
        if param.type == "token" and self._kinds(type, param) == {"Identifier"}:
            chosen = ("", "", ":not", ":of-type")
        found = self.chance.choice(chosen)
        if found == ":text" and not self._has_text(type, param):
            return ""
        return found

    def _has_text(self, type: str, param: SearchParam) -> bool:
        return self._kinds(type, param) <= {"Coding", "CodeableConcept"}

    def _kinds(self, type: str, param: SearchParam) -> set[str]:
        return {kind for each in self.oracle.by_type[type] for kind, _ in self.oracle.reader.values(each, param.code)}

    def _made(self, type: str, param: SearchParam, modifier: str) -> str:
        with_values = [v for each in self.oracle.by_type[type] for v in self.oracle.reader.values(each, param.code)]
        value = self.chance.choice(with_values)
        if modifier == ":text":
            texts = [value[1].get("text", "")] if value[0] == "CodeableConcept" else []
            texts += [
                coding.get("display", "") for coding in value[1].get("coding", [value[1]]) if isinstance(coding, dict)
            ]
            text = self.chance.choice([each for each in texts if each] or [""])
            return escaped(text[: self.chance.randint(1, len(text))].strip()) if text.strip() else ""
        if modifier in (":of-type", ":identifier"):
            return self._identified(value[1] if modifier == ":of-type" else value[1].get("identifier", {}), modifier)
        made = self._makers[param.type](value)
        if modifier == ":exact" and self.chance.random() < 0.7:
            found = [text for text in texts_of(value) if text.strip() == text]
            return escaped(self.chance.choice(found)) if found else made
        return made

    def _identified(self, identifier: dict[str, Any], modifier: str) -> str:
        system, value = escaped(identifier.get("system", "")), escaped(identifier.get("value", ""))
        if modifier == ":identifier":
            return f"{system}|{value}" if value else ""
        kinds = codings("CodeableConcept", identifier.get("type", {}))
        where, code = kinds[0] if kinds else ("", "")
        return f"{escaped(where)}|{escaped(code)}|{value}" if where and value else ""

    def _composite(self, type: str, param: SearchParam) -> tuple[str, str] | None:
        urls = {each.url: each.type for each in search_params(type).values()}
        elements = [
            element
            for each in self.oracle.by_type[type]
            for element in self.oracle.reader.parts(each, param.code)
            if all(element)
        ]
        if not elements:
            return None
        element = self.chance.choice(elements)
        kinds = [urls[url] for url, _ in param.components]
        made = [self._makers[kind](self.chance.choice(values)) for kind, values in zip(kinds, element, strict=True)]
        return (param.code, "$".join(made)) if all(made) else None

    # --- links

    def _link(self, type: str, depth: int) -> tuple[str, str] | None:
        return self._chain(type, depth) if self.chance.random() < 0.6 else self._reverse(type, depth)

    def _chain(self, type: str, depth: int) -> tuple[str, str] | None:
        links = [param for param in self.known[type] if param.type == "reference"]
        if not links:
            return None
        param = self.chance.choice(links)
        ends = self._ends(type, param)
        if not ends:
            return None
        end = self.chance.choice(sorted(ends))
        rest = self._filter(end, depth + 1)
        return (f"{param.code}:{end}.{rest[0]}", rest[1]) if rest else None

    def _ends(self, type: str, param: SearchParam) -> set[str]:
        """The types that references of ``param`` lead to in this record."""
        key = type, param.code
        if key not in self._led:
            self._led[key] = {
                target.split("/")[0]
                for each in self.oracle.by_type[type]
                for target in targets(self.oracle.reader.values(each, param.code))
                if target in self.oracle.by_name
            } & set(param.target)
        return self._led[key]

    def _reverse(self, type: str, depth: int) -> tuple[str, str] | None:
        sources = [
            (source, param.code)
            for source in self.types
            for param in self.known[source]
            if param.type == "reference" and type in self._ends(source, param)
        ]
        if not sources:
            return None
        source, code = self.chance.choice(sources)
        rest = self._filter(source, depth + 1)
        return (f"_has:{source}:{code}:{rest[0]}", rest[1]) if rest else None

    # --- values

    def _date(self, value: Value) -> str:
        kind, found = value
        if kind == "Period":
            found = found.get(self.chance.choice(("start", "end"))) or found.get("start") or found.get("end")
        elif kind == "Timing":
            events = [*found.get("event", ()), found.get("repeat", {}).get("boundsPeriod", {}).get("start", "")]
            found = self.chance.choice(events)
        if kind not in _DATES or not isinstance(found, str) or not found:
            return ""
        shorter = [found, found[:10], found[:7], found[:4]] + ([found[:16] + found[-6:]] if len(found) == 25 else [])
        text = self.chance.choice(shorter)
        if self.chance.random() < 0.1 and len(text) >= 10:
            text = text[:8] + f"{self.chance.randint(1, 28):02}" + text[10:]
        return self.chance.choice(("", "", *_ORDERED)) + text

    def _number(self, value: Value) -> str:
        number = Decimal(str(value[1])) if not isinstance(value[1], dict | str) else Decimal(1)
        return self.chance.choice(("", "", *PREFIXES)) + self._near(number)

    def _near(self, number: Decimal) -> str:
        """As written, with other digits, or a little beside."""
        changes = (number, number, round(number, 1), number + Decimal("0.1"), number * 2, Decimal(int(number)))
        return f"{self.chance.choice(changes):f}"

    def _quantity(self, value: Value) -> str:
        found = quantities(*value)
        if not found or isinstance(found[0][0], tuple):
            return ""
        number, named = found[0]
        text = self.chance.choice(("", "", *PREFIXES)) + self._near(Decimal(str(number)))
        system, code, unit = (named.get(name, "") for name in ("system", "code", "unit"))
        forms = [text]
        forms += [f"{text}|{escaped(system)}|{escaped(code)}"] * 2 if system and code else []
        forms += [f"{text}||{escaped(code or unit)}"] if code or unit else []
        if system == UCUM and code in CONVERTED:
            forms.append(f"{text}|{system}|{self.chance.choice(sorted(CONVERTED))}")
        return self.chance.choice(forms)

    def _string(self, value: Value) -> str:
        found = [text for text in texts_of(value) if text.strip()]
        if not found:
            return ""
        text = self.chance.choice(found).strip()
        text = text[: self.chance.randint(1, min(len(text), 40))].strip() or text
        if self.chance.random() < 0.2:
            text = text.upper()
        return escaped(text)

    def _token(self, value: Value) -> str:
        pairs = codings(*value)
        if not pairs:
            return ""
        system, code = self.chance.choice(pairs)
        if value[0] in ("code", "boolean", "string", "id", "uri"):
            return escaped(code)
        forms = [escaped(code), f"{escaped(system)}|{escaped(code)}"]
        forms += [f"{escaped(system)}|"] if system else []
        forms += [f"|{escaped(code)}"]
        return self.chance.choice(forms)

    def _reference(self, value: Value) -> str:
        found = targets([value])
        if not found or "://" in found[0] or "/" not in found[0]:
            return ""
        return self.chance.choice((found[0], found[0], found[0].partition("/")[2]))

    def _uri(self, value: Value) -> str:
        if not isinstance(value[1], str):
            return ""
        parts = value[1].split("/")
        return escaped("/".join(parts[: self.chance.randint(max(1, len(parts) - 1), len(parts))]) or value[1])

    # --- order

    def _sorts(self, type: str, param: SearchParam) -> bool:
        """Ranges and ages have no one number to be sorted by here; codes of unknown systems are sorted without case."""
        if param.type == "token":
            values = (
                value for each in self.oracle.by_type[type] for value in self.oracle.reader.values(each, param.code)
            )
            codes = [code for value in values for _, code in codings(*value)]
            return all(code == code.lower() for code in codes)
        return param.type != "quantity" or self._kinds(type, param) <= {"Quantity", "Money"}

    def _sort(self, type: str) -> str:
        fit = [param.code for param in self.known[type] if param.type != "composite" and self._sorts(type, param)]
        names = self.chance.sample([*fit, *_ROW], min(len(fit) + 2, self.chance.choice((1, 1, 2))))
        return ",".join(self.chance.choice(("", "-")) + each for each in names)


def texts_of(value: Value) -> list[str]:
    return texts([value])
