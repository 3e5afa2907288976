"""The biller's pages without log-in: from a visit to its charge, the draft, and what a biller says of it."""

from fhir_server.pages.billing.tests.conftest import Office

PAGE = "/billing/?until=2026-11-23"


def test_from_a_visit_to_a_checked_claim(office: Office) -> None:
    office.covered(type={"text": "Statutory"}, subscriberId="A-17")
    visit = office.visit()
    condition = office.condition(visit)
    words = office.browser.get(PAGE).words
    assert "Okafor" in words and "23.5 minutes · By video · Bergmann" in words
    page = office.browser.submit(f"/billing/{visit}/charge")
    assert page.answer.request.path == f"/billing/{visit}" and "Please check the draft" in page.words
    assert "By software, checked by nobody yet" in page.words and "Statutory, Okafor, number A-17" in page.words
    assert "the record does not say where the patient was" in page.words and "45.50 EUR" in page.words
    chosen = {"code": "short", "place": "10", "modifier": "95", "diagnosis": condition, "main": condition}
    page.submit(f"/billing/{visit}", **chosen, do="save")
    assert "The draft is saved" in page.words and "Missing" not in page.words and "20.00 EUR" in page.words
    assert "Okafor" in office.browser.get(PAGE).words.split("Not charged yet")[0], "among the drafts"
    office.page(visit).submit(f"/billing/{visit}", **chosen, do="check")
    assert office.browser.answer.request.path == "/billing/" and "The claim is checked" in office.browser.words
    claim = office.got(f"Claim?patient={office.patient}")["entry"][0]["resource"]
    assert claim["status"] == "active" and claim["item"][0]["locationCodeableConcept"]["coding"][0]["code"] == "10"
    assert "Checked" in office.page(visit).words and "<select" not in office.browser.text


def test_what_lacks_something_is_checked_when_that_is_right(office: Office) -> None:
    office.covered()
    visit = office.visit()
    office.charge(visit)
    page = office.page(visit).submit(f"/billing/{visit}", code="long", do="check", modifier="95")
    assert page.answer.status_code == 422 and "not checked: something is missing" in page.words
    assert office.got(f"Claim?patient={office.patient}")["entry"][0]["resource"]["status"] == "draft"
    page.submit(f"/billing/{visit}", code="long", do="check", modifier="95", despite="1")
    assert office.got(f"Claim?patient={office.patient}")["entry"][0]["resource"]["status"] == "active"


def test_a_claim_that_waits_is_drafted_later(office: Office) -> None:
    visit = office.visit()
    page = office.page(visit).submit(f"/billing/{visit}/charge")
    assert "Its claim waits" in page.words and "No active Coverage" in page.words and "<select" not in page.text
    assert "the claim waits" in office.browser.get(PAGE).words
    office.covered()
    page = office.page(visit).submit(f"/billing/{visit}/charge")
    assert "Draft to check" in page.words


def test_a_visit_that_is_not_billed(office: Office) -> None:
    office.covered()
    visit = office.visit()
    office.charge(visit)
    place = f"/billing/{visit}/not-billable"
    page = office.page(visit).submit(place, reason="  ")
    assert page.answer.status_code == 400 and "Say why" in page.words
    page.submit(place, reason="Second look at the same cough")
    assert "is not billed" in page.words
    words = office.page(visit).words
    assert "Not billed: Second look at the same cough" in words and "Not billed" in words


def test_two_windows(office: Office) -> None:
    office.covered()
    visit = office.visit()
    office.charge(visit)
    before = office.page(visit).hidden(f"/billing/{visit}")
    office.browser.submit(f"/billing/{visit}", code="short", do="save")
    page = office.browser.post(f"/billing/{visit}", before | {"code": "long", "do": "check"}, Origin="null")
    assert page.answer.status_code == 412 and "Somebody else has changed this draft" in page.words
    assert "short: Visit under 20 minutes" in page.text
    late = office.browser.submit(f"/billing/{visit}", code="nothing", do="save")
    assert late.answer.status_code == 400 and "no code" in late.words


def test_what_is_asked_wrongly(office: Office) -> None:
    assert "is a day such as" in office.browser.get("/billing/?until=soon").words
    assert office.browser.get("/billing/Encounter/none").answer.status_code == 404
    visit = office.visit()
    office.page(visit)
    before = {"csrf": office.browser.hidden(f"/billing/{visit}/charge")["csrf"]}
    assert office.browser.post(f"/billing/{visit}", before, Origin="null").answer.status_code == 422
    odd = office.browser.post(f"/billing/{visit}/not-billable", before | {"charge": "x"}, Origin="null")
    assert odd.answer.status_code == 400
    going = office.visit(status="in-progress")
    page = office.browser.post(f"/billing/{going}/charge", before, Origin="null")
    assert page.answer.status_code == 422 and "in-progress" in page.words
    assert office.browser.post(f"/billing/{visit}/charge", {}, Origin="null").answer.status_code == 403


def test_what_others_wrote_keeps_nobody_from_billing(office: Office) -> None:
    """A visit of any length, a claim without items or with a sum without currency."""
    office.covered()
    office.visit(length={"value": 10**30, "unit": "min"})
    visit = office.visit()
    charge, claim = (office.charge(visit)[name] for name in ("charge", "claim"))
    unsaid = {"_text": {"extension": [{"url": "urn:test:unsaid", "valueCode": "unknown"}]}}
    assert office.client.send("PUT", f"ChargeItem/{charge['id']}", charge | {"note": [unsaid]}).status == 200
    bare = {name: value for name, value in claim.items() if name != "item"} | {"total": {"value": 7}}
    assert office.client.send("PUT", f"Claim/{claim['id']}", bare).status == 200
    for place in (PAGE, "/billing/?until=0001-01-01", f"/billing/{visit}"):
        assert office.browser.get(place).answer.status_code == 200
    page = office.browser.submit(f"/billing/{visit}", code="long", do="check")
    assert page.answer.status_code == 422 and "no item any more" in page.words
    csrf = page.hidden(f"/billing/{visit}")["csrf"]
    odd = page.post(f"/billing/{visit}/not-billable", {"csrf": csrf, "claim": "9" * 5000}, Origin="null")
    assert odd.answer.status_code == 400


def test_a_code_that_the_tariff_has_no_more_stays(office: Office) -> None:
    office.covered()
    visit = office.visit()
    charge = office.charge(visit)["charge"]
    old = {"coding": [{"system": "urn:example:old", "code": "old"}], "text": "Visit of before"}
    office.client.send("PUT", f"ChargeItem/{charge['id']}", charge | {"code": old})
    page = office.page(visit).submit(f"/billing/{visit}", code="old", do="save")
    assert '<option value="old" selected>Visit of before' in page.text
    kept = office.got(f"ChargeItem/{charge['id']}")
    assert kept["code"] == old and "45.50 EUR" not in page.words.split("Claim")[0]


def test_other_days_are_led_to(office: Office) -> None:
    visit = office.visit()
    assert visit.split("/")[1] not in office.browser.get("/billing/?until=2026-10-20").text
    assert "Later" in office.browser.words and "?until=2026-09-20" in office.browser.text
    assert visit.split("/")[1] in office.browser.get("/billing/?until=2026-11-20").text
