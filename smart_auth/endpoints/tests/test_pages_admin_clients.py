"""Administration of apps: registration, secrets shown once, and an end to all access."""

import json
import re
from typing import Any

import pytest
from argon2 import PasswordHasher
from joserfc.jwk import ECKey

from smart_auth.endpoints.tests.surroundings import Browser
from smart_auth.model import Approval, Clearance, Client, ClientKind, Event, Person, Told
from smart_auth.records import SqlRecords

JWKS = json.dumps({"keys": [ECKey.generate_key("P-384", {"kid": "1"}).as_dict(private=False)]})
APP: dict[str, Any] = {
    "name": "Growth Chart",
    "id": "growth-2",
    "kind": "public",
    "redirect_uris": "https://app.example/back\r\nhttp://127.0.0.1:3000/back",
    "scopes": "launch/patient  patient/*.rs",
}


def register(browser: Browser, **changes: Any) -> Browser:
    return browser.log_in("root").get("/auth/admin/clients/new").submit("/auth/admin/clients", **(APP | changes))


def test_a_public_app(browser: Browser, administrator: Person, records: SqlRecords, told: list[Told]) -> None:
    register(browser)
    assert "Growth Chart is registered" in browser.text
    made = records.client("growth-2")
    assert made and made.redirect_uris == ("https://app.example/back", "http://127.0.0.1:3000/back")
    assert made.scopes == "launch/patient patient/*.rs" and made.kind is ClientKind.PUBLIC and not made.trusted
    assert (told[-1].event, told[-1].client, told[-1].who) == (Event.CLIENT_CHANGED, "growth-2", "root")


def test_a_secret_is_shown_once_and_kept_as_argon2id(
    browser: Browser, administrator: Person, records: SqlRecords, told: list[Told]
) -> None:
    register(browser, kind="symmetric")
    found = re.search(r'<code class="secret" tabindex="0">([^<]{43})<', browser.text)
    made = records.client("growth-2")
    assert found and made and made.secret_argon2.startswith("$argon2id$")
    assert PasswordHasher().verify(made.secret_argon2, found[1])
    assert found[1] not in browser.get("/auth/admin/clients/growth-2").text and found[1] not in str(told)
    browser.submit("/auth/admin/clients/growth-2/secret")
    changed = records.client("growth-2")
    assert changed and changed.secret_argon2 != made.secret_argon2


def test_a_backend_service(browser: Browser, administrator: Person, records: SqlRecords) -> None:
    register(browser, kind="asymmetric", backend="yes", jwks=JWKS, redirect_uris="", scopes="system/*.rs", id="")
    (made,) = records.clients()
    assert made.backend and made.jwks == JWKS and made.id


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"redirect_uris": ""}, "at least one redirect address"),
        ({"redirect_uris": "javascript:alert(1)"}, "cannot be a redirect address"),
        ({"redirect_uris": "http://app.example/"}, "only https"),
        ({"kind": "asymmetric"}, "Give the key set"),
        ({"backend": "yes"}, "proves itself by a key pair"),
        ({"kind": "asymmetric", "jwks": "{}"}, "That is no JWK Set"),
        ({"id": "a b"}, "A client id has"),
        ({"scopes": ""}, "Say which scopes"),
    ],
)
def test_refused_with_the_form_as_it_was(
    browser: Browser, administrator: Person, records: SqlRecords, changes: dict[str, str], words: str
) -> None:
    register(browser, **changes)
    assert browser.status == 400 and words in browser.text and 'value="Growth Chart"' in browser.text
    assert not records.clients()


def test_an_id_is_given_once(browser: Browser, administrator: Person, registered: Client, records: SqlRecords) -> None:
    register(browser, id="growth")
    assert browser.status == 400 and records.client("growth") == registered


def test_change_disable_enable_delete(
    browser: Browser, administrator: Person, registered: Client, patient: Person, records: SqlRecords
) -> None:
    path = "/auth/admin/clients/growth"
    browser.log_in("root").get(path).submit(path, **(APP | {"name": "Growth", "trusted": "yes"}))
    changed = records.client("growth")
    assert changed and changed.name == "Growth" and changed.trusted
    records.put_approval(Approval(id="family", client="growth", scopes="patient/*.rs", person=patient.id))
    browser.get(path).submit(f"{path}/disable")
    assert not records.approvals(patient.id)
    assert [one.subject for one in records.revocations(0)] == ["family:family"]
    browser.submit(f"{path}/enable").submit(f"{path}/delete")
    assert records.client("growth") is None and "Growth is deleted" in browser.text


def test_what_a_colleague_disables_meanwhile_stays_disabled(
    browser: Browser,
    administrator: Person,
    registered: Client,
    records: SqlRecords,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, read = "/auth/admin/clients/growth", records.client

    def disabled_since(id: str) -> Client | None:
        found = read(id)
        records.amend_client(id, {"disabled": True})
        return found

    browser.log_in("root").get(path)
    monkeypatch.setattr(records, "client", disabled_since)
    browser.submit(path, **(APP | {"name": "Growth"}))
    saved = read("growth")
    assert saved and saved.name == "Growth" and saved.disabled


def test_another_proof_ends_what_was_given_on_the_old_one(
    browser: Browser, administrator: Person, registered: Client, patient: Person, records: SqlRecords
) -> None:
    records.put_approval(Approval(id="family", client="growth", scopes="patient/*.rs", person=patient.id))
    path = "/auth/admin/clients/growth"
    browser.log_in("root").get(path).submit(path, **(APP | {"kind": "public"}))
    assert records.approvals(patient.id)
    browser.get(path).submit(path, **(APP | {"kind": "symmetric"}))
    assert not records.approvals(patient.id)


def test_an_unknown_app(browser: Browser, administrator: Person) -> None:
    assert browser.log_in("root").get("/auth/admin/clients/none").status == 410


def test_a_clearance_taken_away_ends_access(
    browser: Browser, administrator: Person, registered: Client, records: SqlRecords, told: list[Told]
) -> None:
    path = "/auth/admin/clients/growth"
    browser.log_in("root").get(path).submit(f"{path}/clearance", clearance="R")
    given = records.client("growth")
    assert given and given.clearance is Clearance.RESTRICTED and 'value="R" checked' in browser.text
    browser.submit(path, **(APP | {"name": "Growth 2"}))
    kept = records.client("growth")
    assert kept and (kept.name, kept.clearance) == ("Growth 2", Clearance.RESTRICTED)
    records.put_approval(Approval(id="family", client="growth", scopes="patient/*.rs", person="x"))
    browser.get(path).submit(f"{path}/clearance", clearance="N")
    assert not records.approvals("x")
    assert [one.detail for one in told if "clearance" in one.detail] == [
        "clearance from normal to restricted", "clearance from restricted to normal",
    ]  # fmt: skip
