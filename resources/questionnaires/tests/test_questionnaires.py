"""Questionnaires as properties: what is laid flat comes together again, what a page shows it would send again."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.questionnaires import Enabling, Form, Place, breaches, check, fields, flat, nested, read

Json = dict[str, Any]
TEXT = st.text("abc äöü'\\|:", min_size=1, max_size=8).map(str.strip).filter(bool)
CODES = [{"valueCoding": {"system": "urn:s", "code": code, "display": code.upper()}} for code in "abcd"]
CELSIUS = {"system": "http://unitsofmeasure.org", "code": "Cel", "display": "°C"}
UNIT = {"url": "http://hl7.org/fhir/StructureDefinition/questionnaire-unit", "valueCoding": CELSIUS}
DECIMALS = st.decimals(-9999, 9999, places=2)
VALUES: dict[str, st.SearchStrategy[Json]] = {
    "boolean": st.booleans().map(lambda it: {"valueBoolean": it}),
    "integer": st.integers(-(2**31), 2**31 - 1).filter(lambda it: it > -(2**31)).map(lambda it: {"valueInteger": it}),
    "decimal": DECIMALS.map(lambda it: {"valueDecimal": it}),
    "string": TEXT.map(lambda it: {"valueString": " ".join(it.split())}),
    "text": TEXT.map(lambda it: {"valueString": it}),
    "date": st.dates().map(lambda it: {"valueDate": it.isoformat()}),
    "time": st.times().map(lambda it: {"valueTime": it.isoformat(timespec="seconds")}),
    "dateTime": st.datetimes(datetime(1900, 1, 1), timezones=st.just(UTC)).map(
        lambda it: {"valueDateTime": it.isoformat(timespec="seconds")}
    ),
    "choice": st.sampled_from(CODES),
    "open-choice": st.sampled_from(CODES) | TEXT.map(lambda it: {"valueString": it}),
    "quantity": DECIMALS.map(
        lambda it: {"valueQuantity": {"value": it, "unit": "°C", "system": CELSIUS["system"], "code": "Cel"}}
    ),
}


@st.composite
def forms(draw: st.DrawFn) -> Form:
    """Three deep, of all types, with repeated groups and questions below questions."""
    links = iter(range(1000))

    def items(depth: int) -> list[Json]:
        kinds = draw(st.lists(st.sampled_from([*VALUES, "group", "display"]), min_size=1, max_size=4))
        return [item(kind, depth) for kind in kinds]

    def item(kind: str, depth: int) -> Json:
        made: Json = {
            "linkId": f"{next(links)}'.:x",
            "type": kind,
            "repeats": kind != "display" and draw(st.booleans()),
        }
        if kind in ("choice", "open-choice"):
            made["answerOption"] = CODES
        if kind == "quantity":
            made["extension"] = [UNIT]
        if depth < 2 and (kind == "group" or (kind != "display" and draw(st.booleans()))):
            made["item"] = items(depth + 1)
        return made

    return Form({"item": items(0)})


@st.composite
def filled(draw: st.DrawFn) -> tuple[Form, Json]:
    form = draw(forms())

    def below(above: str) -> list[Json]:
        made = (of(link) for link in form.below[above])
        return [one for ones in made for one in ones]

    def of(link: str) -> list[Json]:
        item = form.items[link]
        times = draw(st.integers(0, 3 if item["repeats"] else 1))
        if item["type"] == "display":
            return []
        if form.is_group(link):
            inner = [below(link) for _ in range(times)]
            return [{"linkId": link, "item": one} for one in inner if one]
        answers = [draw(VALUES[item["type"]]) for _ in range(times)]
        if item["type"] in ("choice", "open-choice"):  # what is chosen twice is chosen; words come once, at the end
            codes = [one for n, one in enumerate(answers) if "valueCoding" in one and one not in answers[:n]]
            answers = [*codes, *[one for one in answers if "valueString" in one][:1]]
        parts = [(answer, below(link)) for answer in answers]
        made = [answer | ({"item": inner} if inner else {}) for answer, inner in parts]
        return [{"linkId": link, "answer": made}] if made else []

    return form, {"status": "completed", "item": below("")}


@given(filled())
@settings(max_examples=25, deadline=None)
def test_flat_and_together_again(given):
    form, response = given
    answers, amiss = flat(form, response)
    assert not amiss and nested(form, answers) == response["item"]
    assert check(form, response) == []


@given(filled())
@settings(max_examples=25, deadline=None)
def test_what_a_page_shows_it_would_send(given):
    form, response = given
    answers, _ = flat(form, response)
    again, amiss = read(form, fields(form, answers, UTC), {}, UTC)
    assert not amiss and again == answers


@given(filled(), st.data())
@settings(max_examples=25, deadline=None)
def test_any_field_of_any_text_is_an_answer_or_a_breach(given, data):
    form, response = given
    sent = fields(form, flat(form, response)[0], UTC)
    names = st.sampled_from(sorted(sent) or ["a0:x"]) | st.text("a0123.:x'", max_size=9)
    sent |= data.draw(st.dictionaries(names, st.lists(st.text(max_size=30), min_size=1, max_size=2), max_size=5))
    answers, amiss = read(form, sent, {}, UTC)
    flat_again, none = flat(form, {"item": nested(form, Enabling(form, answers).kept())})
    assert not none and len(flat_again) <= len(answers) and all(one.text for one in amiss)
    assert all(one.expression(form).startswith("QuestionnaireResponse.item") for one in amiss)


@pytest.mark.parametrize("name", ["a00:q", "a\u0660:q", "a0.0:q", "a:q", "a100:q", "a0:other"])
def test_a_field_of_another_name_is_none(name):
    assert read(Form({"item": [question("q")]}), {name: ["forged"]}, {}, UTC) == ({}, [])


def question(link: str, kind: str = "string", **more: Any) -> Json:
    return {"linkId": link, "type": kind} | more


def extended(**said: Any) -> Json:
    """Extensions of core with values of whichever kind."""
    url = "http://hl7.org/fhir/StructureDefinition/"
    return {"extension": [{"url": url + name.replace("_", "-"), "valueAny": value} for name, value in said.items()]}


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (question("q", "decimal") | extended(minValue="x", maxValue=True, maxDecimalPlaces="x"), "1.5"),
        (question("q", "date") | extended(minValue=5, maxValue={"value": 1}), "2026-01-01"),
        (question("q", "quantity") | extended(questionnaire_unit="x", questionnaire_unitOption=3, minValue="x"), "2"),
        (question("q", repeats=True) | extended(minLength="x", questionnaire_minOccurs="x"), "x"),
        (question("q", repeats=True) | extended(questionnaire_maxOccurs=1.5, questionnaire_minOccurs=True), "x"),
        (question("q", "open-choice", answerOption=[{"_valueString": {}}, {"valueString": "x"}]), "x"),
        (question("q", "boolean", initial=[{"_valueBoolean": {}}]), "true"),
    ],
)
def test_what_a_questionnaire_says_in_another_kind_of_value_is_not_said(item, text):
    form = Form({"item": [item]})
    answers, amiss = read(form, {"a0:q": [text]}, {}, UTC)
    assert len(answers) == 1 and not amiss and not list(breaches(form, answers, whole=True))
    assert form.begun("q") == [] and fields(form, answers, UTC)


def when(question: str, operator: str = "=", **answer: Any) -> Json:
    return {"enableWhen": [{"question": question, "operator": operator} | answer]}


SMOKES = Form({"item": [
    question("smokes", "boolean"),
    question("much", "integer", required=True, **when("smokes", answerBoolean=True)),
    question("why", "text", **when("much", ">", answerInteger=20)),
]})  # fmt: skip


def answer(**of: Any) -> dict[Place, Json]:
    return {Place(link, (0,)): value for link, value in of.items()}


def test_what_is_not_asked_does_not_count():
    given = answer(smokes={"valueBoolean": False}, much={"valueInteger": 40}, why={"valueString": "x"})
    assert Enabling(SMOKES, given).kept() == answer(smokes={"valueBoolean": False})
    asked = answer(smokes={"valueBoolean": True})
    assert [one.text for one in breaches(SMOKES, asked, whole=True)] == ["Please answer this."]
    assert breaches(SMOKES, asked, whole=False) == []
    told = asked | answer(much={"valueInteger": 21}, why={"valueString": "x"})
    assert Enabling(SMOKES, told).kept() == told


@pytest.mark.parametrize(
    ("row", "value", "holds"),
    [
        ({"operator": "exists", "answerBoolean": True}, {"valueString": "a"}, True),
        ({"operator": "exists", "answerBoolean": False}, {"valueString": "a"}, False),
        ({"operator": "exists", "answerBoolean": False}, None, True),
        ({"operator": "=", "answerString": "a"}, None, False),
        ({"operator": "!=", "answerString": "a"}, None, True),
        ({"operator": "!=", "answerString": "a"}, {"valueString": "a"}, False),
        ({"operator": ">=", "answerDecimal": Decimal("1.5")}, {"valueInteger": 2}, True),
        ({"operator": "<", "answerDate": "2026-01-01"}, {"valueDate": "2025-12-31"}, True),
        ({"operator": "<", "answerDate": "2026-01-01"}, {"valueDate": "2025"}, False),
        ({"operator": ">", "answerDateTime": "2026-01-01T10:00:00+02:00"}, {"valueDateTime": "2026-01-01T08:30:00Z"},
         True),
        ({"operator": "=", "answerCoding": {"system": "urn:s", "code": "a"}},
         {"valueCoding": {"system": "urn:s", "code": "a", "display": "A"}}, True),
        ({"operator": ">", "answerQuantity": {"value": 38, "code": "Cel"}},
         {"valueQuantity": {"value": Decimal("38.5"), "code": "Cel"}}, True),
        ({"operator": ">", "answerQuantity": {"value": 38, "code": "Cel"}},
         {"valueQuantity": {"value": 99, "code": "[degF]"}}, False),
        ({"operator": "~"}, {"valueString": "a"}, False),
    ],
)  # fmt: skip
def test_conditions(row, value, holds):
    form = Form({"item": [question("q"), question("then", enableWhen=[{"question": "q"} | row])]})
    given = {Place("q", (0,)): value} if value else {}
    assert Enabling(form, given).asked(Place("then", (0,))) is holds


def test_any_or_all_and_rings():
    rows = [{"question": q, "operator": "exists", "answerBoolean": True} for q in ("a", "b")]
    for behaviour, holds in (("any", True), ("all", False)):
        form = Form({"item": [question("a"), question("b"), question("c", enableWhen=rows, enableBehavior=behaviour)]})
        assert Enabling(form, answer(a={"valueString": "1"})).asked(Place("c", (0,))) is holds
    ring = Form({"item": [question("a", **when("b", "exists", answerBoolean=True)),
                          question("b", **when("a", "exists", answerBoolean=True))]})  # fmt: skip
    given = answer(a={"valueString": "1"}, b={"valueString": "1"})
    assert Enabling(ring, given).kept() == given


def test_what_below_an_unanswered_question_is_lost_is_told():
    form = Form({"item": [question("takes", "boolean", item=[question("drug")])]})
    given = {Place("drug", (0, 0)): {"valueString": "x"}}
    enabling = Enabling(form, given)
    assert enabling.kept() == {} and enabling.lost() == [Place("takes", (0,))]


@pytest.mark.parametrize("step", [1, -1])
def test_long_chains_of_conditions_end(step):
    count = 150
    items = [question(f"q{n}", **when(f"q{n - step}", "exists", answerBoolean=True)) for n in range(count)]
    items[0 if step == 1 else -1].pop("enableWhen")
    form, places = Form({"item": items}), [Place(f"q{n}", (0,)) for n in range(count)]
    given = {place: {"valueString": "x"} for place in reversed(places)}
    assert len(Enabling(form, given).kept()) == count
    gap = {place: answer for place, answer in given.items() if place.link != "q50"}
    assert len(Enabling(form, gap).kept()) == (50 if step == 1 else 99)


def test_the_nearest_answer_counts_in_repeated_groups():
    inner = [question("drug"), question("dose", **when("drug", "exists", answerBoolean=True))]
    form = Form({"item": [question("drugs", "group", repeats=True, item=inner)]})
    given = {Place("drug", (0, 0)): {"valueString": "x"}}
    asked = Enabling(form, given).asked
    assert asked(Place("dose", (0, 0))) and not asked(Place("dose", (1, 0)))


def limited(**of: Any) -> Json:
    core = "http://hl7.org/fhir/StructureDefinition/"
    return {"extension": [{"url": core + name, **value} for name, value in of.items()]}


@pytest.mark.parametrize(
    ("item", "value", "told"),
    [
        (question("q", maxLength=3), {"valueString": "four"}, "At most 3 characters; this has 4."),
        (question("q", "integer", **limited(minValue={"valueInteger": 1})), {"valueInteger": 0}, "At least 1."),
        (question("q", "decimal", **limited(maxValue={"valueDecimal": 42})), {"valueDecimal": Decimal("42.1")},
         "At most 42."),
        (question("q", "date", **limited(minValue={"valueDate": "2020-01-01"})), {"valueDate": "2019-12-31"},
         "Not before 2020-01-01."),
        (question("q", "decimal", **limited(maxDecimalPlaces={"valueInteger": 1})), {"valueDecimal": Decimal("1.25")},
         "At most 1 digits after the point."),
        (question("q", "quantity", extension=[UNIT]), {"valueQuantity": {"value": 1, "code": "K"}}, "In °C."),
        (question("q", "choice", answerOption=CODES), {"valueCoding": {"code": "z"}},
         "This is none of the answers to choose from."),
        (question("q", "integer"), {"valueString": "1"}, "The answer to a question of type integer is no valueString."),
    ],
)  # fmt: skip
def test_each_rule_says_what_it_expects(item, value, told):
    form = Form({"item": [item]})
    response = {"status": "in-progress", "item": [{"linkId": "q", "answer": [value]}]}
    [breach] = check(form, response)
    assert (breach.text, breach.expression(form)) == (told, "QuestionnaireResponse.item.where(linkId='q').answer[0]")


def test_what_has_no_place():
    form = Form({"item": [question("a"), question("g", "group", item=[question("b")])]})
    told = [
        breach.text
        for item in (
            [{"linkId": "zz"}],
            [{"linkId": "g", "answer": [{"valueString": "x"}]}],
            [{"linkId": "g", "item": [{"linkId": "b"}]}, {"linkId": "a"}],
            [{"linkId": "a", "answer": [{"valueString": "x"}, {"valueString": "y"}]}],
            [{"linkId": "a", "answer": [{"valueString": "x"}]}, {"linkId": "a"}],
            [{"linkId": "a", "item": [{"linkId": "b"}]}],
        )
        for breach in check(form, {"status": "in-progress", "item": item})
    ]
    assert [text.split()[:3] for text in told] == [
        ["The", "questionnaire", "has"], ["A", "group", "has"], ["It", "does", "not"], ["At", "most", "1"],
        ["Several", "answers", "to"], ["What", "is", "below"],
    ]  # fmt: skip


def test_a_repeated_group_is_missed_only_where_something_in_it_is_answered():
    inner = [question("drug", required=True), question("dose")]
    form = Form({"item": [question("drugs", "group", repeats=True, item=inner), question("lone", "group", item=[
        question("must", required=True)])]})  # fmt: skip
    assert [one.place.link for one in breaches(form, {}, whole=True)] == ["must"]
    given = {Place("dose", (1, 0)): {"valueString": "x"}, Place("must", (0, 0)): {"valueString": "x"}}
    assert [one.place for one in breaches(form, given, whole=True)] == [Place("drug", (1, 0))]


@pytest.mark.parametrize(
    ("kind", "text"),
    [("integer", "1.5"), ("integer", "99999999999"), ("decimal", "1,5"), ("decimal", "1e5"), ("date", "23.11.2026"),
     ("date", "2026-02-30"), ("dateTime", "soon"), ("time", "25:00"), ("boolean", "maybe"), ("url", "a b"),
     ("choice", "urn:s|z")],
)  # fmt: skip
def test_what_cannot_be_understood_is_said(kind, text):
    form = Form({"item": [question("q", kind, answerOption=CODES)]})
    answers, [breach] = read(form, {"a0:q": [text]}, {}, UTC)
    assert answers == {} and breach.place == Place("q", (0,)) and breach.text


def test_words_beside_a_choice():
    one, several = (question("q", "open-choice", answerOption=CODES, repeats=repeats) for repeats in (False, True))
    sent = {"a0:q": ["urn:s|a"], "t0:q": ["or so"]}
    assert "clear one of them" in read(Form({"item": [one]}), sent, {}, UTC)[1][0].text
    assert len(read(Form({"item": [several]}), sent, {}, UTC)[0]) == 2
    assert read(Form({"item": [one]}), {"a0:q": ["other:"], "t0:q": [""]}, {}, UTC)[1]


def test_what_a_page_cannot_take_stays():
    form = Form({"item": [question("x", "attachment"), question("fixed", readOnly=True), question("q")]})
    before = answer(x={"valueAttachment": {"title": "scan"}}, fixed={"valueString": "kept"}, q={"valueString": "old"})
    answers, amiss = read(form, {"a0:fixed": ["forged"], "a0:q": ["new"]}, before, UTC)
    assert not amiss and answers == before | answer(q={"valueString": "new"})
