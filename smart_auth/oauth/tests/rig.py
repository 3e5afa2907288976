"""What the protocol's tests stand in: a real service on real records, clients with real keys, and a person's way
through an authorization without pages."""

import hashlib
from base64 import b64encode, urlsafe_b64encode
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry
from werkzeug.test import TestResponse

from smart_auth.endpoints import blueprint
from smart_auth.endpoints.tests.surroundings import CHEAP, Clock, SmallChart
from smart_auth.model import Client, ClientKind, Person, Session, Told
from smart_auth.oauth.client_assertion import TYPE
from smart_auth.people.secret import digest, fresh
from smart_auth.records import SqlRecords
from smart_auth.service import AuthService

BASE = "http://127.0.0.1:8080/fhir"
ISSUER = "http://127.0.0.1:8080"
TOKEN_URL = f"{ISSUER}/auth/token"
REDIRECT = "https://app.example/back"
VERIFIER = "v" * 64
SECRET = "a-secret-of-the-symmetric-client"
SECRET_ARGON2 = CHEAP.hash(SECRET)
SCOPES = (
    "openid fhirUser profile launch launch/patient launch/encounter offline_access online_access "
    "patient/*.cruds user/*.cruds"
)
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}, auto_kid=False)
EC = ECKey.generate_key("P-384", {"kid": "ec", "use": "sig"}, auto_kid=False)
JWKS = msgspec.json.encode({"keys": [RSA.as_dict(private=False), EC.as_dict(private=False)]}).decode()

CLIENTS = (
    Client(id="public", name="Public app", redirect_uris=(REDIRECT, "http://127.0.0.1/native"), scopes=SCOPES),
    Client(id="other", name="Another app", redirect_uris=("https://other.example/back",), scopes=SCOPES),
    Client(
        id="symmetric",
        name="App with a secret",
        kind=ClientKind.SYMMETRIC,
        secret_argon2=SECRET_ARGON2,
        redirect_uris=(REDIRECT,),
        launch_uri="https://app.example/launch?a=b",
        scopes=SCOPES,
        introspects=True,
        ehr=True,
    ),
    Client(
        id="asymmetric",
        name="App with keys",
        kind=ClientKind.ASYMMETRIC,
        jwks=JWKS,
        redirect_uris=(REDIRECT,),
        scopes=SCOPES,
        trusted=True,
    ),
    Client(
        id="backend",
        name="Service",
        kind=ClientKind.ASYMMETRIC,
        jwks=JWKS,
        scopes="system/Patient.rs system/Observation.cruds",
        backend=True,
    ),
)
STAFF = Person(id="id-grace", login="grace", name="Grace Hopper", fhir_user="Practitioner/1")
PATIENT = Person(id="id-ada", login="ada", name="Ada Byron", fhir_user="Patient/p1", patient="p1")
NOBODY = Person(id="id-nemo", login="nemo", name="Nemo", administrator=True)


class Chart(SmallChart):
    """Two patients, one of whom has a visit."""

    def exists(self, reference: str) -> bool:
        return reference in ("Practitioner/1", "Patient/p1", "Patient/p2", "Encounter/e1")


def challenge(verifier: str = VERIFIER) -> str:
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def assertion(now: int, key: RSAKey | ECKey = RSA, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A client assertion; a claim of None is left out."""
    alg = "RS384" if isinstance(key, RSAKey) else "ES384"
    head = {"alg": alg, "kid": key.as_dict()["kid"], "typ": "JWT"} | (header or {})
    body = {"iss": "backend", "sub": "backend", "aud": TOKEN_URL, "exp": now + 300, "iat": now, "jti": fresh()} | claims
    registry = JWSRegistry(algorithms=[head["alg"]], strict_check_header=False)
    head = {name: value for name, value in head.items() if value is not None}
    body = {name: value for name, value in body.items() if value is not None}
    return jwt.encode(head, body, key, registry=registry, default_type=None)


def asserted(text: str) -> dict[str, str]:
    """The form fields of an assertion."""
    return {"client_assertion_type": TYPE, "client_assertion": text}


def basic(id: str = "symmetric", secret: str = SECRET) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{id}:{secret}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


class Rig:
    """A service with its HTTP endpoints, clients and people."""

    def __init__(self, service: AuthService, records: SqlRecords, clock: Clock, told: list[Told]) -> None:
        self.service, self.records, self.clock, self.told = service, records, clock, told
        for client in CLIENTS:
            records.put_client(client)
        for person in (STAFF, PATIENT, NOBODY):
            records.put_person(person)
        flask = Flask("rig")
        flask.register_blueprint(blueprint(service))
        self.http: FlaskClient = flask.test_client()

    def session(self, person: Person, created: int | None = None) -> Session:
        at = self.clock() if created is None else created
        session = Session(
            session_hash=digest(fresh()), person=person.id, csrf="c", amr=("pwd",), created=at, last_seen=at
        )
        self.records.put_session(session)
        return session

    def params(self, **changes: str) -> dict[str, str]:
        """The parameters of an authorization request; an empty one is left out."""
        params = {
            "response_type": "code",
            "client_id": "public",
            "redirect_uri": REDIRECT,
            "scope": "openid fhirUser launch/patient offline_access patient/Observation.rs",
            "state": "s/1 &",
            "aud": BASE,
            "code_challenge": challenge(),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (params | changes).items() if value}

    def authorize(self, person: Person = PATIENT, session: Session | None = None, **changes: str) -> dict[str, str]:
        """What the app is told after everything asked for was granted."""
        request = self.service.authorizations.begin(self.params(**changes))
        scopes = request.scope
        url = self.service.authorizations.finish(request, person, session or self.session(person), scopes)
        return query(url)

    def redeem(self, code: str, headers: dict[str, str] | None = None, /, **changes: str) -> TestResponse:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": VERIFIER,
            "client_id": "public",
        }
        return self.post("token", form | changes, headers)

    def post(self, endpoint: str, form: dict[str, str], headers: dict[str, str] | None = None) -> TestResponse:
        form = {name: value for name, value in form.items() if value}
        return self.http.post(f"/auth/{endpoint}", data=form, headers=headers, base_url=ISSUER)

    def tokens(self, person: Person = PATIENT, **changes: str) -> dict[str, Any]:
        """The token response of a whole authorization of the public app."""
        found: dict[str, Any] = self.redeem(self.authorize(person, **changes)["code"]).get_json()
        return found

    def at_work(self, person: Person = STAFF, scope: str = "user/*.rs") -> str:
        """An access token of ``person`` in an app of the hospital's own."""
        code = self.authorize(person, client_id="symmetric", scope=scope)["code"]
        return str(self.redeem(code, basic(), client_id="").get_json()["access_token"])

    def refresh(self, token: str, headers: dict[str, str] | None = None, **form: str) -> TestResponse:
        return self.post("token", {"grant_type": "refresh_token", "refresh_token": token} | form, headers)

    def backend(self, scope: str = "system/Patient.rs", text: str = "", **form: str) -> TestResponse:
        fields = asserted(text or assertion(self.clock()))
        return self.post("token", {"grant_type": "client_credentials", "scope": scope} | fields | form)
