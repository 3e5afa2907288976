"""Fixtures of the pages' tests: a real service on real records."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from smart_auth.endpoints import blueprint, pages_desk
from smart_auth.endpoints.tests.surroundings import CHEAP, PASSWORD, REDIRECT, Browser, Clock, made_service
from smart_auth.model import Client, Person, Told
from smart_auth.records import SqlRecords
from smart_auth.service import AuthService


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> list[Told]:
    """What the audit trail was told."""
    return []


@pytest.fixture
def service(records: SqlRecords, clock: Clock, told: list[Told]) -> AuthService:
    return made_service(records, clock, told.append)


@pytest.fixture
def app(service: AuthService, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setattr(pages_desk, "Passwords", lambda: CHEAP)  # the same code with parameters that cost nothing
    flask = Flask(__name__)
    flask.register_blueprint(blueprint(service))
    return flask


@pytest.fixture
def make_person(records: SqlRecords) -> Callable[..., Person]:
    def make(login: str, **fields: Any) -> Person:
        given = {"id": f"id-{login}", "login": login, "name": login.title(), "password_argon2": CHEAP.hash(PASSWORD)}
        person = Person(**(given | fields))
        records.put_person(person)
        return person

    return make


@pytest.fixture
def staff(make_person: Callable[..., Person]) -> Person:
    return make_person("grace", fhir_user="Practitioner/1")


@pytest.fixture
def patient(make_person: Callable[..., Person]) -> Person:
    return make_person("ada", fhir_user="Patient/p1", patient="p1")


@pytest.fixture
def administrator(make_person: Callable[..., Person]) -> Person:
    return make_person("root", administrator=True)


@pytest.fixture
def registered(records: SqlRecords) -> Client:
    client = Client(
        id="growth",
        name="Growth Chart",
        redirect_uris=(REDIRECT,),
        scopes="openid fhirUser launch launch/patient launch/encounter offline_access patient/*.cruds user/*.cruds",
    )
    records.put_client(client)
    return client


@pytest.fixture
def browser(app: Flask) -> Browser:
    return Browser(app)


@pytest.fixture
def other_browser(app: Flask) -> Browser:
    return Browser(app)
