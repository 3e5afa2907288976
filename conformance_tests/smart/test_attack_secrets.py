"""No secret that was issued or typed is found again: not in logs, not in the audit trail, not in any file."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance_tests.client import Json, eventually, link
from conformance_tests.smart.app import App, by_key, token_response
from conformance_tests.smart.provider import PASSWORD, Provider, launch
from conformance_tests.smart.tokens import assertion

requirement = pytest.mark.requirement

LOGIN, CONSENT, PERSON = "110122", "110136", "110137"
DONE = (LOGIN, CONSENT, PERSON, "launch", "token", "introspection", "revocation", "client-change")
REFUSED = (LOGIN, "token")
STEPS = {(code, True) for code in DONE} | {(code, False) for code in REFUSED}
"""AuditEvent.subtype of what ``spent`` does, and of what made its people and apps; and whether it was done."""

SCOPE = "launch/patient launch openid fhirUser offline_access patient/*.rs"


@pytest.fixture(scope="module")
def spent(provider: Provider) -> dict[str, str]:
    """Every secret of one full flow by name, used rightly and wrongly."""
    growth, robot = provider.app("growth"), provider.app("robot")
    browser = provider.browser().log_in("ada", PASSWORD)
    handle = launch(provider, "growth", "ada", patient="ada").json()["launch"]
    code = growth.approved(browser, SCOPE, launch=handle)
    got = token_response(growth.exchange(code))
    again = token_response(growth.refresh(got["refresh_token"]))
    made = assertion("robot", robot.token_endpoint)
    service = token_response(robot.credentials("system/Patient.rs", client_assertion=made))
    found = {
        "password": PASSWORD,
        "code": code,
        "launch": handle,
        "assertion": made,
        "portal": provider.secrets["portal"],
    }
    found |= {f"cookie {name}": value for name, value in browser.http.cookies.items()}
    found |= {name: got[name] for name in ("access_token", "refresh_token", "id_token")}
    found |= {f"second {name}": again[name] for name in ("access_token", "refresh_token")}
    found |= {"service": service["access_token"], "wrong password": "a wrong password that was typed"}
    _misplace(provider, growth, found)
    browser.close()
    return found


def _misplace(provider: Provider, growth: App, secrets: dict[str, str]) -> None:
    """Put secrets where careless apps put them."""
    token = secrets["access_token"]
    http = provider.http
    bearer = {"Authorization": f"Bearer {token}"}
    http.get(f"{provider.base}/Patient/ada", headers=bearer)
    http.get(f"{provider.base}/Patient", params={"access_token": token})
    http.get(f"{provider.base}/Patient", params={"access_token": token, "name": token}, headers=bearer)
    http.get(f"{provider.base}/Patient/ada", headers={"Authorization": f"Bearer {token}x"})
    http.get(f"{provider.base}/Patient/ada", headers={"Authorization": f"Basic {token}"})
    http.get(f"{provider.issuer}/auth/userinfo", params={"access_token": token})
    http.post(f"{growth.token_endpoint}?code={secrets['code']}", data={"refresh_token": secrets["refresh_token"]})
    growth.introspect(token, proof=by_key())
    provider.app("gateway").introspect(token)
    growth.revoke(token + "x")
    growth.revoke(secrets["second refresh_token"])
    provider.browser().log_in("ada", secrets["wrong password"]).close()


def spellings(secret: str) -> set[bytes]:
    """The secret, its end, and both in base64 at each offset: whatever is kept of it is found."""
    forms = {secret, secret[-40:]}
    found = {form.encode() for form in forms}
    for form in forms:
        for pad in range(3):
            found.add(base64.b64encode(b" " * pad + form.encode())[4:-4])
    return {each for each in found if len(each) >= 12}


def files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


@requirement("attack:61 secrets")
def test_no_file_of_the_server_holds_a_secret(provider: Provider, spent: dict[str, str]) -> None:
    """On SQLite this is the database too."""
    contents = {path: path.read_bytes() for path in files(provider.hearth.folder)}
    assert (provider.hearth.folder / "log") in contents
    for name, secret in spent.items():
        for spelling in spellings(secret):
            holders = [path.name for path, content in contents.items() if spelling in content]
            assert not holders, f"{name} in {holders}"


@requirement("attack:61 secrets")
def test_no_audit_event_holds_a_secret(provider: Provider, spent: dict[str, str]) -> None:
    events = _whole_trail(provider)
    text = json.dumps(events).encode() + b" ".join(_decoded(events))
    for name, secret in spent.items():
        for spelling in spellings(secret):
            assert spelling not in text, name


def _audit_events(provider: Provider) -> Iterator[Json]:
    page = provider.operator.search("AuditEvent", {"_count": "200"})
    while True:
        yield from (each["resource"] for each in page.get("entry", ()))
        if not (following := link(page, "next")):
            return
        page = provider.operator.search(following)


def _decoded(events: list[Json]) -> Iterator[bytes]:
    for event in events:
        for entity in event.get("entity", ()):
            yield base64.b64decode(entity.get("query", ""))


@requirement("BALP#every log-in, consent, token, refusal and revocation")
def test_the_trail_tells_of_every_step(provider: Provider, spent: dict[str, str]) -> None:
    assert set(map(_step, _whole_trail(provider))) >= STEPS


def _step(event: Json) -> tuple[str, bool]:
    return event["subtype"][0]["code"], event["outcome"] == "0"


def _whole_trail(provider: Provider) -> list[Json]:
    """Every event, once those of all steps are stored: they are stored in batches."""

    def all_told() -> list[Json]:
        events = list(_audit_events(provider))
        return events if set(map(_step, events)) >= STEPS else []

    return eventually(all_told)


@requirement("attack:61 secrets")
def test_no_error_repeats_what_was_sent(provider: Provider, growth: App) -> None:
    secret = "a-secret-of-forty-characters-that-was-sent"
    for answer in (
        growth.exchange(secret),
        growth.refresh(secret),
        growth.introspect(secret, proof=by_key()),
        provider.http.get(f"{provider.base}/Patient/ada", headers={"Authorization": f"Bearer {secret}"}),
        provider.http.get(f"{provider.issuer}/auth/link/{secret}"),
        provider.http.get(f"{provider.issuer}/auth/consent", params={"request": secret}),
    ):
        assert secret not in answer.text + str(answer.headers)
