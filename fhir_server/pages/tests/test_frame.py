"""The way on after an action, and the page of what went wrong."""

from flask import Flask

from fhir_server.http.this_machine import ThisMachine
from fhir_server.pages.door import OpenDoor
from fhir_server.pages.frame import Frame
from fhir_server.pages.visits.desk import LOOK

FRAME = Frame(
    LOOK, OpenDoor(ThisMachine("http://127.0.0.1:8080/fhir", ()), "/root", b"s", "test"), ("/visits/", "Back")
)


def test_an_action_leads_on_below_the_root_with_what_was_asked() -> None:
    with Flask("test").test_request_context("/", headers={"Host": "localhost:8080"}):
        answer = FRAME.go(None, "/visits/", done="a b", empty="")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/root/visits/?done=a+b")


def test_the_error_page_says_what_and_leads_back() -> None:
    with Flask("test").test_request_context("/", headers={"Host": "localhost:8080"}):
        page = FRAME.problem(None, 409, "Not <done>", "It is over.")
    text = page.get_data(as_text=True)
    assert page.status_code == 409 and "Not &lt;done&gt;" in text and "It is over." in text
    assert 'href="/root/visits/"' in text and page.headers["X-Content-Type-Options"] == "nosniff"
