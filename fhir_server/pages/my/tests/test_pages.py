"""The patient's pages over the whole server without log-in: what is booked, moved, joined, read, written and told."""

import io
import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from fhir_server import wiring
from fhir_server.conftest import BASE, Answer, Client
from fhir_server.pages.chart.found import find
from fhir_server.pages.chart.threads import CATEGORY
from fhir_server.pages.my import messages
from fhir_server.preparation import prepare
from fhir_server.settings import load
from fhir_server.wiring import Process
from resources.repository import WHOLE_RECORD, Caller

ALL_WEEK = [{"allDay": True}]


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    folder: Path = tmp_path_factory.mktemp("data")
    given = {"DATA_DIR": str(folder), "OPEN": True, "PUBLIC_URL": BASE, "VIDEO_PUBLIC_URL": "https://visit.example.org"}
    settings = load(given | {"VIDEO_PORT": 8081}, {})
    prepare(settings)
    with Process(settings) as made:
        yield made


class Browser:
    """One on this machine that follows no redirects."""

    def __init__(self, client: Client) -> None:
        self.client = client
        create = client.create
        self.patient = "Patient/" + create(
            {"resourceType": "Patient", "name": [{"given": ["Ada"], "family": "Okafor"}]}
        )
        self.doctor = "Practitioner/" + create({"resourceType": "Practitioner", "name": [{"family": "Bergmann"}]})
        role = {"resourceType": "PractitionerRole", "practitioner": {"reference": self.doctor}}
        self.role = "PractitionerRole/" + create(role | {"availableTime": ALL_WEEK})
        self.schedule = create({"resourceType": "Schedule", "actor": [{"reference": self.role}]})

    def send(self, method: str, path: str, form: dict[str, str] | None = None) -> Answer:
        path, _, query = path.partition("?")
        asked = {"patient": self.patient} if form is None else {}
        body = (
            urlencode({**(form or {}), "csrf": self.csrf, "patient": self.patient}).encode()
            if form is not None
            else b""
        )
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": "&".join(filter(None, (query, urlencode(asked)))),
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1",
            "wsgi.input": io.BytesIO(body),
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "wsgi.url_scheme": "http",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
        }
        return self.client.call(environ)

    @property
    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.page("/my/messages"))
        assert found
        return found[1]

    def page(self, path: str, status: int = 200) -> str:
        answer = self.send("GET", path)
        assert answer.status == status, answer.body
        return answer.body.decode()

    def times(self) -> list[str]:
        return re.findall(r'name="start" value="([^"]+)"', self.page(f"/my/book?schedule={self.schedule}"))

    def book(self, start: str, **more: str) -> Answer:
        return self.send("POST", "/my/book", {"schedule": self.schedule, "start": start} | more)

    def appointment(self) -> dict[str, Any]:
        [one] = self.client.send("GET", f"Appointment?patient={self.patient}&status=booked").json["entry"]
        found: dict[str, Any] = one["resource"]
        return found


@pytest.fixture
def browser(process: Process) -> Browser:
    return Browser(Client(wiring.compose(process)))


def test_from_the_free_time_to_the_waiting_room(browser):
    first, second, *_ = browser.times()
    answer = browser.book(first, how="video", reason="Cough <b>")
    assert (answer.status, "done=booked" in answer.headers["location"]) == (303, True)
    home = browser.page("/my/")
    assert "Video visit with" in home and "Bergmann" in home and "Cough &lt;b&gt;" in home
    taken = browser.book(first)
    assert taken.status == 409 and b"Please choose another" in taken.body
    assert first not in browser.times() and second in browser.times()
    joined = browser.send("POST", f"/my/appointments/{browser.appointment()['id']}/join", {})
    assert joined.status == 303 and joined.headers["location"].startswith("https://visit.example.org/visit#ticket=")


def test_moved_and_cancelled(browser):
    times = browser.times()
    browser.book(times[60])
    id = browser.appointment()["id"]
    assert "Change the time" in browser.page("/my/")
    assert "Another time" in browser.page(f"/my/book?move={id}")
    assert browser.book(times[61], move=id).status == 303
    assert browser.appointment()["id"] == id and times[60] in browser.times()
    assert browser.send("POST", f"/my/appointments/{id}/cancel", {}).status == 303
    assert "Earlier and cancelled (1)" in browser.page("/my/") and times[61] in browser.times()


def test_a_visit_days_away_is_not_open_yet(browser):
    browser.book(browser.times()[-1], how="video")
    answer = browser.send("POST", f"/my/appointments/{browser.appointment()['id']}/join", {})
    assert answer.status == 422 and b"minutes before" in answer.body


def test_no_appointment_of_another(process, browser):
    browser.book(browser.times()[10])
    other, id = Browser(browser.client), browser.appointment()["id"]
    for what in ("cancel", "join"):
        assert other.send("POST", f"/my/appointments/{id}/{what}", {}).status == 404
    assert other.book(other.times()[0], move=id).status == 404


def test_a_form_of_another_site_changes_nothing(browser):
    start = browser.times()[0]
    browser.__class__ = type("Foreign", (Browser,), {"csrf": "forged"})
    assert browser.book(start).status == 403


def test_results_and_everything(browser):
    code = {"coding": [{"system": "http://loinc.org", "code": "4548-4", "display": "Hemoglobin A1c"}]}
    value = {"value": 7.4, "unit": "%"}
    made = {"resourceType": "Observation", "status": "final", "code": code, "valueQuantity": value}
    browser.client.create(made | {"subject": {"reference": browser.patient}, "effectiveDateTime": "2026-01-05"})
    browser.client.create(made | {"effectiveDateTime": "2026-01-06"})  # nobody's
    page = browser.page("/my/results")
    assert "Hemoglobin A1c" in page and "7.4%" in page
    whole = json.loads(browser.page("/my/record.json"))
    assert [entry["resource"]["resourceType"] for entry in whole["entry"]] == ["Patient", "Observation"]


def test_messages_are_threads(browser):
    assert browser.send("POST", "/my/messages", {"text": "", "topic": "x"}).status == 400
    sent = browser.send("POST", "/my/messages", {"text": "May I have <coffee>?", "topic": "Before the test"})
    assert sent.status == 303
    [one] = browser.client.send("GET", f"Communication?subject={browser.patient}").json["entry"]
    root = one["resource"]
    answer = {
        "resourceType": "Communication",
        "status": "completed",
        "category": root["category"],
        "subject": root["subject"],
        "sender": {"reference": browser.doctor},
        "sent": "2027-01-05T10:00:00Z",
        "inResponseTo": [{"reference": f"Communication/{root['id']}"}],
        "payload": [{"contentString": "Water only."}],
    }
    browser.client.create(answer)
    page = browser.page("/my/messages")
    assert page.index("May I have &lt;coffee&gt;?") < page.index("Water only.") and page.count("<ol") == 1
    assert browser.send("POST", "/my/messages", {"text": "Thanks", "thread": root["id"]}).status == 303
    assert browser.page("/my/messages").count("<ol") == 1


def test_of_too_many_messages_the_latest_are_shown(browser, monkeypatch):
    monkeypatch.setattr(messages, "find", partial(find, most=2))
    for at, text in enumerate(("first", "second", "third")):
        message = {"category": [{"coding": [CATEGORY]}], "subject": {"reference": browser.patient}}
        body = {"resourceType": "Communication", "status": "completed", "payload": [{"contentString": text}]}
        browser.client.create(message | body | {"sent": f"2026-01-0{at + 1}T09:00:00Z"})
    page = browser.page("/my/messages")
    assert page.index("third") < page.index("second") and "first" not in page
    assert "1 earlier messages" in page


def test_who_looked_is_told_by_name(process, browser):
    process.repository(Caller(browser.doctor, client="some app", grants=WHOLE_RECORD)).read(*browser.patient.split("/"))
    process.spool.drain(process.trail())
    page = browser.page("/my/access")
    assert "Bergmann" in page and "some app" in page and "read" in page


def test_without_log_in_one_chooses(browser):
    page = browser.client.call(
        {"REQUEST_METHOD": "GET", "PATH_INFO": "/my/", "QUERY_STRING": "", "REMOTE_ADDR": "127.0.0.1",
         "HTTP_HOST": "127.0.0.1", "wsgi.url_scheme": "http", "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80"}
    )  # fmt: skip
    assert b"Whose record?" in page.body and browser.patient.encode() in page.body
