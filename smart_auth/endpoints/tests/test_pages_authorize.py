"""From an app's request over log-in, pickers and consent back to the app."""

from urllib.parse import urlencode

from smart_auth.endpoints.tests.surroundings import REDIRECT, Browser, Clock, asked
from smart_auth.model import Client, Event, Person, Told
from smart_auth.people.secret import digest
from smart_auth.records import SqlRecords


def opened(browser: Browser, **changes: str) -> Browser:
    return browser.get("/auth/authorize?" + urlencode(asked(**changes)))


def test_log_in_picker_consent_and_back(
    browser: Browser, staff: Person, registered: Client, records: SqlRecords, told: list[Told]
) -> None:
    opened(browser).log_in("grace")
    assert browser.title == "Choose a patient"
    assert "Ada Byron" in browser.text and "Born 1970-12-10" in browser.text
    browser.submit("/auth/patient", patient="p1")
    assert browser.title == "Allow Growth Chart?"
    assert "Ada Byron" in browser.text and "Charles" not in browser.text
    browser.submit("/auth/consent", answer="allow", **browser.ticked())
    assert browser.left.startswith(REDIRECT + "?")
    assert browser.told["state"] == "s1" and browser.told["iss"] == "http://localhost:8080"
    code = records.code(digest(browser.told["code"]))
    assert code is not None
    approval = records.approval(code.approval)
    assert approval is not None and approval.person == staff.id and approval.context.patient == "p1"
    assert {"patient/Observation.rs", "patient/Condition.rs"} <= set(approval.scopes.split())
    assert [one.event for one in told if one.ok] == [Event.LOGIN, Event.CONSENT]


def test_who_is_logged_in_is_not_asked_again(browser: Browser, patient: Person, registered: Client) -> None:
    browser.log_in("ada")
    assert opened(browser).title == "Allow Growth Chart?"  # a Patient's own record needs no picker


def test_a_posted_request_finds_the_session_after_a_redirect(
    browser: Browser, patient: Person, registered: Client
) -> None:
    browser.log_in("ada")
    browser.post("/auth/authorize", asked(), **{"Sec-Fetch-Site": "cross-site", "Origin": "https://app.example"})
    assert browser.title == "Allow Growth Chart?"


def test_types_are_taken_away_and_narrowed(
    browser: Browser, patient: Person, registered: Client, records: SqlRecords
) -> None:
    browser.log_in("ada")
    ticked = opened(browser).ticked()
    del ticked["patient/Condition"]
    laboratory = "category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
    ticked["patient/Observation"].append(laboratory)
    browser.submit("/auth/consent", answer="allow", **ticked)
    (approval,) = records.approvals(patient.id)
    about_data = [scope for scope in approval.scopes.split() if scope.startswith("patient/")]
    assert about_data == [f"patient/Observation.rs?{laboratory}"]


def test_denied(browser: Browser, patient: Person, registered: Client, records: SqlRecords, told: list[Told]) -> None:
    browser.log_in("ada")
    opened(browser).submit("/auth/consent", answer="deny")
    assert browser.told["error"] == "access_denied" and browser.told["state"] == "s1"
    assert not records.approvals(patient.id)
    assert told[-1].event is Event.CONSENT_REFUSED


def test_cancelled_at_the_picker(browser: Browser, staff: Person, registered: Client) -> None:
    opened(browser).log_in("grace").submit("/auth/cancel")
    assert browser.told["error"] == "access_denied"


def test_nothing_ticked_is_a_refusal(browser: Browser, patient: Person, registered: Client) -> None:
    browser.log_in("ada")
    opened(browser, scope="patient/Observation.rs").submit("/auth/consent", answer="allow")
    assert browser.told["error"] == "access_denied"


def test_a_consent_page_is_answered_once(
    browser: Browser, patient: Person, registered: Client, records: SqlRecords
) -> None:
    browser.log_in("ada")
    fields = opened(browser).hidden("/auth/consent") | {"answer": "allow"} | browser.ticked()
    browser.post("/auth/consent", fields)
    assert browser.left
    assert browser.post("/auth/consent", fields).status == 410
    assert len(records.approvals(patient.id)) == 1


def test_a_consent_page_is_bound_to_the_browser_that_saw_it(
    browser: Browser, other_browser: Browser, patient: Person, staff: Person, registered: Client
) -> None:
    """An attacker's request handle in a victim's form, with the victim's own token, answers nothing."""
    other_browser.log_in("grace")
    theirs = opened(other_browser, scope="user/Patient.rs").hidden("/auth/consent")
    browser.log_in("ada")
    mine = opened(browser).hidden("/auth/consent")
    assert browser.post("/auth/consent", mine | {"request": theirs["request"], "answer": "allow"}).status == 410
    assert not browser.left


def test_without_the_token_nothing_is_granted(
    browser: Browser, patient: Person, registered: Client, records: SqlRecords
) -> None:
    browser.log_in("ada")
    fields = opened(browser).hidden("/auth/consent") | {"answer": "allow"} | browser.ticked()
    assert browser.post("/auth/consent", fields | {"csrf": "x"}).status == 403
    assert browser.post("/auth/consent", {k: v for k, v in fields.items() if k != "csrf"}).status == 403
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
    ):
        assert browser.post("/auth/consent", fields, **headers).status == 403
    assert not records.approvals(patient.id) and not browser.left


def test_pages_cannot_be_framed_cached_or_scripted(browser: Browser, patient: Person, registered: Client) -> None:
    browser.log_in("ada")
    answer = opened(browser).answer
    assert answer is not None
    headers = answer.headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["frame-ancestors"] == "'none'" and policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'" and policy["style-src"] == "'self'"
    assert policy["form-action"] == "'self' https://app.example"
    assert headers["Referrer-Policy"] == "no-referrer" and headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"
    assert "<script" not in browser.text.replace('<script type="module" src=', "") and " style=" not in browser.text


def test_the_picker_searches_and_offers_only_what_the_person_may_see(
    browser: Browser, staff: Person, registered: Client
) -> None:
    opened(browser).log_in("grace").submit("/auth/patient/search", q="babb")
    assert "Charles Babbage" in browser.text and "Ada Byron" not in browser.text
    browser.submit("/auth/patient/search", q="<script>")
    assert "No patient fits" in browser.text and "&lt;script&gt;" in browser.text
    browser.submit("/auth/patient/search", q="ada").submit("/auth/patient", patient="p1")
    assert browser.title == "Allow Growth Chart?"


def test_a_patient_who_is_not_offered_cannot_be_chosen(browser: Browser, staff: Person, registered: Client) -> None:
    opened(browser).log_in("grace").submit("/auth/patient", patient="p9")
    assert browser.status == 400 and not browser.left


def test_a_visit_is_chosen(browser: Browser, staff: Person, registered: Client, records: SqlRecords) -> None:
    opened(browser, scope="launch/patient launch/encounter patient/Encounter.rs").log_in("grace")
    browser.submit("/auth/patient", patient="p1")
    assert browser.title == "Choose a visit" and "Consultation" in browser.text
    browser.submit("/auth/encounter", encounter="e1").submit("/auth/consent", answer="allow", **browser.ticked())
    (approval,) = records.approvals(staff.id)
    assert approval.context.encounter == "e1"


def test_an_unregistered_redirect_is_a_page_and_never_followed(browser: Browser, registered: Client) -> None:
    opened(browser, redirect_uri="https://evil.example/")
    assert browser.status == 400 and not browser.left and "evil.example" not in browser.text


def test_other_faults_go_to_the_app(browser: Browser, registered: Client) -> None:
    assert opened(browser, aud="https://other.example/fhir").told["error"] == "invalid_request"


def test_prompt_none_without_a_session(browser: Browser, registered: Client) -> None:
    assert opened(browser, prompt="none").told["error"] == "login_required"


def test_a_trusted_app_is_not_asked_for(
    browser: Browser, patient: Person, registered: Client, records: SqlRecords
) -> None:
    import msgspec

    records.put_client(msgspec.structs.replace(registered, trusted=True))
    opened(browser).log_in("ada")
    assert browser.told["code"]


def test_a_request_grows_old(browser: Browser, patient: Person, registered: Client, clock: Clock) -> None:
    opened(browser)
    fields = browser.hidden("/auth/login")
    clock.at += 901
    assert browser.post("/auth/login", fields | {"login": "ada", "password": "wrong wrong wrong"}).status == 410
