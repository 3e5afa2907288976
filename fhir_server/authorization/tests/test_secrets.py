"""A whole flow, from the first link to a revoked token: none of its secrets is in a log, an audit row or a table.

OWASP ASVS 5.0 V16.2.5; the issue's "never with token text".
"""

import logging
import sqlite3
from base64 import b64encode
from pathlib import Path
from typing import Any

import psycopg
import pytest
from msgspec.structs import astuple
from werkzeug.test import Client as Http
from werkzeug.test import TestResponse

from fhir_server import wiring
from fhir_server.authorization.administrator import first_administrator
from fhir_server.commands.authority import accounts
from fhir_server.settings import Settings
from fhir_server.wiring import Process
from resources.repository import WHOLE_RECORD, Caller, Put
from smart_auth.endpoints.tests.surroundings import VERIFIER, Browser, asked
from smart_auth.model import Client, ClientKind
from smart_auth.people.accounts import Role
from smart_auth.people.links import Links, Purpose
from smart_auth.people.passwords import Passwords
from smart_auth.people.secret import fresh

SITE = "http://localhost:8080"
SCOPES = "openid fhirUser offline_access launch/patient user/*.cruds patient/*.rs"


class Flow:
    """Does it all and remembers every secret that was issued, by name."""

    def __init__(self, process: Process) -> None:
        self.process, self.service = process, process.authorization.service
        self.site = wiring.compose(process)
        self.secrets: dict[str, str] = {}

    def test_client(self) -> Http:
        return Http(self.site)

    def note(self, name: str, secret: str) -> str:
        assert len(secret) > 10, name
        self.secrets[name] = secret
        return secret

    def run(self) -> None:
        self._fill()
        grace = self._people()
        code = self._authorize(grace)
        told = self._token(grant_type="authorization_code", code=code, redirect_uri="https://app.example/back")
        again = self._token(grant_type="refresh_token", refresh_token=told["refresh_token"])
        for name in ("access_token", "id_token", "refresh_token"):
            self.note(name, told[name])
            self.note(f"second {name}", again[name])
        self._use(again)

    def _fill(self) -> None:
        resources = [
            {"resourceType": "Practitioner", "id": "1"},
            {"resourceType": "Patient", "id": "p1", "name": [{"family": "Byron"}]},
        ]
        writer = self.process.repository(Caller("test", grants=WHOLE_RECORD))
        writer.commit([Put(each, each["resourceType"], each["id"]) for each in resources])

    def _people(self) -> Browser:
        link = self.note("first link", first_administrator(self.service.records, self.service.tell, self.service.now))
        administrator, grace = Browser(self), Browser(self)  # type: ignore[arg-type]
        self._open(administrator, link, "calm otters drift by")
        person = accounts(self.service).make("grace", "Grace Hopper", Role(fhir_user="Practitioner/1"), "test")
        invitation = Links(self.service.records, self.service.now).issue(person.id, Purpose.INVITATION)
        self._open(grace, self.note("invitation", invitation), "seven quiet lanterns")
        for browser in (administrator, grace):
            cookie = browser.client.get_cookie("hearth")
            assert cookie
            self.note(f"cookie {id(browser)}", cookie.value)
        return grace

    def _open(self, browser: Browser, link: str, password: str) -> None:
        self.note(f"password {password}", password)
        browser.get(f"/auth/link/{link}").submit(f"/auth/link/{link}", password=password, again=password)
        assert browser.status == 200, browser.text

    def _authorize(self, browser: Browser) -> str:
        secret = self.note("client secret", fresh())
        hashed = Passwords().hash(secret)
        redirect = "https://app.example/back"
        self.service.records.put_client(
            Client(
                id="portal",
                name="Portal",
                kind=ClientKind.SYMMETRIC,
                secret_argon2=hashed,
                redirect_uris=(redirect,),
                scopes=SCOPES,
                introspects=True,
            )
        )
        query = asked(client_id="portal", redirect_uri=redirect, scope=SCOPES)
        browser.answer = browser.client.get("/auth/authorize", query_string=query, base_url=SITE)
        browser._follow(browser.answer)
        if "patient" in browser.title.lower():
            browser.submit("/auth/patient", patient="p1")
        browser.submit("/auth/consent", answer="allow", **browser.ticked())
        assert "code" in browser.told, (browser.status, browser.title, browser.left)
        self.note("verifier", VERIFIER)
        return self.note("code", browser.told["code"])

    def _token(self, **form: str) -> dict[str, Any]:
        answer = self._post("/auth/token", code_verifier=VERIFIER, **form)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json or {}
        return told

    def _post(self, path: str, **form: str) -> TestResponse:
        basic = b64encode(f"portal:{self.secrets['client secret']}".encode()).decode()
        return self.test_client().post(path, base_url=SITE, data=form, headers={"Authorization": f"Basic {basic}"})

    def _use(self, told: dict[str, Any]) -> None:
        token = told["access_token"]
        good = {"Authorization": f"Bearer {token}"}
        assert self.test_client().get("/fhir/Patient/p1", base_url=SITE, headers=good).status_code == 200
        assert self.test_client().get(f"/fhir/Patient?access_token={token}", base_url=SITE).status_code == 400
        assert (self._post("/auth/introspect", token=token).json or {})["active"] is True
        reused = self._post("/auth/token", grant_type="refresh_token", refresh_token=self.secrets["refresh_token"])
        assert reused.status_code == 400
        assert self._post("/auth/revoke", token=token).status_code == 200
        assert self.test_client().get("/fhir/Patient/p1", base_url=SITE, headers=good).status_code == 401


def test_no_secret_is_in_a_log_an_audit_row_or_a_table(
    process: Process, settings: Settings, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    appended: list[Any] = []
    keep = process.spool.append
    process.spool.append = lambda records: (appended.extend(records), keep(records))[1]  # type: ignore[method-assign]
    flow = Flow(process)
    with caplog.at_level(logging.DEBUG):
        flow.run()
    process.spool.stop()
    places = {
        "logs": "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records),
        "output": "".join(capfd.readouterr()),
        "audit records": repr([astuple(record) for record in appended]),
        "tables": repr(_tables(settings.database_url)),
        "files": _files(settings.data),
    }
    assert len(flow.secrets) >= 14
    assert "login" in places["audit records"]
    found = [(name, where) for name, secret in flow.secrets.items() for where, text in places.items() if secret in text]
    assert found == []


def _tables(url: str) -> list[Any]:
    """Every row of every table."""
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as lite:
            names = [row[0] for row in lite.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return [_readable(lite, name) for name in names]
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return [connection.execute(f'SELECT * FROM "{row[0]}"'.encode()).fetchall() for row in rows]


def _readable(lite: sqlite3.Connection, name: str) -> list[Any]:
    try:
        return lite.execute(f'SELECT * FROM "{name}"').fetchall()
    except sqlite3.OperationalError:  # a shadow table of the text index
        return []


def _files(folder: Path) -> str:
    return "".join(path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file())
