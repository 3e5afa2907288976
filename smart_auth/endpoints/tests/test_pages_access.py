"""Who has access to my data: what is told, and one click that ends it."""

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
