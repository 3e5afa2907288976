"""What the pages' tests stand in: a small chart, a sealer, a clock, and a browser without JavaScript."""

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from argon2 import PasswordHasher
from flask import Flask
from werkzeug.test import TestResponse

from smart_auth.model import Person
from smart_auth.people.passwords import Passwords
from smart_auth.ports import Chart, EncounterChoice, Note, PatientChoice
from smart_auth.records import SqlRecords
from smart_auth.service import AuthService
from smart_auth.signing_keys import SigningKeys

BASE = "http://localhost:8080/fhir"
PASSWORD = "calm otters drift by"
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
REDIRECT = "https://app.example/back"
VERIFIER = "v" * 43


PATIENTS = (
    PatientChoice("p1", "Ada Byron", "1970-12-10", "female", "MRN 1001"),
    PatientChoice("p2", "Charles Babbage", "1961-12-26", "male", "MRN 1002"),
)


class SmallChart:
    """A record of two patients, one of whom has visits."""

    def patients(self, person: Person, text: str) -> Sequence[PatientChoice]:
        return [one for one in PATIENTS if text.lower() in one.name.lower() and self.patient(person, one.id)]

    def patient(self, person: Person, id: str) -> PatientChoice | None:
        seen = (one for one in PATIENTS if one.id == id and (person.staff or person.patient == id))
        return next(seen, None)

    def encounters(self, person: Person, patient: str) -> Sequence[EncounterChoice]:
        return [EncounterChoice("e1", "Consultation", "2026-11-02 09:30")] if patient == "p1" else []

    def exists(self, reference: str) -> bool:
        return reference in ("Practitioner/1", "Patient/p1", "Patient/p2", "RelatedPerson/r1")

    def patient_of(self, reference: str) -> str:
        return {"RelatedPerson/r1": "p1", "Encounter/e1": "p1"}.get(reference, "")


class PlainSealer:
    """Reversible, and different from what goes in; sealing itself is tested where it lives."""

    def seal(self, purpose: str, secret: bytes) -> bytes:
        return purpose.encode() + b"|" + secret[::-1]

    def open(self, purpose: str, sealed: bytes) -> bytes:
        name, _, secret = sealed.partition(b"|")
        assert name == purpose.encode()
        return secret[::-1]


class Clock:
    """Whole seconds that stand still until told."""

    def __init__(self) -> None:
        self.at = 1_800_000_000

    def __call__(self) -> int:
        return self.at


def made_service(
    records: SqlRecords,
    clock: Clock,
    note: Note,
    *,
    base: str = BASE,
    chart: Chart | None = None,
    revoked: Callable[[str, str], bool] = lambda jti, family: False,
    loopback_http: bool = False,
) -> AuthService:
    """A real service on ``records``; its keys are shorter than real ones, which takes less time."""
    sealer = PlainSealer()
    return AuthService(
        base=base,
        records=records,
        chart=chart or SmallChart(),
        sealer=sealer,
        note=note,
        now=clock,
        keys=SigningKeys(records, sealer, clock, bits=1024),
        revoked=revoked,
        loopback_http=loopback_http,
    )


class Browser:
    """Follows our pages as a browser without JavaScript does; leaves when a redirect leads elsewhere."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()
        self.answer: TestResponse | None = None
        self.left = ""

    def get(self, path: str, **headers: str) -> "Browser":
        return self._follow(self.client.get(path, base_url="http://localhost:8080", headers=headers))

    def post(self, path: str, data: dict[str, Any], **headers: str) -> "Browser":
        return self._follow(self.client.post(path, base_url="http://localhost:8080", data=data, headers=headers))

    def _follow(self, answer: TestResponse) -> "Browser":
        while answer.status_code == 303 and answer.headers["Location"].startswith("/"):
            answer = self.client.get(answer.headers["Location"], base_url="http://localhost:8080")
        self.answer, self.left = answer, answer.headers.get("Location", "")
        return self

    @property
    def text(self) -> str:
        return self.answer.get_data(as_text=True) if self.answer else ""

    @property
    def status(self) -> int:
        return self.answer.status_code if self.answer else 0

    @property
    def title(self) -> str:
        found = re.search(r"<title>(.*?) · Hearth</title>", self.text, re.S)
        return unescape(found[1]) if found else ""

    def hidden(self, action: str) -> dict[str, str]:
        """The hidden fields of the first form that goes to ``action``."""
        form = re.search(rf'<form method="post" action="{re.escape(action)}".*?</form>', self.text, re.S)
        assert form, f"no form to {action} on {self.title}"
        return {
            unescape(n): unescape(v) for n, v in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form[0])
        }

    def submit(self, action: str, **fields: Any) -> "Browser":
        return self.post(action, self.hidden(action) | fields, **{"Sec-Fetch-Site": "same-origin", "Origin": "null"})

    def log_in(self, login: str, password: str = PASSWORD) -> "Browser":
        if self.title != "Log in":
            self.get("/auth/login")
        return self.submit("/auth/login", login=login, password=password)

    def ticked(self) -> dict[str, list[str]]:
        """The checkboxes of the page as they stand."""
        found: dict[str, list[str]] = {}
        for name, value in re.findall(r'type="checkbox" name="([^"]+)" value="([^"]*)" checked', self.text):
            found.setdefault(unescape(name), []).append(unescape(value))
        return found

    @property
    def told(self) -> dict[str, str]:
        """The query of the URL that it left by."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.left).query).items()}


def asked(**changes: str) -> dict[str, str]:
    """The parameters of an authorization request."""
    challenge = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
    params = {
        "response_type": "code",
        "client_id": "growth",
        "redirect_uri": REDIRECT,
        "scope": "launch/patient openid fhirUser patient/Observation.rs patient/Condition.rs",
        "state": "s1",
        "aud": BASE,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (params | changes).items() if value}
