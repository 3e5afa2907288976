"""The answers of a QuestionnaireResponse laid flat, each with its place, and put together again.

FHIR R4 QuestionnaireResponse.item (https://hl7.org/fhir/R4/questionnaireresponse.html#notes): groups repeat as items,
questions as answers of one item.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from resources.questionnaires.form import Form, Place, value_of

Json = dict[str, Any]
Answers = dict[Place, Json]
"""Each answer as ``{"valueString": "…"}``, at its place."""


class Breach(NamedTuple):
    """What is amiss at a place, as a sentence for whoever fills it in."""

    place: Place
    text: str

    def expression(self, form: Form) -> str:
        """Where in the response, as FHIRPath."""
        links = (*form.above.get(self.place.link, ()), self.place.link)
        return "QuestionnaireResponse" + "".join(_steps(form, links, self.place.at))


def _steps(form: Form, links: Iterable[str], at: tuple[int, ...]) -> Iterator[str]:
    for link, n in zip(links, at, strict=False):
        quoted = link.replace("\\", "\\\\").replace("'", "\\'")
        group = link not in form.items or form.is_group(link)
        yield f".item.where(linkId='{quoted}')" + (f"[{n}]" if group else f".answer[{n}]")


def flat(form: Form, response: Json) -> tuple[Answers, list[Breach]]:
    """The answers, and what has no place in the questionnaire."""
    answers: Answers = {}
    amiss: list[Breach] = []
    _flatten(form, response, "", (), answers, amiss)
    return answers, amiss


def _flatten(form: Form, parent: Json, above: str, at: tuple[int, ...], answers: Answers, amiss: list[Breach]) -> None:
    times: Counter[str] = Counter()
    last = -1
    for item in parent.get("item", ()):
        link = item.get("linkId", "")
        place = Place(link, (*at, times[link]))
        times[link] += 1
        if link not in form.below[above]:
            amiss.append(Breach(place, f"The questionnaire has no item {link[:60]!r} here."))
            continue
        if form.number[link] < last:
            amiss.append(Breach(place, "It does not stand in the order of the questionnaire."))
        last = form.number[link]
        if form.is_group(link):
            if item.get("answer"):
                amiss.append(Breach(place, "A group has no answers of its own."))
            _flatten(form, item, link, place.at, answers, amiss)
        elif times[link] > 1:
            amiss.append(Breach(place, "Several answers to a question are answers of one item."))
        else:
            _answered(form, item, link, at, answers, amiss)


def _answered(form: Form, item: Json, link: str, at: tuple[int, ...], answers: Answers, amiss: list[Breach]) -> None:
    if item.get("item"):
        amiss.append(Breach(Place(link, (*at, 0)), "What is below a question stands in its answer."))
    for n, answer in enumerate(item.get("answer", ())):
        place = Place(link, (*at, n))
        if found := value_of(answer):
            answers[place] = found
        _flatten(form, answer, link, place.at, answers, amiss)


def nested(form: Form, answers: Mapping[Place, Json]) -> list[Json]:
    """The items of a response: groups and questions without an answer are left out, what repeats closes ranks."""
    times: dict[tuple[str, tuple[int, ...]], set[int]] = {}
    for place in answers:
        links = (*form.above[place.link], place.link)
        for depth, link in enumerate(links):
            times.setdefault((link, place.at[:depth]), set()).add(place.at[depth])
    return list(_items(form, answers, times, "", ()))


def _items(
    form: Form,
    answers: Mapping[Place, Json],
    times: Mapping[tuple[str, tuple[int, ...]], set[int]],
    above: str,
    at: tuple[int, ...],
) -> Iterator[Json]:
    for link in form.below[above]:
        text = {"text": form.items[link]["text"]} if form.items[link].get("text") else {}
        head = {"linkId": link} | text
        made = []
        for n in sorted(times.get((link, at), ())):
            inner = list(_items(form, answers, times, link, (*at, n)))
            below = {"item": inner} if inner else {}
            if form.is_group(link):
                yield head | below
            elif Place(link, (*at, n)) in answers:
                made.append(answers[Place(link, (*at, n))] | below)
        if made:
            yield head | {"answer": made}
