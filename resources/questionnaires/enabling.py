"""Which items are asked at all, by what was answered elsewhere.

FHIR R4 Questionnaire.item.enableWhen, enableBehavior; the nearest answers count: those within the same groups.
"""

from collections.abc import Callable, Mapping
from itertools import takewhile
from operator import ge, gt, le, lt
from typing import Any

from resources.errors import TooCostly
from resources.questionnaires.form import Form, Place
from resources.questionnaires.order import same, size

Json = dict[str, Any]

DEEPEST = 40
"""Conditions on conditions that are followed at once."""
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {">": gt, "<": lt, ">=": ge, "<=": le}


class Enabling:
    """Over ``answers`` as they are: an answer to what is not asked does not count."""

    def __init__(self, form: Form, answers: Mapping[Place, Json]) -> None:
        self._form, self._answers = form, answers
        self._of: dict[str, list[Place]] = {}
        for place in sorted(answers):
            self._of.setdefault(place.link, []).append(place)
        self._known: dict[Place, bool] = {}
        self._open_now: list[Place] = []
        # In their order, then against it: conditions on what is near were judged before, and need no depth.
        for place in (*sorted(answers, key=self._order), *sorted(answers, key=self._order, reverse=True)):
            self._warm(place)

    def _order(self, place: Place) -> tuple[int, tuple[int, ...]]:
        return self._form.number[place.link], place.at

    def _warm(self, place: Place) -> None:
        """Unless its conditions lead too far for now."""
        try:
            self.asked(place)
        except TooCostly:
            for each in self._open_now:
                del self._known[each]
            self._open_now.clear()

    def asked(self, place: Place) -> bool:
        """Whether the item at ``place`` and all around it are asked; what is below a question once that is answered."""
        return self._open(place) and self.unanswered(place) is None

    def unanswered(self, place: Place) -> Place | None:
        """The question around ``place`` that has no answer, where there is one."""
        around = (Place(link, place.at[: n + 1]) for n, link in enumerate(self._form.above[place.link]))
        return next((one for one in around if not self._form.is_group(one.link) and one not in self._answers), None)

    def lost(self) -> list[Place]:
        """Questions that must be answered for what is answered below them to be kept."""
        found = (self.unanswered(place) for place in self._answers if self._open(place))
        return list(dict.fromkeys(place for place in found if place))

    def _open(self, place: Place) -> bool:
        links = (*self._form.above[place.link], place.link)
        return all(self._enabled(Place(link, place.at[: n + 1])) for n, link in enumerate(links))

    def kept(self) -> dict[Place, Json]:
        """The answers to what is asked."""
        return {place: answer for place, answer in self._answers.items() if self.asked(place)}

    def _enabled(self, place: Place) -> bool:
        # All answers of a question are asked alike; while this is worked out, conditions in a ring hold.
        place = Place(place.link, (*place.around, 0)) if not self._form.is_group(place.link) else place
        if place not in self._known:
            if len(self._open_now) >= DEEPEST:
                raise TooCostly(f"The conditions of the questionnaire lead more than {DEEPEST} questions far.")
            self._known[place] = True
            self._open_now.append(place)
            self._known[place] = self._holds(place)
            self._open_now.pop()
        return self._known[place]

    def _holds(self, place: Place) -> bool:
        item = self._form.items[place.link]
        rows = item.get("enableWhen", ())
        if not rows:
            return True
        several = any if item.get("enableBehavior") == "any" else all
        return several(self._met(row, place) for row in rows)

    def _met(self, row: Json, place: Place) -> bool:
        found = self._near(row.get("question", ""), place)
        wanted = {f"value{name[6:]}": value for name, value in row.items() if name.startswith("answer")}
        operator = row.get("operator", "")
        if operator == "exists":
            return bool(found) is wanted.get("valueBoolean", True)
        if operator == "!=":
            return not any(same(one, wanted) for one in found)
        if operator == "=":
            return any(same(one, wanted) for one in found)
        return any(_in_order(_ORDERED[operator], one, wanted) for one in found) if operator in _ORDERED else False

    def near(self, link: str, place: Place) -> tuple[int, ...]:
        """What the answers to the question ``link`` that count at ``place`` share of where they are."""
        pairs = zip((*self._form.above[link], link), self._form.above[place.link], strict=False)
        shared = list(takewhile(lambda pair: pair[0] == pair[1], pairs))
        return place.at[: len(shared)]

    def _near(self, link: str, place: Place) -> list[Json]:
        if link not in self._form.items:
            return []
        around = self.near(link, place)
        close = (one for one in self._of.get(link, ()) if one.at[: len(around)] == around)
        return [self._answers[one] for one in close if self.asked(one)]


def _in_order(holds: Callable[[Any, Any], bool], found: Json, wanted: Json) -> bool:
    one, other = size(found), size(wanted)
    return one is not None and other is not None and one[0] == other[0] and holds(one[1], other[1])
