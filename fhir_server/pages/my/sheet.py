"""A questionnaire as it stands on a page: every item with its fields, what was typed, what is amiss, what is asked.

FHIR R4 Questionnaire.item; WCAG 2.2 (labels, groups, errors). Conditions are told to the script as it can judge them,
and judged again here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

import msgspec

from resources.questionnaires import Answers, Breach, Enabling, Form, Place, fields
from resources.questionnaires.form import CHOICES, KEYS, bounds, extension, hidden, units
from resources.questionnaires.order import same
from resources.questionnaires.told import told
from resources.questionnaires.typed import MOST_TIMES, OTHER, key_of, label_of, name_of

Json = dict[str, Any]

_FEW = 12
"""Choices that are shown at once; more of them fold into a list."""
_KINDS = {
    "string": "text", "url": "url", "integer": "number", "decimal": "number", "date": "date", "time": "time",
    "dateTime": "moment", "text": "long", "boolean": "choice", "choice": "choice", "open-choice": "choice",
    "quantity": "quantity",
}  # fmt: skip
_NUMBERS = frozenset({"integer", "decimal", "quantity"})


@dataclass
class Field:
    """One answer. ``whole`` says that the browser's own field can take what is in it."""

    id: str
    name: str
    text: str = ""
    unit: str = ""
    error: str = ""
    whole: bool = True
    fresh: bool = False
    below: "list[Item]" = field(default_factory=list)


@dataclass
class Item:
    """``kind``: group, display, fixed, absent (cannot be filled in here), or how it is asked. ``when`` is what the
    script reads, '' for what is always asked; ``adds`` the name by which one more is asked for; it is ``fresh``
    when it was just added."""

    id: str
    kind: str
    text: str
    place: str
    required: bool = False
    several: bool = False
    number: str = ""
    asked: bool = True
    when: str = ""
    hint: str = ""
    error: str = ""
    fields: list[Field] = field(default_factory=list)
    options: Sequence[tuple[str, str, bool]] = ()
    free: bool = False
    chosen: bool = False
    said: str = ""
    most: int | None = None
    units: Sequence[tuple[str, str]] = ()
    adds: str = ""
    fresh: bool = False
    facts: Sequence[str] = ()
    below: "list[Item]" = field(default_factory=list)


class Sheet:
    """Of ``form``: ``sent`` are the fields as they were typed, ``answers`` what they came to; ``fresh`` is the name of
    what was just added."""

    def __init__(
        self,
        form: Form,
        sent: Mapping[str, Sequence[str]],
        answers: Answers,
        amiss: Sequence[Breach],
        zone: tzinfo,
        fresh: str = "",
    ) -> None:
        self._form, self._sent, self._answers, self._zone = form, sent, answers, zone
        self._enabling, self._fresh = Enabling(form, answers), fresh
        self._amiss = {breach.place: breach.text for breach in reversed(amiss)}
        self._times = _times(sent)

    def items(self, above: str = "", at: tuple[int, ...] = ()) -> list[Item]:
        """Those right below ``above``."""
        made = (self._items(link, at) for link in self._form.below[above] if not hidden(self._form.items[link]))
        return [item for items in made for item in items]

    def errors(self) -> list[tuple[str, str]]:
        """(id of the field, what is said of it) in the order of the page."""
        order = sorted(self._amiss, key=lambda place: (self._form.number.get(place.link, 0), place.at))
        return [(_id(self._form, place), f"{_asked(self._form, place)} {self._amiss[place]}") for place in order]

    def conditional(self) -> list[str]:
        """The places of what is asked because of other answers."""
        return [one.place for one in _walk(self.items()) if one.when and one.asked]

    def _items(self, link: str, at: tuple[int, ...]) -> list[Item]:
        """A group once for each time it is there."""
        item, count = self._form.items[link], self._count(link, at)
        if not self._form.is_group(link):
            return [self._question(link, at, count)]
        groups = [self._group(link, (*at, n), count) for n in range(count)]
        if item.get("repeats") and self._more(item, count):
            groups[-1].adds = name_of(Place(link, (*at, count)), "g")
        return groups

    def _group(self, link: str, at: tuple[int, ...], count: int) -> Item:
        place, repeats = Place(link, at), bool(self._form.items[link].get("repeats"))
        made = self._item("group", place)
        made.several, made.below = repeats, self.items(link, at)
        made.fresh = name_of(place, "g") == self._fresh
        made.number = f" {at[-1] + 1}" if repeats and count > 1 else ""
        made.error = self._amiss.get(place, "")
        return made

    def _question(self, link: str, at: tuple[int, ...], count: int) -> Item:
        item, place = self._form.items[link], Place(link, (*at, 0))
        made = self._item(self._kind(link), place)
        made.required, made.several = bool(bounds(item)[0]), bool(item.get("repeats"))
        made.hint, made.most = _hint(item), item.get("maxLength")
        if made.kind in ("fixed", "absent"):
            made.facts = [told(one, self._zone) for one in self._given(link, at)]
            made.below = self.items(link, place.at)
        elif made.kind == "choice":
            self._choice(made, link, place)
        elif made.kind != "display":
            made.units = [(one.get("code", ""), one.get("display") or one.get("code", "")) for one in units(item)]
            made.fields = [self._field(link, Place(link, (*at, n)), made.kind) for n in range(count)]
            made.adds = name_of(Place(link, (*at, count))) if made.several and self._more(item, count) else ""
        return made

    def _item(self, kind: str, place: Place) -> Item:
        item = self._form.items[place.link]
        text = " ".join(filter(None, (item.get("prefix", ""), item.get("text", ""))))
        asked, when = self._enabling.asked(place) if item.get("enableWhen") else True, self._when(place)
        dotted = ".".join(map(str, place.at))
        return Item(_id(self._form, place), kind, text, f"{dotted}:{place.link}", asked=asked, when=when)

    def _kind(self, link: str) -> str:
        kind = self._form.items[link].get("type", "")
        if kind not in KEYS:
            return "display"
        if self._form.fixed(link):
            return "fixed"
        return _KINDS[kind] if self._form.fillable(link) else "absent"

    def _choice(self, made: Item, link: str, place: Place) -> None:
        item, chosen = self._form.items[link], self._sent.get(name_of(place), ())
        options = [("true", "Yes"), ("false", "No")] if item["type"] == "boolean" else [
            (key_of(option), label_of(option)) for option in self._form.options(link) or ()
        ]  # fmt: skip
        made.options = [(key, label, key in chosen) for key, label in options]
        made.free = item["type"] == "open-choice"
        made.said = next(iter(self._sent.get(name_of(place, "t"), ())), "")
        made.chosen = any(chosen)
        made.kind = "list" if len(options) > _FEW and not made.several and not made.free else "choice"
        made.error = self._error(link, place.around)
        # A question below one with several answers is asked once.
        below = self.items(link, place.at)
        made.fields = [Field(made.id, name_of(place), OTHER if OTHER in chosen else "", below=below)]

    def _field(self, link: str, place: Place, kind: str) -> Field:
        text = next(iter(self._sent.get(name_of(place), ())), "")
        unit = next(iter(self._sent.get(name_of(place, "u"), ())), "")
        whole = not text or kind not in ("date", "moment") or len(text) >= (10 if kind == "date" else 16)
        below = self.items(link, place.at)
        fresh = name_of(place) == self._fresh
        return Field(
            _id(self._form, place), name_of(place), text, unit, self._amiss.get(place, ""), whole, fresh, below
        )

    def _error(self, link: str, around: tuple[int, ...]) -> str:
        return next((text for one, text in self._amiss.items() if one.link == link and one.around == around), "")

    def _given(self, link: str, at: tuple[int, ...]) -> list[Json]:
        return [answer for place, answer in sorted(self._answers.items()) if place.link == link and place.around == at]

    def _count(self, link: str, at: tuple[int, ...]) -> int:
        """How often it is shown."""
        several = self._form.items[link].get("repeats") and self._kind(link) not in ("choice", "fixed", "absent")
        return max(1, self._times.get((link, at), 0)) if several or self._form.is_group(link) else 1

    def _more(self, item: Json, count: int) -> bool:
        return count < min(bounds(item)[1] or MOST_TIMES, MOST_TIMES)

    def _when(self, place: Place) -> str:
        """The conditions, as the script compares them: field names by their end, values as they are typed."""
        item = self._form.items[place.link]
        rows = [self._row(row, place) for row in item.get("enableWhen", ())]
        every = item.get("enableBehavior") != "any"
        return msgspec.json.encode({"all": every, "rows": rows}).decode() if rows else ""

    def _row(self, row: Json, place: Place) -> Json:
        link = row.get("question", "")
        near = self._enabling.near(link, place) if link in self._form.items else ()
        [(name, value)] = [pair for pair in row.items() if pair[0].startswith("answer")] or [("answerBoolean", True)]
        answer = {f"value{name[6:]}": value}
        number = name in ("answerInteger", "answerDecimal", "answerQuantity")
        return {"q": link, "near": ".".join(map(str, near)), "op": row.get("operator", ""), "number": number,
                "want": self._wanted(link, answer)}  # fmt: skip

    def _wanted(self, link: str, answer: Json) -> str:
        """As the field of the question would have it."""
        if "valueCoding" in answer:
            options = self._form.options(link) or () if link in self._form.items else ()
            return key_of(next((option for option in options if same(option, answer)), answer))
        one = Form({"item": [{"linkId": "q", "type": _TYPES.get(next(iter(answer)), "string")}]})
        return next(iter(fields(one, {Place("q", (0,)): answer}, self._zone).values()), [""])[0]


def _walk(items: Sequence[Item]) -> Iterator[Item]:
    """All that is shown."""
    for one in items:
        if one.asked:
            yield one
            yield from _walk(one.below)
            for each in one.fields:
                yield from _walk(each.below)


_TYPES = {f"value{type[:1].upper()}{type[1:]}": type for type in KEYS if type not in CHOICES}


def _times(sent: Mapping[str, Sequence[str]]) -> dict[tuple[str, tuple[int, ...]], int]:
    """How often each item is on the page that sent these fields."""
    made: dict[tuple[str, tuple[int, ...]], int] = {}
    for name in sent:
        head, _, link = name[1:].partition(":")
        if (
            name[:1] in ("a", "g")
            and link
            and head.isascii()
            and all(part.isdigit() and len(part) < 4 for part in head.split("."))
        ):
            at = tuple(map(int, head.split(".")))
            made[link, at[:-1]] = min(max(made.get((link, at[:-1]), 0), at[-1] + 1), MOST_TIMES)
    return made


def _id(form: Form, place: Place) -> str:
    return f"q{form.number.get(place.link, 0)}-{'-'.join(map(str, place.at))}"


def _short(form: Form, place: Place) -> str:
    text = str(form.items[place.link].get("text", "") or place.link) if place.link in form.items else place.link
    return text if len(text) <= 80 else f"{text[:79]}…"


def _asked(form: Form, place: Place) -> str:
    """The question as what follows it is about it: 'Since when?', 'Temperature:'."""
    text = _short(form, place)
    return text if text.endswith(("?", "!", ":", ".")) else f"{text}:"


def _hint(item: Json) -> str:
    """What is expected, in words."""
    least, most = extension(item, "minValue"), extension(item, "maxValue")
    words = ("At least", "At most") if item.get("type") in _NUMBERS else ("Not before", "Not after")
    if least is not None and most is not None:
        return f"From {least} to {most}."
    if least is not None or most is not None:
        return f"{words[0]} {least}." if most is None else f"{words[1]} {most}."
    return str(extension(item, "entryFormat") or "")
