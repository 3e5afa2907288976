"""What the clinic of the demonstration asks before a visit: made up, of every kind that a page can ask.

FHIR R4 Questionnaire.
"""

from typing import Any

Json = dict[str, Any]

URL = "urn:demo:questionnaire:before-your-visit"
_CORE = "http://hl7.org/fhir/StructureDefinition"
_UCUM = "http://unitsofmeasure.org"
_TERMS = "http://terminology.hl7.org/CodeSystem"


def questionnaire() -> Json:
    return {
        "resourceType": "Questionnaire",
        "id": "before-your-visit",
        "contained": [CONTACT],
        "url": URL,
        "version": "1",
        "name": "BeforeYourVisit",
        "title": "Before your visit",
        "status": "active",
        "subjectType": ["Patient"],
        "description": "It takes about five minutes, and leaves more time for you in the visit.",
        "item": [_reason(), _fever(), _medicines(), _habits(), _last()],
    }


def _item(link: str, type: str, text: str, **more: Any) -> Json:
    return {"linkId": link, "type": type, "text": text} | more


def _options(*texts: str) -> list[Json]:
    return [{"valueCoding": {"system": "urn:demo:answers", "code": text.lower().replace(" ", "-"), "display": text}}
            for text in texts]  # fmt: skip


def _when(question: str, operator: str = "=", **answer: Any) -> Json:
    return {"enableWhen": [{"question": question, "operator": operator} | answer]}


def _limit(name: str, **value: Any) -> Json:
    return {"url": f"{_CORE}/{name}", **value}


def _reason() -> Json:
    since = _item("since", "date", "Since when?")
    return _item("reason", "group", "What brings you here", item=[
        _item("why", "text", "What would you like to talk about?", required=True, maxLength=1000),
        since,
        _item("how-bad", "choice", "How much does it trouble you?",
              answerOption=_options("Hardly", "Somewhat", "Much", "Very much")),
        _item("urgent", "display", "If you have chest pain, cannot breathe or feel faint, do not wait for your visit: "
              "call the emergency number.", **_when("how-bad", answerCoding=_options("Very much")[0]["valueCoding"])),
    ])  # fmt: skip


def _fever() -> Json:
    unit = [_limit("questionnaire-unitOption", valueCoding={"system": _UCUM, "code": code, "display": text})
            for code, text in (("Cel", "°C"), ("[degF]", "°F"))]  # fmt: skip
    return _item("state", "group", "How you are", item=[
        _item("signs", "open-choice", "Which of these have you had in the last week?", repeats=True,
              answerOption=_options("Fever", "Cough", "Shortness of breath", "Pain", "Tiredness")),
        _item("temperature", "quantity", "Highest temperature that you measured", extension=unit,
              **_when("signs", answerCoding=_options("Fever")[0]["valueCoding"])),
        _item("pain", "integer", "Pain from 0 (none) to 10 (worst)",
              extension=[_limit("minValue", valueInteger=0), _limit("maxValue", valueInteger=10)],
              **_when("signs", answerCoding=_options("Pain")[0]["valueCoding"])),
    ])  # fmt: skip


def _medicines() -> Json:
    return _item("takes", "boolean", "Do you take any medicine, also without prescription?", required=True, item=[
        _item("medicine", "group", "Medicine", repeats=True, **_when("takes", answerBoolean=True), item=[
            _item("drug", "string", "Name", required=True, maxLength=120),
            _item("dose", "string", "How much and how often", maxLength=120),
        ]),
    ])  # fmt: skip


def _habits() -> Json:
    return _item("habits", "group", "Habits", item=[
        _item("smokes", "choice", "Do you smoke?", answerOption=_options("Never", "Not any more", "Yes")),
        _item("cigarettes", "integer", "Cigarettes a day", extension=[_limit("minValue", valueInteger=1)],
              **_when("smokes", answerCoding=_options("Yes")[0]["valueCoding"])),
        _item("sleep", "time", "When do you usually go to sleep?"),
    ])  # fmt: skip


def _last() -> Json:
    return _item("more", "group", "Anything else", item=[
        _item("reach", "choice", "How shall we reach you after the visit?", answerValueSet="#reach"),
        _item("photo", "attachment", "A photo of the skin, a letter or a list"),
        _item("wish", "text", "What should we know besides?", maxLength=2000),
    ])  # fmt: skip


CONTACT = {
    "resourceType": "ValueSet",
    "id": "reach",
    "status": "active",
    "compose": {"include": [{"system": f"{_TERMS}/v3-AddressUse", "concept": [
        {"code": "H", "display": "At home"}, {"code": "MC", "display": "On the mobile"},
        {"code": "WP", "display": "At work"},
    ]}]},
}  # fmt: skip
