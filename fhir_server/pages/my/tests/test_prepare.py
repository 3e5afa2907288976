"""A questionnaire before a visit, over the whole server on both databases and without script."""

import re
from collections.abc import Iterator
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from conftest import DIALECTS
from deploy.demo.questionnaire import URL, questionnaire
from fhir_server import wiring
from fhir_server.conftest import Answer, Client
from fhir_server.pages.my.tests.test_pages import Browser
from fhir_server.repository.bound import BoundRepository
from fhir_server.tests.processes import running_on
from fhir_server.wiring import Process
from resources.errors import OutcomeUnknown

Json = dict[str, Any]


@pytest.fixture(scope="module", params=DIALECTS)
def process(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    folder: Path = tmp_path_factory.mktemp("data")
    with running_on(request.param, folder) as made:
        yield made


class Patient(Browser):
    """With an appointment for which a questionnaire is to be filled in."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        assert client.send("PUT", "Questionnaire/before-your-visit", questionnaire()).status in (200, 201)
        ask = [{"url": "urn:x-hearth:questionnaire", "valueCanonical": URL}]
        who = {"actor": [{"reference": self.role}], "extension": ask}
        self.schedule = client.create({"resourceType": "Schedule"} | who)
        self.book(self.times()[-1])
        self.place = f"/my/appointments/{self.appointment()['id']}/prepare"

    def hidden(self, page: str = "") -> dict[str, str]:
        page = page or self.page(self.place)
        pairs = re.findall(r'type="hidden" name="(task|versions)" value="([^"]*)"', page)
        return dict(pairs)

    def fill(self, go: str, hidden: dict[str, str] | None = None, **given: str) -> Answer:
        """``given`` by link id: fields of the top or one group deep."""
        form = {NAMES[link]: text for link, text in given.items()}
        return self.send("POST", self.place, {**(hidden or self.hidden()), "go": go, **form})

    def task(self) -> Json:
        [one] = self.client.send("GET", f"Task?patient={self.patient}").json["entry"]
        found: Json = one["resource"]
        return found

    def response(self) -> Json:
        [row] = self.task()["output"]
        found: Json = self.client.send("GET", row["valueReference"]["reference"]).json
        return found


NAMES = {
    "why": "a0.0:why", "since": "a0.0:since", "bad": "a0.0:how-bad", "signs": "a0.0:signs", "fever": "a0.0:temperature",
    "unit": "u0.0:temperature", "takes": "a0:takes", "drug": "a0.0.0:drug", "smokes": "a0.0:smokes",
    "cigarettes": "a0.0:cigarettes", "seen": "seen",
}  # fmt: skip
YES = "urn:demo:answers|yes"
FEVER = "urn:demo:answers|fever"


def words(answer: Answer | str) -> str:
    text = answer if isinstance(answer, str) else answer.body.decode()
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


@pytest.fixture
def patient(process: Process) -> Patient:
    return Patient(Client(wiring.compose(process)))


def test_booking_asks_and_cancelling_takes_it_back(patient):
    task = patient.task()
    assert (task["status"], task["for"]["reference"]) == ("requested", patient.patient)
    assert task["focus"] == {"reference": "Questionnaire/before-your-visit"}
    assert task["basedOn"] == [{"reference": f"Appointment/{patient.appointment()['id']}"}]
    assert ">Prepare<" in patient.page("/my/")
    patient.send("POST", f"/my/appointments/{patient.appointment()['id']}/cancel", {})
    assert patient.task()["status"] == "cancelled"


def test_from_a_draft_to_what_is_sent_and_amended(patient):
    page = patient.page(patient.place)
    assert "What would you like to talk about?" in page and "cannot be filled in here" in page
    assert patient.fill("save", why="Cough").status == 303
    draft = patient.response()
    assert (draft["status"], patient.task()["status"]) == ("in-progress", "in-progress")
    assert "Cough</textarea>" in patient.page(patient.place)
    assert patient.fill("send", why="Cough\r\nat night", takes="false").status == 303
    sent = patient.response()
    assert (sent["status"], sent["id"], patient.task()["status"]) == ("completed", draft["id"], "completed")
    assert sent["questionnaire"] == f"{URL}|1" and sent["author"] == sent["source"] == {"reference": patient.patient}
    assert sent["item"][0]["item"][0]["answer"] == [{"valueString": "Cough\nat night"}]
    assert patient.fill("send", why="Cough, better", takes="false").status == 303
    assert (patient.response()["status"], patient.response()["meta"]["versionId"]) == ("amended", "3")
    assert "Your answers" in patient.page("/my/")


def test_what_is_missing_or_wrong_is_said_at_its_field_and_nothing_is_lost(patient):
    answer = patient.fill("send", since="23.11.2026", why="Cough")
    page = answer.body.decode()
    assert answer.status == 422 and "2 answers need another look" in page and 'value="23.11.2026"' in page
    assert "Since when? Please write a date as year-month-day" in words(answer)
    assert re.search(r'id="(q\d+-0-0)"[^>]*value="23.11.2026"[^>]*aria-invalid="true"', page)
    assert "Do you take any medicine, also without prescription? Please answer this." in words(answer)
    assert patient.task()["status"] == "requested"


def test_questions_that_follow_are_shown_before_it_is_sent(patient):
    first = patient.fill("send", why="x", takes="false", smokes=YES)
    assert first.status == 200 and "led to more questions" in words(first)
    assert re.search(r'<fieldset class="follows"[^>]*cigarettes|name="a0.0:cigarettes"', first.body.decode())
    seen = {"seen": "0.0:cigarettes"}
    assert patient.fill("send", why="x", takes="false", smokes=YES, cigarettes="0", **seen).status == 422
    assert patient.fill("send", why="x", takes="false", smokes=YES, cigarettes="8", **seen).status == 303
    habits = next(one for one in patient.response()["item"] if one["linkId"] == "habits")
    assert habits["item"][1]["answer"] == [{"valueInteger": 8}]


def test_repeated_groups_below_an_answer(patient):
    answer = patient.fill("g0.1:medicine", why="x", takes="true", drug="Metformin", seen="0.0:medicine")
    page = answer.body.decode()
    assert 'value="Metformin"' in page and 'name="a0.1.0:drug"' in page
    assert "Medicine 2" in words(page)


def test_a_quantity_has_its_unit(patient):
    given = {"why": "x", "takes": "false", "signs": FEVER, "seen": "0.0:temperature"}
    assert patient.fill("send", **given, fever="38.50", unit="Cel").status == 303
    state = next(one for one in patient.response()["item"] if one["linkId"] == "state")
    quantity = state["item"][1]["answer"][0]["valueQuantity"]
    assert (str(quantity["value"]), quantity["code"], quantity["unit"]) == ("38.50", "Cel", "°C")


def test_two_windows_do_not_write_over_each_other(patient):
    one, other = patient.hidden(), patient.hidden()
    assert patient.fill("save", one, why="mine").status == 303
    refused = patient.fill("save", other, why="from the other window")
    assert refused.status == 409 and "changed in another window" in words(refused)
    assert "from the other window" in words(refused) and "mine" in words(patient.page(patient.place))
    again = patient.fill("save", patient.hidden(refused.body.decode()), why="from the other window")
    assert again.status == 303 and "from the other window" in words(patient.page(patient.place))


def test_nobody_elses(patient):
    other = Patient(patient.client)
    other.place = patient.place
    assert other.send("GET", patient.place).status == 404
    assert other.send("POST", patient.place, {"go": "send"}).status == 404


def test_a_questionnaire_that_is_not_here_is_said_to_be_so(patient):
    task = patient.task()
    for name in ("focus", "output"):
        task.pop(name, None)
    task["input"][0]["valueCanonical"] = "urn:elsewhere"
    assert patient.client.send("PUT", f"Task/{task['id']}", task).status == 200
    assert "cannot be shown here" in words(patient.page(patient.place))


def test_when_the_appointment_is_over_it_is_shown_and_not_changed(patient):
    patient.fill("send", why="Cough", takes="false")
    appointment = patient.appointment() | {"status": "fulfilled"}
    patient.client.send("PUT", f"Appointment/{appointment['id']}", appointment)
    page = patient.page(patient.place)
    assert "<form" not in page.partition("<main")[2] and "Cough" in words(page) and "No" in words(page)
    assert patient.send("POST", patient.place, {"go": "send"}).status == 404


def of(link: str, type: str, **more: Any) -> Json:
    return {"linkId": link, "type": type, "text": link.title()} | more


CORE = "http://hl7.org/fhir/StructureDefinition"
EVERY_KIND = [
    of("string", "string", repeats=True),
    of("url", "url"),
    of("decimal", "decimal"),
    of("integer", "integer", initial=[{"valueInteger": 7}]),
    of("date", "date"),
    of("moment", "dateTime"),
    of("time", "time"),
    of("boolean", "boolean"),
    of("many", "choice", answerOption=[{"valueInteger": n} for n in range(20)]),
    of("words", "open-choice", answerOption=[{"valueString": "tea"}]),
    of("stored", "choice", answerValueSet="urn:test:set"),
    of("nowhere", "choice", answerValueSet="urn:test:nowhere"),
    of("amount", "quantity"),
    of("told", "string", readOnly=True, initial=[{"valueString": "by the clinic"}]),
    of("secret", "string", initial=[{"valueString": "unseen"}],
       extension=[{"url": f"{CORE}/questionnaire-hidden", "valueBoolean": True}]),
    of("file", "attachment"),
    of("whom", "reference"),
    of("says", "display"),
]  # fmt: skip


def test_of_answers_that_may_be_stored_nobody_says_that_they_are_not(patient, monkeypatch):
    def lost(*given: object) -> None:
        raise OutcomeUnknown("The line went dead.")

    hidden = patient.hidden()
    with monkeypatch.context() as broken:
        broken.setattr(BoundRepository, "commit", lost)
        answer = patient.fill("save", hidden, why="Cough")
    assert answer.status == 503 and "may have been saved or not" in words(answer) and "Cough" in answer.body.decode()


def asked_for(patient: Patient, items: list[Json]) -> str:
    """The Task of an EHR that asks for ``items`` before the appointment; its id."""
    create = patient.client.create
    code = {"system": "urn:test:codes", "code": "b", "display": "Bee"}
    include = [{"system": code["system"], "concept": [{"code": "b", "display": "Bee"}]}]
    create({"resourceType": "ValueSet", "url": "urn:test:set", "status": "active", "compose": {"include": include}})
    id = create({"resourceType": "Questionnaire", "title": "Every kind", "status": "active", "item": items})
    coded = {"coding": [{"system": "http://hl7.org/fhir/uv/sdc/CodeSystem/temp", "code": "complete-questionnaire"}]}
    task = {"status": "requested", "intent": "order", "code": coded, "focus": {"reference": f"Questionnaire/{id}"}}
    about = {"for": {"reference": patient.patient}, "authoredOn": "2026-01-01T09:00:00Z"}
    place = {"basedOn": [{"reference": f"Appointment/{patient.appointment()['id']}"}]}
    return create({"resourceType": "Task"} | task | about | place)


def test_every_kind_of_question_of_an_ehr(patient):
    task = asked_for(patient, EVERY_KIND)
    patient.place += f"?task={task}"
    page = patient.page(patient.place)
    assert "Every kind" in words(page) and "by the clinic" in words(page) and "unseen" not in words(page)
    assert 'value="7"' in page and page.count("cannot be filled in here") == 3 and "<select" in page
    assert "Before your visit" in words(page)  # the other one that is asked for
    sent = {
        "a0:string": "one", "a1:string": "two", "a0:url": "https://example.org/a", "a0:decimal": "1.50",
        "a0:integer": "-3", "a0:date": "2026-02-28", "a0:moment": "2026-07-01T09:30", "a0:time": "22:15",
        "a0:boolean": "true", "a0:many": "13", "a0:words": "other:", "t0:words": "coffee",
        "a0:stored": "urn:test:codes|b", "a0:amount": "2", "u0:amount": "cups", "a0:told": "forged", "a0:secret": "x",
        "a0:file": "x", "a0:says": "x", "a0:unknown": "x", "a\u00b2:string": "x", "a00:string": "x",
    }  # fmt: skip
    answer = patient.send("POST", patient.place, {**patient.hidden(page), "go": "send", **sent})
    assert answer.status == 303, words(answer)
    output = patient.client.send("GET", f"Task/{task}").json["output"]
    made = patient.client.send("GET", output[0]["valueReference"]["reference"]).json
    found = {item["linkId"]: item["answer"] for item in made["item"]}
    assert [one["valueString"] for one in found.pop("string")] == ["one", "two"]
    assert str(found["decimal"][0]["valueDecimal"]) == "1.50"
    assert {link: next(iter(answers[0].values())) for link, answers in found.items()} == {
        "url": "https://example.org/a", "decimal": Decimal("1.50"), "integer": -3, "date": "2026-02-28",
        "moment": "2026-07-01T09:30:00+00:00", "time": "22:15:00", "boolean": True, "many": 13, "words": "coffee",
        "stored": {"system": "urn:test:codes", "code": "b", "display": "Bee"},
        "amount": {"value": 2, "unit": "cups"}, "told": "by the clinic", "secret": "unseen",
    }  # fmt: skip
    again = patient.page(patient.place)
    assert 'value="2026-07-01T09:30:00"' in again and 'value="coffee"' in again and "Sent" in words(again)
