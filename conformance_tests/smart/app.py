"""An app as SMART App Launch 2.2 describes it: asks for authorization, redeems codes, refreshes, calls the record.

RFC 6749, RFC 7636 (S256), RFC 7523; SMART App Launch 2.2 sections 2.0.8 to 2.0.12.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from conformance_tests.client import TLS, Client, Json
from conformance_tests.smart.browser import Browser
from conformance_tests.smart.tokens import ASSERTION_TYPE, assertion, b64

REDIRECT = "https://app.example/back"
ORIGIN = "https://app.example"
VERIFIER = "the-verifier-of-every-test-is-long-enough-for-RFC-7636"

Form = dict[str, Any]
Proof = Callable[["App", Form], tuple[Form, Mapping[str, str], tuple[str, str] | None]]
"""(form, headers, HTTP Basic credentials) by which a client proves itself."""


def challenge(verifier: str = VERIFIER) -> str:
    return b64(hashlib.sha256(verifier.encode()).digest())


def by_name(app: "App", form: Form) -> tuple[Form, Mapping[str, str], tuple[str, str] | None]:
    """A public app in a browser."""
    return {"client_id": app.id} | form, {"Origin": ORIGIN}, None


def by_secret(secret: str) -> Proof:
    return lambda app, form: (form, {}, (app.id, secret))


def by_key(alg: str = "RS384") -> Proof:
    def prove(app: "App", form: Form) -> tuple[Form, Mapping[str, str], tuple[str, str] | None]:
        made = assertion(app.id, app.token_endpoint, alg)
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": made} | form, {}, None

    return prove


class App:
    """A client of the server whose FHIR base is ``base``; it learns the endpoints from the server's own documents."""

    def __init__(self, base: str, id: str, proof: Proof = by_name, redirect_uri: str = REDIRECT) -> None:
        self.base, self.id, self.proof, self.redirect_uri = base, id, proof, redirect_uri
        self.http = httpx.Client(timeout=60, verify=TLS)
        self.configuration: Json = self.http.get(f"{base}/.well-known/smart-configuration").json()

    def close(self) -> None:
        self.http.close()

    @property
    def token_endpoint(self) -> str:
        return str(self.configuration["token_endpoint"])

    @property
    def issuer(self) -> str:
        return str(self.configuration["issuer"])

    # --- the authorization request --------------------------------------------------------------------------------

    def request(self, scope: str, **changes: str | None) -> dict[str, str]:
        """The parameters of an authorization request; None leaves one out."""
        params = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": self.redirect_uri,
            "scope": scope,
            "state": secrets.token_urlsafe(16),
            "aud": self.base,
            "code_challenge": challenge(),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (params | changes).items() if value is not None}

    def ask(self, browser: Browser, scope: str, *, method: str = "GET", **changes: str | None) -> Browser:
        """Send the browser to the authorization endpoint: it stands at the next page, or has left."""
        params = self.request(scope, **changes)
        endpoint = str(self.configuration["authorization_endpoint"])
        if method == "POST":
            return browser.post(endpoint, params, Sec_Fetch_Site="cross-site", Origin=ORIGIN)
        return browser.get(endpoint, params)

    def approved(self, browser: Browser, scope: str, *, patient: str = "", encounter: str = "", **changes: Any) -> str:
        """The code, after a logged-in person chose, and allowed everything that is ticked."""
        self.ask(browser, scope, **changes)
        choose(browser, patient, encounter)
        if not browser.left:
            browser.submit("/auth/consent", answer="allow")
        told = browser.told
        assert "code" in told, told
        return told["code"]

    # --- the token endpoint ---------------------------------------------------------------------------------------

    def post(self, url: str, form: Form, proof: Proof | None = None) -> httpx.Response:
        """A form to an endpoint, with this client's proof of itself; None in the form leaves a field out."""
        sent, headers, basic = (proof or self.proof)(self, form)
        sent = {name: value for name, value in sent.items() if value is not None}
        return self.http.post(url, data=sent, headers=dict(headers), auth=basic)

    def exchange(self, code: str, proof: Proof | None = None, **changes: str | None) -> httpx.Response:
        form: Form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri}
        return self.post(self.token_endpoint, form | {"code_verifier": VERIFIER} | changes, proof)

    def refresh(self, token: str, scope: str = "", proof: Proof | None = None) -> httpx.Response:
        form: Form = {"grant_type": "refresh_token", "refresh_token": token} | ({"scope": scope} if scope else {})
        return self.post(self.token_endpoint, form, proof)

    def credentials(self, scope: str, proof: Proof | None = None, **changes: str | None) -> httpx.Response:
        """client_credentials of a backend service."""
        form: Form = {"grant_type": "client_credentials", "scope": scope}
        return self.post(self.token_endpoint, form | changes, proof)

    def granted(self, browser: Browser, scope: str, **more: Any) -> Json:
        """The token response, all the way."""
        return token_response(self.exchange(self.approved(browser, scope, **more)))

    def introspect(self, token: str, proof: Proof | None = None) -> httpx.Response:
        return self.post(str(self.configuration["introspection_endpoint"]), {"token": token}, proof)

    def revoke(self, token: str, proof: Proof | None = None) -> httpx.Response:
        return self.post(str(self.configuration["revocation_endpoint"]), {"token": token}, proof)

    def record(self, token: str) -> Client:
        """The FHIR API, as seen with an access token."""
        return Client(self.base, token)


def choose(browser: Browser, patient: str = "", encounter: str = "") -> None:
    """Answer the pickers, where they are shown."""
    if not browser.left and browser.path.endswith("/auth/patient"):
        browser.submit("/auth/patient", patient=patient)
    if not browser.left and browser.path.endswith("/auth/encounter"):
        browser.submit("/auth/encounter", encounter=encounter)


def token_response(answer: httpx.Response) -> Json:
    """The body of a token response, which must be good."""
    assert answer.status_code == 200, f"{answer.status_code}: {answer.text[:1000]}"
    body: Json = answer.json()
    assert body["access_token"] and body["token_type"].lower() == "bearer"
    return body


def oauth_error(answer: httpx.Response, *errors: str, status: int | tuple[int, ...] = 400) -> Json:
    """The body of a refusal in OAuth's words: JSON with one of ``errors``, kept by no cache."""
    statuses = (status,) if isinstance(status, int) else status
    assert answer.status_code in statuses, f"{answer.status_code}: {answer.text[:1000]}"
    body: Json = answer.json()
    assert body["error"] in errors, body
    assert "access_token" not in body
    assert "no-store" in answer.headers["cache-control"]
    return body


def scopes(text: str) -> set[str]:
    return set(text.split())
