"""The whole search in memory: parameters ANDed, values ORed, chains followed, _has turned round, and the order checked.

FHIR R4 Search, chaining and sorting (https://hl7.org/fhir/R4/search.html#chaining, #has, #sort).
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from bench.search_oracle.match import MATCHES, codings, folded, targets, texts
from bench.search_oracle.moments import EVER, compared, moment, ranges
from bench.search_oracle.values import Reader, Resource, parameter
from resources.definitions import search_params
from resources.search_param.clinical import CLINICAL

Query = Sequence[tuple[str, str]]
_RESULT = frozenset({"_sort", "_count"})
# CLINICAL says which date orders a type (docs/search.md): a decision, of which nothing is worked out.


class Oracle:
    """Over ``resources``; ``updated`` are their ms since 1970 UTC by reference."""

    def __init__(self, resources: Iterable[Resource], updated: dict[str, int]) -> None:
        self.all = list(resources)
        self.updated = updated
        self.reader = Reader()
        self.by_name = {name(each): each for each in self.all}
        self.by_type: dict[str, list[Resource]] = {}
        for each in self.all:
            self.by_type.setdefault(each["resourceType"], []).append(each)

    def find(self, type: str, query: Query) -> set[str]:
        """References of what meets all of ``query``."""
        asked = [pair for pair in query if pair[0] not in _RESULT]
        found = self.by_type.get(type, [])
        return {name(each) for each in found if all(self.meets(each, *pair) for pair in asked)}

    def meets(self, resource: Resource, key: str, text: str) -> bool:
        """Whether ``resource`` meets one parameter as it stands in a query."""
        if key.startswith("_has:"):
            return self._has(resource, key, text)
        head, dot, rest = key.partition(".")
        code, _, modifier = head.partition(":")
        if dot:
            return self._chained(resource, code, modifier, rest, text)
        if modifier == "missing":
            return bool(self._present(resource, code)) is (text == "false")
        if modifier == "not":
            return not any(self._value(resource, code, "", each) for each in split(text, ","))
        return any(self._value(resource, code, modifier, each) for each in split(text, ","))

    def _value(self, resource: Resource, code: str, modifier: str, text: str) -> bool:
        if code == "_id":
            return bool(resource["id"] == text)
        if code == "_lastUpdated":
            prefix = text[:2] if text[:2].isalpha() else "eq"
            at = self.updated[name(resource)] * 1000
            return compared(prefix, (at, at + 1000), moment(text.removeprefix(prefix)))
        param = parameter(resource["resourceType"], code)
        if param.type == "composite":
            return self._composite(resource, code, text)
        values = self.reader.values(resource, code)
        if param.type == "reference" and not modifier and "/" not in text:  # of any type that may stand there
            return any(MATCHES["reference"](values, type, text) for type in param.target)
        return MATCHES[param.type](values, modifier, unescaped(text))

    def _present(self, resource: Resource, code: str) -> bool:
        values, kind = self.reader.values(resource, code), parameter(resource["resourceType"], code).type
        if kind == "date":  # a schedule in words is no date
            return any(ranges(*value) for value in values)
        if kind == "reference" and "resolve()" in parameter(resource["resourceType"], code).expression:
            # The index does not look into what is contained, so that nothing says of which type it is.
            return any(not value.get("reference", "").startswith("#") for _, value in values)
        return bool(values)

    def _composite(self, resource: Resource, code: str, text: str) -> bool:
        param = parameter(resource["resourceType"], code)
        asked = [unescaped(part) for part in split(text, "$")]
        urls = {each.url: each.type for each in search_params(resource["resourceType"]).values()}
        kinds = [urls[url] for url, _ in param.components]
        return any(
            all(MATCHES[kind](values, "", one) for kind, values, one in zip(kinds, element, asked, strict=True))
            for element in self.reader.parts(resource, code)
        )

    # --- links

    def _chained(self, resource: Resource, code: str, type: str, rest: str, text: str) -> bool:
        linked = (self.by_name.get(each) for each in targets(self.reader.values(resource, code)))
        return any(self._meets_end(each, rest, text) for each in linked if each and type in ("", each["resourceType"]))

    def _meets_end(self, resource: Resource, rest: str, text: str) -> bool:
        """A chain goes on only through types that have its next parameter."""
        if not rest.startswith("_has:") and rest.partition(".")[0].partition(":")[0] not in search_params(
            resource["resourceType"]
        ):
            return False
        return self.meets(resource, rest, text)

    def _has(self, resource: Resource, key: str, text: str) -> bool:
        source, code, rest = key.removeprefix("_has:").split(":", 2)
        own = name(resource)
        return any(
            own in targets(self.reader.values(each, code)) and self.meets(each, rest, text)
            for each in self.by_type.get(source, ())
        )

    # --- order

    def misordered(self, type: str, query: Query, found: Sequence[str]) -> str:
        """The first two that stand the wrong way round, '' when none do."""
        keys = [part for pair in query if pair[0] == "_sort" for part in pair[1].split(",")]
        if not keys and type not in CLINICAL:
            return ""
        keys = keys or [f"-{CLINICAL[type]}"]
        # Where a Period without a start stands is not said.
        found = [each for each in found if not self._is_open(self.by_name[each], keys)]
        rows = [[self._sorted(self.by_name[each], key) for key in keys] for each in found]
        for n, (left, right) in enumerate(pairwise(rows)):
            if _after(left, right, keys):
                return f"{found[n]} {left} before {found[n + 1]} {right}"
        return ""

    def _is_open(self, resource: Resource, keys: Iterable[str]) -> bool:
        return any(self._sorted(resource, key) == -EVER for key in keys)

    def _sorted(self, resource: Resource, key: str) -> Any:
        """What ``key`` sorts by, None when there is nothing."""
        code, descending = key.removeprefix("-"), key.startswith("-")
        if code == "_id":
            return resource["id"]
        if code == "_lastUpdated":
            return self.updated[name(resource)]
        values, kind = self.reader.values(resource, code), parameter(resource["resourceType"], code).type
        if kind == "date":
            found: list[Any] = [one[0] for type, value in values for one in ranges(type, value)]
            if not found and CLINICAL.get(resource["resourceType"]) == code:
                found = [self.updated[name(resource)] * 1000]
        elif kind == "string":
            found = [folded(text) for text in texts(values)]
        elif kind == "reference":
            found = [text for text in targets(values) if not text.startswith("#")]
        elif kind == "token":
            found = [_read(type, *pair) for type, value in values for pair in codings(type, value)]
        else:
            found = [value["value"] if isinstance(value, dict) else value for _, value in values if _has_one(value)]
        return (max if descending else min)(found) if found else None


def _read(type: str, system: str, code: str) -> str:
    return f"{system}|{code}" if type in ("Coding", "CodeableConcept") else code


def _has_one(value: Any) -> bool:
    return not isinstance(value, dict) or "value" in value


def _after(left: list[Any], right: list[Any], keys: list[str]) -> bool:
    """Whether the left one belongs behind the right one."""
    for one, other, key in zip(left, right, keys, strict=True):
        if one == other:
            continue
        if one is None or other is None:
            return one is None
        return bool(one < other) if key.startswith("-") else bool(one > other)
    return False


def name(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def split(text: str, mark: str) -> list[str]:
    """At every ``mark`` that no backslash stands before."""
    parts, escaped = [""], False
    for each in text:
        if each == mark and not escaped:
            parts.append("")
            continue
        parts[-1] += each
        escaped = each == "\\" and not escaped
    return parts


def unescaped(text: str) -> str:
    found, escaped = "", False
    for each in text:
        escaped = each == "\\" and not escaped
        found += "" if escaped else each
    return found
