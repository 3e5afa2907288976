"""What is amiss with the answers to a questionnaire: each breach at its place, in words for whoever answers.

FHIR R4 Questionnaire.item.required, repeats, maxLength, answerOption; extensions as of form.py.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from resources.questionnaires.answers import Answers, Breach, flat
from resources.questionnaires.enabling import Enabling
from resources.questionnaires.form import CHOICES, KEYS, Form, Place, bounds, extension, number, units
from resources.questionnaires.order import same, size

Json = dict[str, Any]

REQUIRED = "Please answer this."


def check(form: Form, response: Json) -> list[Breach]:
    """All breaches of a QuestionnaireResponse; of one that is not completed what is missing is none."""
    answers, amiss = flat(form, response)
    kept = Enabling(form, answers).kept()
    unasked = [Breach(place, "This is not asked, given the other answers.") for place in answers if place not in kept]
    whole = response.get("status") in ("completed", "amended")
    return [*amiss, *unasked, *breaches(form, kept, whole=whole)]


def breaches(form: Form, answers: Answers, *, whole: bool) -> list[Breach]:
    """Of ``answers`` to what is asked; ``whole``: what must be answered is missed too."""
    found = [breach for place, answer in answers.items() for breach in _wrong(form, place, answer)]
    return [*found, *_too_many(form, answers), *(_missing(form, answers) if whole else ())]


# --- one answer


def _wrong(form: Form, place: Place, answer: Json) -> Iterator[Breach]:
    item = form.items[place.link]
    [key] = list(answer)[:1] or [""]
    if key not in KEYS.get(item.get("type", ""), ()):
        yield Breach(place, f"The answer to a question of type {item.get('type', '')} is no {key}.")
        return
    texts = (rule(item, answer[key], answer) for rule in (_length, _bounded, _places, _unit))
    yield from (Breach(place, text) for text in texts if text)
    if item.get("type") in CHOICES and not _chosen(form, place.link, answer):
        yield Breach(place, "This is none of the answers to choose from.")


def _length(item: Json, value: Any, answer: Json) -> str:
    if not isinstance(value, str) or item.get("type") not in ("string", "text", "url", "open-choice"):
        return ""
    least, most = number(item, "minLength") or 0, item.get("maxLength")
    if most is not None and len(value) > most:
        return f"At most {most} characters; this has {len(value)}."
    return f"At least {least} characters." if len(value) < least else ""


def _bounded(item: Json, value: Any, answer: Json) -> str:
    for name, word in (("minValue", "least"), ("maxValue", "most")):
        limit = extension(item, name)
        if limit is not None and (text := _beyond(limit, answer, word)):
            return text
    return ""


def _beyond(limit: Any, answer: Json, word: str) -> str:
    """Of a quantity the number counts; a limit of another kind is none."""
    [(key, value)] = answer.items()
    counts = key == "valueQuantity"
    one = size({"valueDecimal": value["value"]} if counts and "value" in value else answer)
    other = size({"valueDecimal" if counts or key == "valueInteger" else key: limit})
    if one is None or other is None or one[0] != other[0]:
        return ""
    beyond = one[1] < other[1] if word == "least" else one[1] > other[1]
    when = {"valueDate": ("Not before", "Not after"), "valueDateTime": ("Not before", "Not after"),
            "valueTime": ("Not before", "Not after")}.get(key, ("At least", "At most"))  # fmt: skip
    return f"{when[word == 'most']} {limit}." if beyond else ""


def _places(item: Json, value: Any, answer: Json) -> str:
    most = number(item, "maxDecimalPlaces")
    amount = value.get("value") if isinstance(value, dict) else value
    if most is None or item.get("type") not in ("decimal", "quantity"):
        return ""
    return f"At most {most} digits after the point." if len(str(amount).partition(".")[2]) > most else ""


def _unit(item: Json, value: Any, answer: Json) -> str:
    allowed = units(item) if item.get("type") == "quantity" else []
    codes = {(one.get("system", ""), one.get("code", "")) for one in allowed}
    if not allowed or (value.get("system", ""), value.get("code", "")) in codes:
        return ""
    return f"In {' or '.join(one.get('display') or one.get('code', '') for one in allowed)}."


def _chosen(form: Form, link: str, answer: Json) -> bool:
    options = form.options(link)
    if options is None:  # a value set that is not known here: nothing can be said
        return True
    return any(same(answer, option) for option in options) or (form.is_free(link) and "valueString" in answer)


# --- how many


def _times(form: Form, answers: Answers) -> dict[tuple[str, tuple[int, ...]], set[int]]:
    """Which times each item is there, by what is around it."""
    times: dict[tuple[str, tuple[int, ...]], set[int]] = defaultdict(set)
    for place in answers:
        for depth, link in enumerate((*form.above[place.link], place.link)):
            times[link, place.at[:depth]].add(place.at[depth])
    return times


def _too_many(form: Form, answers: Answers) -> Iterator[Breach]:
    for (link, at), numbers in _times(form, answers).items():
        _, most = bounds(form.items[link])
        if most is not None and len(numbers) > most:
            what = "answer" if not form.is_group(link) else "entry"
            yield Breach(Place(link, (*at, min(numbers))), f"At most {most} {_plural(what, most)} here.")


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s".replace("ys", "ies")


def _missing(form: Form, answers: Answers) -> Iterator[Breach]:
    enabling, times = Enabling(form, answers), _times(form, answers)
    yield from _missing_below(form, enabling, times, "", ())


def _missing_below(
    form: Form,
    enabling: Enabling,
    times: Mapping[tuple[str, tuple[int, ...]], set[int]],
    above: str,
    at: tuple[int, ...],
) -> Iterator[Breach]:
    """A group that does not repeat is held to be there; one that does is there when something in it is answered."""
    for link in form.below[above]:
        item, there = form.items[link], sorted(times.get((link, at), ()))
        if not enabling.asked(Place(link, (*at, 0))) or item.get("type") == "display":
            continue
        least, _ = bounds(item)
        group = form.is_group(link)
        if len(there) < least and (group or form.fillable(link)):
            text = REQUIRED if least == 1 else f"Please give at least {least} answers."
            yield Breach(Place(link, (*at, 0)), text)
        lone = group and not item.get("repeats")
        for n in there or ([0] if lone else []):
            yield from _missing_below(form, enabling, times, link, (*at, n))
