"""Who has access to my data: what is told, and one click that ends it."""

from collections.abc import Callable

from smart_auth.endpoints.tests.surroundings import Browser, Clock
from smart_auth.model import Approval, Client, Context, Event, Person, Told
from smart_auth.records import SqlRecords


def allow(records: SqlRecords, clock: Clock, person: Person, id: str = "family-1") -> Approval:
    approval = Approval(
        id=id,
        client="growth",
        scopes="patient/Observation.rs offline_access",
        person=person.id,
        context=Context(patient="p1"),
        offline=True,
        created=clock.at - 86400,
        last_used=clock.at - 60,
    )
    records.put_approval(approval)
    return approval


def test_what_is_told(browser: Browser, patient: Person, registered: Client, records: SqlRecords, clock: Clock) -> None:
    allow(records, clock, patient)
    browser.log_in("ada")
    for words in (
        "Growth Chart",
        "Ada Byron",
        "14 January 2027",
        "15 January 2027",
        "Test results and vital signs",
        "while you are away",
    ):
        assert words in browser.text


def test_one_click_ends_it(
    browser: Browser, patient: Person, registered: Client, records: SqlRecords, clock: Clock, told: list[Told]
) -> None:
    allow(records, clock, patient)
    browser.log_in("ada").submit("/auth/access", end="family-1")
    assert "The access of Growth Chart has ended" in browser.text and "No app has access" in browser.text
    assert [one.subject for one in records.revocations(0)] == ["family:family-1"]
    assert (told[-1].event, told[-1].who, told[-1].client) == (Event.REVOKED, "Patient/p1", "growth")


def test_nobody_ends_anothers(
    browser: Browser, patient: Person, staff: Person, registered: Client, records: SqlRecords, clock: Clock
) -> None:
    allow(records, clock, staff, "theirs")
    allow(records, clock, patient, "mine")
    assert browser.log_in("ada").submit("/auth/access", end="theirs").status == 404
    assert len(records.approvals(staff.id)) == 1


def test_only_by_a_form_of_this_page(
    browser: Browser, patient: Person, registered: Client, records: SqlRecords, clock: Clock
) -> None:
    allow(records, clock, patient)
    fields = browser.log_in("ada").hidden("/auth/access") | {"end": "family-1"}
    assert browser.post("/auth/access", fields | {"csrf": ""}).status == 403
    assert browser.post("/auth/access", fields, **{"Sec-Fetch-Site": "cross-site"}).status == 403
    assert len(records.approvals(patient.id)) == 1


def test_not_without_a_log_in(browser: Browser) -> None:
    assert browser.get("/auth/access").title == "Log in"


def test_what_others_allowed_is_told_and_not_theirs_to_end(
    browser: Browser,
    patient: Person,
    staff: Person,
    make_person: Callable[..., Person],
    registered: Client,
    records: SqlRecords,
    clock: Clock,
) -> None:
    relative = make_person("bo", name="Bo Byron", fhir_user="RelatedPerson/r1", patient="p1")
    allow(records, clock, staff, "staff's")
    allow(records, clock, relative, "relative's")
    browser.log_in("ada")
    assert "No app has access through you" in browser.text and "Through other people" in browser.text
    assert "Bo Byron" in browser.text and "a member of staff" in browser.text and "Grace" not in browser.text
    form = browser.hidden("/auth/logout")
    for id in ("staff's", "relative's"):
        assert id not in browser.text and browser.post("/auth/access", form | {"end": id}).status == 404
    assert "Through other people" not in Browser(browser.client.application).log_in("bo").text
    assert "Through other people" not in Browser(browser.client.application).log_in("grace").text
