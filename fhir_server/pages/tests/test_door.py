from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import Headers

from fhir_server.http.this_machine import ThisMachine
from fhir_server.pages.door import OpenDoor
from resources.errors import Forbidden
from resources.repository import WHOLE_RECORD


def door(client: str = "pages of the test") -> OpenDoor:
    return OpenDoor(ThisMachine("http://127.0.0.1:8080/fhir", ()), "", b"secret", client)


def asked(host: str = "localhost:8080", site: str = "same-origin", **form: str) -> Any:
    headers = Headers({"Host": host, "Sec-Fetch-Site": site})
    return Flask("test").test_request_context("/", method="POST", headers=headers, data=form)


def test_whoever_is_on_this_machine_comes_in() -> None:
    with asked():
        visitor = door().visitor()
        assert (visitor.caller.who, visitor.caller.client) == ("open", "pages of the test")
        assert visitor.caller.grants is WHOLE_RECORD and door().visitor().csrf == visitor.csrf
        assert door("other pages").visitor().csrf != visitor.csrf
    with asked("evil.example"), pytest.raises(Forbidden):
        door().visitor()


def test_a_form_brings_back_what_the_page_gave() -> None:
    with asked():
        visitor = door().visitor()
    with asked(csrf=visitor.csrf):
        door().check_form(visitor)
    for site, csrf in (
        ("same-site", visitor.csrf),
        ("cross-site", visitor.csrf),
        ("same-origin", "x"),
        ("same-origin", ""),
    ):
        with asked(site=site, csrf=csrf), pytest.raises(Forbidden):
            door().check_form(visitor)
