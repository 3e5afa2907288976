"""Pages as rows: the door before each, forms that are checked, refusals as pages, statics that may be kept."""

from typing import Any

import pytest
from flask import Flask, Response
from werkzeug.test import TestResponse

from fhir_server.http.this_machine import ThisMachine
from fhir_server.pages.door import OpenDoor, Visitor
from fhir_server.pages.frame import Frame
from fhir_server.pages.serving import LARGEST_BODY, serve
from fhir_server.pages.visits.desk import LOOK
from resources.errors import NotFound, OutcomeUnknown, Unavailable

HERE = "http://localhost:8080/"
OURS = {"Sec-Fetch-Site": "same-origin"}


def told(visitor: Visitor, id: str = "") -> Response:
    return Response(f"{visitor.caller.who} {id}".strip())


def fails(visitor: Visitor) -> Response:
    raise Unavailable("the disk is full")


def is_unknown(visitor: Visitor) -> Response:
    raise OutcomeUnknown("the line went dead")


def is_not_there(visitor: Visitor) -> Response:
    raise NotFound("There is no <such> thing.")


def breaks(visitor: Visitor) -> Response:
    raise RuntimeError("secret")


ROWS = (
    ("/x/", "GET", told), ("/x/<id>", "GET", told), ("/x/", "POST", told), ("/fails", "GET", fails),
    ("/none", "GET", is_not_there), ("/breaks", "GET", breaks), ("/unknown", "GET", is_unknown),
)  # fmt: skip


@pytest.fixture
def frame() -> Frame:
    return Frame(LOOK, OpenDoor(ThisMachine("http://127.0.0.1:8080/fhir", ()), "", b"secret", "test"), ("/", "Start"))


@pytest.fixture
def application(frame: Frame) -> Flask:
    made = Flask("test")
    made.testing = True
    made.register_blueprint(serve("test", frame, ROWS, lambda visitor: visitor))
    return made


def get(application: Flask, path: str, **more: Any) -> TestResponse:
    return application.test_client().get(path, base_url=HERE, **more)


def test_a_view_gets_the_visitor_and_the_parts_of_the_path(application: Flask) -> None:
    assert [get(application, path).text for path in ("/x/", "/x", "/x/7")] == ["open", "open", "open 7"]


def test_a_form_that_is_not_of_our_page_reaches_no_view(application: Flask, frame: Frame) -> None:
    client = application.test_client()
    assert client.post("/x/", base_url=HERE, data={"csrf": "x"}, headers=OURS).status_code == 403
    large = {"csrf": "x" * (LARGEST_BODY + 1)}
    assert client.post("/x/", base_url=HERE, data=large, headers=OURS).status_code == 413


def test_refusals_are_pages_and_what_nobody_expected_goes_on(application: Flask) -> None:
    missing, away = get(application, "/none"), get(application, "/fails")
    assert missing.status_code == 404 and "There is no &lt;such&gt; thing." in missing.text and "<h1" in missing.text
    assert (away.status_code, away.headers["Retry-After"]) == (503, "5") and "disk" not in away.text
    unknown = get(application, "/unknown")
    assert unknown.status_code == 503 and "Retry-After" not in unknown.headers and "Please look" in unknown.text
    with pytest.raises(RuntimeError):
        get(application, "/breaks")


def test_statics_may_be_kept_for_as_long_as_they_stay_the_same(application: Flask) -> None:
    first = get(application, "/visits/static/visits.css")
    tag = first.headers["ETag"].strip('"')
    assert "max-age=300" in first.headers["Cache-Control"]
    assert "immutable" in get(application, f"/visits/static/visits.css?v={tag[:12]}").headers["Cache-Control"]
    assert get(application, "/visits/static/visits.css", headers={"If-None-Match": f'"{tag}"'}).status_code == 304
    assert get(application, "/visits/static/..%2Fdesk.py").status_code == 404
