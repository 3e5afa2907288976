"""Administration of people: only for administrators; links, roles, shutting out."""

import re
from collections.abc import Callable

import pytest

from smart_auth.endpoints import pages_admin_people
from smart_auth.endpoints.pages import ROUTES
from smart_auth.endpoints.tests.surroundings import Browser
from smart_auth.model import Approval, Clearance, Event, Passkey, Person, Told
from smart_auth.records import SqlRecords

ADMIN = sorted({(rule, method) for rule, method, _ in ROUTES if rule.startswith("/auth/admin")})


@pytest.mark.parametrize(("rule", "method"), ADMIN)
def test_only_for_administrators(browser: Browser, patient: Person, rule: str, method: str) -> None:
    path = rule.replace("<id>", "id-ada")
    if method == "GET":
        assert browser.get(path).title == "Log in"
        assert browser.log_in("ada").get(path).status == 403
        return
    form = browser.log_in("ada").hidden("/auth/logout")
    assert browser.post(path, form).status == 403


def test_invite(browser: Browser, other_browser: Browser, administrator: Person, records: SqlRecords) -> None:
    browser.log_in("root").submit("/auth/admin/people", login="Ada", name="Ada Byron", fhir_user="Patient/p1")
    found = re.search(r"http://localhost:8080(/auth/link/[\w-]+)", browser.text)
    assert found and "shown only now" in browser.text
    other_browser.get(found[1]).submit(found[1], password="seven quiet lanterns", again="seven quiet lanterns")
    assert other_browser.title == "Who has access to my data"
    made = records.person_by_login("ada")
    assert made and made.patient == "p1" and not made.administrator


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"login": "root"}, "Somebody else has that login"),
        ({"login": "a b"}, "A login has"),
        ({"fhir_user": "Patient/p9"}, "The record has no Patient/p9"),
        ({"fhir_user": "RelatedPerson/r1"}, "Say which patient"),
        ({"name": ""}, "Give a name"),
    ],
)
def test_invitations_that_are_refused_keep_what_was_typed(
    browser: Browser, administrator: Person, changes: dict[str, str], words: str
) -> None:
    typed = {"login": "new.login", "name": "New Name", "fhir_user": ""} | changes
    browser.log_in("root").submit("/auth/admin/people", **typed)
    assert browser.status == 400 and words in browser.text and f'value="{typed["login"]}"' in browser.text


def test_a_changed_role_ends_what_was_allowed(
    browser: Browser, other_browser: Browser, administrator: Person, staff: Person, records: SqlRecords
) -> None:
    other_browser.log_in("grace")
    records.put_approval(Approval(id="family", client="x", scopes="user/*.rs", person=staff.id))
    path = f"/auth/admin/people/{staff.id}"
    browser.log_in("root").get(path).submit(f"{path}/role", fhir_user="Patient/p1", patient="")
    assert browser.status == 200
    changed = records.person(staff.id)
    assert changed and changed.patient == "p1" and not changed.staff
    assert not records.approvals(staff.id) and other_browser.get("/auth/access").title == "Log in"


def test_shut_out_and_let_in(browser: Browser, other_browser: Browser, administrator: Person, staff: Person) -> None:
    other_browser.log_in("grace")
    path = f"/auth/admin/people/{staff.id}"
    browser.log_in("root").get(path).submit(f"{path}/disable")
    assert other_browser.get("/auth/access").title == "Log in"
    assert other_browser.log_in("grace").status == 401
    browser.submit(f"{path}/enable")
    assert other_browser.log_in("grace").status == 200


def test_the_last_administrator_stays(browser: Browser, administrator: Person) -> None:
    path = f"/auth/admin/people/{administrator.id}"
    browser.log_in("root").get(path).submit(f"{path}/disable")
    assert browser.status == 400 and "last administrator" in browser.text


def test_a_clearance_given_to_oneself_is_told(
    browser: Browser, make_person: Callable[..., Person], records: SqlRecords, told: list[Told]
) -> None:
    me = make_person("root", administrator=True, fhir_user="Practitioner/1")
    path = f"/auth/admin/people/{me.id}"
    browser.log_in("root").get(path).submit(f"{path}/clearance", clearance="V")
    changed = records.person(me.id)
    assert changed and changed.clearance is Clearance.VERY_RESTRICTED and "The clearance is saved" in browser.text
    detail = "clearance of root from normal to very-restricted, by themselves"
    assert (told[-1].event, told[-1].who, told[-1].detail) == (Event.PERSON_CHANGED, "Practitioner/1", detail)
    count = len(told)
    browser.get(path).submit(f"{path}/clearance", clearance="nonsense")
    assert records.person(me.id) == changed and len(told) == count


def test_reset_link_and_log_off(browser: Browser, other_browser: Browser, administrator: Person, staff: Person) -> None:
    other_browser.log_in("grace")
    path = f"/auth/admin/people/{staff.id}"
    browser.log_in("root").get(path).submit(f"{path}/log-off")
    assert other_browser.get("/auth/access").title == "Log in"
    browser.submit(f"{path}/link")
    found = re.search(r"http://localhost:8080(/auth/link/[\w-]+)", browser.text)
    assert found and other_browser.get(found[1]).title == "Choose a new password"


def test_an_unknown_person(browser: Browser, administrator: Person) -> None:
    assert browser.log_in("root").get("/auth/admin/people/nobody").status == 410


def test_search_and_pages(
    browser: Browser, administrator: Person, records: SqlRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages_admin_people, "PAGE", 3)
    for number in range(5):
        records.put_person(Person(id=f"n{number}", login=f"nurse{number}", name=f"Nurse <{number}>"))
    browser.log_in("root").get("/auth/admin/people")
    assert "nurse2" in browser.text and "nurse3" not in browser.text
    more = "<button>More people</button>"
    assert more in browser.text
    last = re.findall(r'<form method="post" action="/auth/admin/people/search">.*?</form>', browser.text, re.S)
    assert len(last) == 1 and 'name="after" value="nurse2"' in last[0]
    form = browser.hidden("/auth/admin/people/search")
    browser.post("/auth/admin/people/search", form | {"after": "nurse2"})
    assert "nurse3" in browser.text and "<code>root</code>" in browser.text and more not in browser.text
    browser.post("/auth/admin/people/search", form | {"q": "<4>"})
    assert "nurse4" in browser.text and "nurse3" not in browser.text and 'value="&lt;4&gt;"' in browser.text
    assert "Nobody fits" in browser.post("/auth/admin/people/search", form | {"q": "zz%"}).text


def test_passkeys_are_taken_away(browser: Browser, administrator: Person, staff: Person, records: SqlRecords) -> None:
    records.put_passkey(Passkey(credential_id=b"1", person=staff.id, public_key=b"k", sign_count=0))
    path = f"/auth/admin/people/{staff.id}"
    browser.log_in("root").get(path).submit(f"{path}/passkeys/remove")
    assert "The passkeys are removed" in browser.text and not records.passkeys(staff.id)


def test_people_who_cannot_be_told_apart_are_shown(
    browser: Browser, administrator: Person, staff: Person, make_person: Callable[..., Person]
) -> None:
    browser.log_in("root").get(f"/auth/admin/people/{staff.id}")
    assert "cannot tell these people apart" not in browser.text
    make_person("hopper", fhir_user=staff.fhir_user)
    assert "Also hopper:" in browser.get(f"/auth/admin/people/{staff.id}").text
