"""A Questionnaire as it is filled in: its items by link id, what each may hold, where each stands.

FHIR R4 Questionnaire.item; extensions minValue, maxValue, minLength, maxDecimalPlaces, questionnaire-unit,
-unitOption, -minOccurs, -maxOccurs, -hidden (https://hl7.org/fhir/R4/questionnaire-profiles.html).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

Json = dict[str, Any]

_EXTENSION = "http://hl7.org/fhir/StructureDefinition/"
KEYS: dict[str, tuple[str, ...]] = {
    "boolean": ("valueBoolean",),
    "decimal": ("valueDecimal",),
    "integer": ("valueInteger",),
    "date": ("valueDate",),
    "dateTime": ("valueDateTime",),
    "time": ("valueTime",),
    "string": ("valueString",),
    "text": ("valueString",),
    "url": ("valueUri",),
    "choice": ("valueCoding", "valueString", "valueInteger", "valueDate", "valueTime", "valueReference"),
    "open-choice": ("valueCoding", "valueString", "valueInteger", "valueDate", "valueTime", "valueReference"),
    "attachment": ("valueAttachment",),
    "reference": ("valueReference",),
    "quantity": ("valueQuantity",),
}
"""Where the answer to a question of each type is; what is not here is no question."""
CHOICES = frozenset({"choice", "open-choice"})
_APART = frozenset({"attachment", "reference"})
"""What a page of text and choices cannot take."""


class Place(NamedTuple):
    """An answer, or a group as it is there once. ``at`` counts from 0 through all that is around it: which time a
    group is there, which answer of a question; the last number is its own."""

    link: str
    at: tuple[int, ...]

    @property
    def around(self) -> tuple[int, ...]:
        return self.at[:-1]


class Form:
    """``sets`` are the codings of the value sets that choices are from, by canonical; what is not there is not known.

    Items without a link id and second ones of the same are left out: they could not be answered apart.
    """

    def __init__(self, questionnaire: Json, sets: Mapping[str, Sequence[Json]] = {}) -> None:
        self.questionnaire, self.sets = questionnaire, sets
        self.items: dict[str, Json] = {}
        self.above: dict[str, tuple[str, ...]] = {}
        self._enter(questionnaire, ())

    def _enter(self, parent: Json, above: tuple[str, ...]) -> None:
        for item in parent.get("item", ()):
            link = item.get("linkId", "")
            if link and link not in self.items:
                self.items[link], self.above[link] = item, above
                self._enter(item, (*above, link))

    @cached_property
    def number(self) -> dict[str, int]:
        """Of each item in the order of the questionnaire."""
        return {link: n for n, link in enumerate(self.items)}

    @cached_property
    def below(self) -> dict[str, list[str]]:
        """The links right below each, '' for those at the top."""
        made: dict[str, list[str]] = {link: [] for link in ("", *self.items)}
        for link, above in self.above.items():
            made[above[-1] if above else ""].append(link)
        return made

    def questions(self) -> Iterator[str]:
        return (link for link, item in self.items.items() if item.get("type") in KEYS)

    def is_group(self, link: str) -> bool:
        return self.items[link].get("type") == "group"

    def options(self, link: str) -> list[Json] | None:
        """What may be chosen, as answers (``valueCoding`` and the like); None where that is not known here."""
        item = self.items[link]
        if "answerValueSet" in item:
            found = self.sets.get(item["answerValueSet"])
            return None if found is None else [{"valueCoding": one} for one in found]
        return _values(item.get("answerOption", ()))

    def is_free(self, link: str) -> bool:
        """Whether anything may be said beside what may be chosen."""
        return self.items[link].get("type") == "open-choice"

    def fillable(self, link: str) -> bool:
        """Whether people can answer it on a page."""
        item = self.items[link]
        kind = item.get("type")
        if kind in _APART or kind not in KEYS or item.get("readOnly") or hidden(item):
            return False
        options = self.options(link) if kind in CHOICES else None
        return kind not in CHOICES or self.is_free(link) or bool(options)

    def fixed(self, link: str) -> bool:
        """Whether the questionnaire or the clinic answers it."""
        return bool(self.items[link].get("readOnly") or hidden(self.items[link]))

    def begun(self, link: str) -> list[Json]:
        """The answers that it begins with."""
        item = self.items[link]
        chosen = [option for option in item.get("answerOption", ()) if option.get("initialSelected")]
        return _values(item.get("initial", ())) or _values(chosen)


def _values(rows: Iterable[Json]) -> list[Json]:
    """Of those that have one: an extension may stand in its place."""
    return [value for row in rows if (value := value_of(row))]


def value_of(found: Json) -> Json:
    """``value[x]`` alone, as an answer has it."""
    return {name: value for name, value in found.items() if name.startswith("value")}


def extension(item: Json, name: str) -> Any:
    """The value of the extension ``name`` of core, None without one."""
    return next(iter(extensions(item, name)), None)


def number(item: Json, name: str) -> int | None:
    """The whole number of an extension of core; None without one, or where something else is said."""
    found = extension(item, name)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def extensions(item: Json, name: str) -> list[Any]:
    found = [row for row in item.get("extension", ()) if row.get("url") == _EXTENSION + name]
    return [value for row in found for key, value in row.items() if key.startswith("value")]


def hidden(item: Json) -> bool:
    return extension(item, "questionnaire-hidden") is True


def units(item: Json) -> list[Json]:
    """The codings of the units in which a quantity may be; none: any."""
    one, several = (extensions(item, f"questionnaire-{name}") for name in ("unit", "unitOption"))
    return [coding for coding in one[:1] or several if isinstance(coding, dict)]


def bounds(item: Json) -> tuple[int, int | None]:
    """The least and the most answers (or times a group is there) of one that is there at all."""
    least = number(item, "questionnaire-minOccurs") or (1 if item.get("required") else 0)
    most = number(item, "questionnaire-maxOccurs") if item.get("repeats") else 1
    return least, most
