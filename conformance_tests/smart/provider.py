"""A secured server of our own with people, apps and a record, made as an operator makes them.

The first administrator comes by the link of the first start, one person and one client by the command line, the others
by the administration's pages.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import httpx

from conformance_tests.client import TLS, Client
from conformance_tests.smart.app import ORIGIN, REDIRECT, App, Proof, by_key, by_name, by_secret
from conformance_tests.smart.browser import Browser
from conformance_tests.smart.hearth import Hearth, secured
from conformance_tests.smart.record import ADA, GRACE, everything
from conformance_tests.smart.tokens import JWKS

PASSWORD = "calm otters drift by the mill"
LAUNCH_URI = "https://app.example/launch"
SPECIAL = "openid fhirUser profile launch launch/patient launch/encounter offline_access online_access"
EVERYTHING = f"{SPECIAL} patient/*.cruds user/*.cruds"

PEOPLE: dict[str, dict[str, str]] = {
    "ada": {"name": "Ada Byron", "fhir_user": ADA},
    "grace": {"name": "Grace Hopper", "fhir_user": GRACE},
    "rita": {"name": "Rita Byron", "fhir_user": "RelatedPerson/rita", "patient": "ada"},
    "clerk": {"name": "Clerk without a place in the record", "fhir_user": ""},
}

_APP = {"redirect_uris": REDIRECT, "launch_uri": LAUNCH_URI, "scopes": EVERYTHING}
CLIENTS: dict[str, dict[str, str]] = {
    "growth": {"name": "Growth chart", "kind": "public"} | _APP,
    "other": {"name": "Another app", "kind": "public"} | _APP | {"redirect_uris": "https://other.example/back"},
    "native": {"name": "App on a phone", "kind": "public"} | _APP | {"redirect_uris": "http://127.0.0.1/back"},
    "cockpit": {"name": "The hospital's own app", "kind": "public", "trusted": "yes"} | _APP,
    "signer": {"name": "App with keys", "kind": "asymmetric", "jwks": JWKS} | _APP,
    "robot": {
        "name": "Backend service",
        "kind": "asymmetric",
        "jwks": JWKS,
        "backend": "yes",
        "scopes": "system/Patient.rs system/Observation.rs system/Condition.read",
    },
    "ehr": {"name": "The EHR", "kind": "asymmetric", "jwks": JWKS, "ehr": "yes"},
    "gateway": {"name": "Resource server", "kind": "asymmetric", "jwks": JWKS, "introspects": "yes"},
}
PROOFS: dict[str, Proof] = {"signer": by_key(), "robot": by_key(), "ehr": by_key("ES384"), "gateway": by_key()}


@dataclass
class Provider:
    """The server at ``base``; what the tests know of it they know from outside."""

    hearth: Hearth
    operator: Client
    """The whole record, by tokens of the command line."""
    administrator: Browser
    secrets: dict[str, str] = field(default_factory=dict)
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60, verify=TLS))
    """Of somebody without cookies or tokens."""
    browsers: dict[str, Browser] = field(default_factory=dict)
    apps: dict[str, App] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return self.hearth.base

    @property
    def issuer(self) -> str:
        return self.hearth.base.rsplit("/", 1)[0]

    def browser(self) -> Browser:
        """A new browser, in which nobody is logged in."""
        return Browser(self.issuer)

    def logged_in(self, login: str) -> Browser:
        """The browser of a person, logged in once for all tests."""
        return self.browsers[login]

    def app(self, id: str) -> App:
        """The app registered as ``id``, with the proof it was registered for."""
        if id not in self.apps:
            proof = by_secret(self.secrets[id]) if id in self.secrets else PROOFS.get(id, by_name)
            redirect_uri = CLIENTS.get(id, {}).get("redirect_uris", REDIRECT)
            self.apps[id] = App(self.base, id, proof, redirect_uri)
        return self.apps[id]

    def invite(self, login: str, **fields: str) -> None:
        """An account by the administration's pages; its person opens the link and chooses a password."""
        self.administrator.get("auth/admin/people").submit("/auth/admin/people", login=login, **fields)
        self.browsers[login] = open_link(self.browser(), self.shown_once())

    def register(self, id: str, **fields: str) -> None:
        """An app by the administration's pages."""
        self.administrator.get("auth/admin/clients/new").submit("/auth/admin/clients", id=id, **fields)
        assert self.administrator.answer.status_code == 200, self.administrator.page.words
        if fields["kind"] == "symmetric":
            self.secrets[id] = self.shown_once()

    def shown_once(self) -> str:
        """The secret or link on the page that shows it once."""
        found = re.search(r'<code class="secret"[^>]*>(.*?)</code>', self.administrator.answer.text, re.S)
        assert found, self.administrator.page.words
        return unescape(found[1]).strip()

    def close(self) -> None:
        for each in (self.http, self.operator, self.administrator, *self.browsers.values(), *self.apps.values()):
            each.close()


@contextmanager
def provider_on(folder: Path, database: str = "") -> Iterator[Provider]:
    """A secured server with its data in ``folder``, ready for every test. Its two workers share no memory: what is good
    once is good once for both."""
    with secured(folder, database, "--workers", "2") as hearth:
        operator = Client(hearth.base, lambda: hearth.token("system/*.cruds"))
        operator.post("", everything())
        made = Provider(hearth, operator, first_administrator(hearth))
        _populate(made)
        yield made
        made.close()


def first_administrator(hearth: Hearth) -> Browser:
    """Who came by the one-time link that the first start printed."""
    found = re.search(r"https?://\S+/auth/link/\S+", hearth.printed())
    assert found, hearth.printed()[-2000:]
    return open_link(Browser(hearth.base.rsplit("/", 1)[0]), found[0])


def open_link(browser: Browser, url: str) -> Browser:
    """Choose a password behind a one-time link; who does is logged in."""
    browser.get(url)
    action = browser.path[browser.path.index("/auth/link/") :]
    browser.submit(action, password=PASSWORD, again=PASSWORD)
    assert browser.answer.status_code == 200, browser.page.words
    return browser


def _populate(made: Provider) -> None:
    for login, fields in PEOPLE.items():
        made.invite(login, **fields)
    for id, fields in CLIENTS.items():
        made.register(id, **fields)
    made.secrets["portal"] = made.hearth.add_client("portal", "Portal", "symmetric", REDIRECT, EVERYTHING)


def launch(made: Provider, app: str = "", person: str = "", **context: Any) -> Any:
    """The EHR mints a launch handle: the answer to its request."""
    ehr = made.app("ehr")
    proof = by_key("ES384")(ehr, {})[0]
    body = {"app": app, "person": person, **context, **proof, "client_id": "ehr"}
    url = f"{made.issuer}/auth/launch"
    return ehr.http.post(url, content=json.dumps(body), headers={"Content-Type": "application/json", "Origin": ORIGIN})
