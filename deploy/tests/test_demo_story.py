"""The whole story in browsers: from the booking to the claim, with a laboratory, a pharmacy and an archive on the wire.

Each scene is a function; what the record must say at the end is checked field by field.
"""

import re
import time
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from deploy.demo.house import Ports
from deploy.tests.conftest import Demo, Record
from video.page.tests import axe

pytestmark = pytest.mark.slow

PASSWORD = "seven lamps over the old harbour"
NOTE = "Dizzy in the morning. Blood count ordered."
Json = dict[str, Any]


def test_the_story(demo: Demo, ports: Ports, browser: Browser, record: Record) -> None:
    site = f"http://127.0.0.1:{ports.api}"
    ada = logged_in(browser, demo.said, "Patient")
    books(ada, site)
    prepares(ada)
    writes(ada, site)
    waits(ada, site)
    doctor = logged_in(browser, demo.said, "Clinician")
    visit, chart = admits(doctor, ada, site)
    results = opened(ada, f"{site}/my/results")
    measures(chart)
    seconds = orders(chart, results)
    prescribes(chart)
    launches(visit, chart)
    signs(chart)
    ends(visit, record)
    charges(doctor, site)
    the_wire_heard(demo)
    the_record_says(record)
    print(f"from the order to the result on both screens: {seconds:.1f} s, 2 of them the laboratory's")


# --- who they are


def logged_in(browser: Browser, said: str, who: str) -> Page:
    """A browser of ``who``, whose one-time link is the first account link after their word in ``said``."""
    page = browser.new_context(reduced_motion="reduce").new_page()
    found = re.search(rf"{who}.*?(http://\S+/auth/link/\S+)", said, re.S)
    assert found
    page.goto(found[1])
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password again").fill(PASSWORD)
    press(page, "Save and log in")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    return page


def press(page: Page | FrameLocator, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def opened(page: Page, address: str) -> Page:
    """Another tab of the same person."""
    other = page.context.new_page()
    other.goto(address)
    return other


def nothing_to_mend(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url
    page.evaluate(axe.script())
    found = page.evaluate("rules => axe.run({runOnly: {type: 'tag', values: rules}})", axe.RULES)
    assert not found["violations"], (page.url, found["violations"])
    page.set_viewport_size({"width": 1280, "height": 800})


# --- before the visit


def books(ada: Page, site: str) -> None:
    """She gives back the time that the clinic found for her, unless it has begun, and takes the first free one."""
    ada.goto(f"{site}/my/")
    expect(ada.get_by_text("Video visit with Dr Miriam Bergmann")).to_be_visible()
    if ada.locator(".sure").count():
        ada.locator(".sure summary").click()
        press(ada, "Yes, cancel it")
        expect(ada.get_by_text("The appointment is cancelled.")).to_be_visible()
    ada.get_by_role("link", name="Book an appointment").click()
    ada.get_by_label("Practitioner").select_option("bergmann")
    press(ada, "Show free times")
    ada.get_by_label("What is it about?").fill("Dizzy in the morning")
    ada.locator(".times button").first.click()
    expect(ada.get_by_text("It is booked.")).to_be_visible()
    expect(ada.get_by_text("Video visit with Dr Miriam Bergmann").first).to_be_visible()
    for path in ("", "book?schedule=bergmann", "results", "messages", "access"):
        other = opened(ada, f"{site}/my/{path}")
        nothing_to_mend(other)
        other.close()


def prepares(ada: Page) -> None:
    ada.get_by_role("link", name=re.compile("^Prepare")).last.click()
    ada.get_by_label(re.compile("^What would you like to talk about")).fill("I am dizzy when I get up.")
    takes = ada.get_by_role("group", name=re.compile("^Do you take any medicine"))
    takes.get_by_label("No", exact=True).check()
    press(ada, "Send to the clinic")
    expect(ada.get_by_text("Your answers are with the clinic.")).to_be_visible()


def writes(ada: Page, site: str) -> None:
    ada.goto(f"{site}/my/messages")
    ada.get_by_label("Subject").fill("Before the visit")
    ada.get_by_label("Message to your care team").fill("I feel dizzy in the morning.")
    press(ada, "Send")
    expect(ada.get_by_text("Your message is sent.")).to_be_visible()


def waits(ada: Page, site: str) -> None:
    ada.goto(f"{site}/my/")
    ada.get_by_role("button", name="Join the visit").last.click()
    press(ada, "Yes, test camera and microphone")
    press(ada, "Go to the waiting room")
    expect(ada.get_by_role("heading", name="You are in the waiting room")).to_be_visible()


# --- the visit


def admits(doctor: Page, ada: Page, site: str) -> tuple[Page, FrameLocator]:
    """She sees the wait, comes in with the chart beside the picture, and lets her in."""
    doctor.goto(f"{site}/visits/")
    expect(doctor.locator(".waits")).to_contain_text("Ada Okafor")
    with doctor.expect_popup() as popup:
        doctor.get_by_role("row").filter(has=doctor.locator(".waits")).get_by_role("button", name="Join").click()
    visit = popup.value
    press(visit, "Enter the visit")
    chart = visit.frame_locator("#chart-frame")
    expect(chart.get_by_text("Allergy to penicillin")).to_be_visible()
    expect(chart.get_by_text("I am dizzy when I get up.")).to_be_visible()
    visit.get_by_role("button", name=re.compile("^(Admit|Let .* in)")).first.click()
    expect(ada.get_by_role("heading", name="You are in the waiting room")).to_be_hidden()
    for page in (visit, ada):
        page.wait_for_function("[...document.querySelectorAll('video')].some(v => v.videoWidth && v.currentTime > 0)")
    return visit, chart


def measures(chart: FrameLocator) -> None:
    chart.get_by_label("Heart rate").fill("72")
    press(chart, "Save measurements")
    expect(chart.get_by_role("rowheader", name="Heart rate")).to_be_visible()


def orders(chart: FrameLocator, results: Page) -> float:
    """The result comes onto both screens by itself; seconds since the order."""
    chart.get_by_label("Laboratory test").select_option("58410-2")
    press(chart, "Order the test")
    expect(chart.get_by_text("It is ordered.")).to_be_visible()
    begun = time.monotonic()
    results.bring_to_front()
    for screen in (chart, results):
        expect(screen.get_by_role("rowheader", name="Hemoglobin", exact=True)).to_be_visible()
    return time.monotonic() - begun


def prescribes(chart: FrameLocator) -> None:
    chart.get_by_text("Prescribe", exact=True).first.click()
    chart.get_by_label("Medicine", exact=True).fill("metformin hydrochloride 500 MG Oral Tablet")
    chart.get_by_label("How it is taken").fill("1 tablet twice a day")
    press(chart, "Prescribe")
    expect(chart.get_by_text("It is ordered.")).to_be_visible()


def launches(visit: Page, chart: FrameLocator) -> None:
    """An app opens with this patient and visit."""
    with visit.context.expect_page() as popup:
        chart.get_by_role("button", name="Open Trends").click()
    app = popup.value
    press(app, "Allow")
    expect(app.get_by_role("heading", name="Ada Okafor")).to_be_visible()
    expect(app.get_by_text("opened from a visit")).to_be_visible()
    app.close()


def signs(chart: FrameLocator) -> None:
    chart.get_by_label("New note").fill(NOTE)
    press(chart, "Sign")
    expect(chart.get_by_text("The note is signed.")).to_have_count(1)


def ends(visit: Page, record: Record) -> None:
    press(visit, "Leave")
    press(visit, "End visit for everyone")
    expect(visit.get_by_role("heading", name=re.compile("visit is over|ended"))).to_be_visible()
    record.found("Encounter", patient="ada", status="finished")


def charges(doctor: Page, site: str) -> None:
    doctor.goto(f"{site}/billing/")
    doctor.get_by_role("button", name=re.compile("^Charge")).first.click()
    if doctor.get_by_label("It is right although something is missing").count():
        doctor.get_by_label("It is right although something is missing").check()
    press(doctor, "Checked")
    expect(doctor.get_by_text("Checked").first).to_be_visible()


# --- what is left of it


def the_wire_heard(demo: Demo) -> None:
    for what in ("LAB: took OML^O21", "PHARMACY: took RDE^O11", "ARCHIVE: took MDM^T02"):
        demo.heard(what)


def the_record_says(record: Record) -> None:
    [appointment] = record.found("Appointment", patient="ada", status="fulfilled")
    [encounter] = record.found("Encounter", patient="ada", status="finished")
    of_the_visit(appointment, encounter)
    visit = f"Encounter/{encounter['id']}"
    the_measurement(record, visit)
    the_result(record, visit)
    the_prescription(record, visit)
    the_note(record, visit)
    the_claim(record, visit)
    the_trail(record)


def of_the_visit(appointment: Json, encounter: Json) -> None:
    assert encounter["appointment"] == [{"reference": f"Appointment/{appointment['id']}"}]
    assert encounter["subject"]["reference"] == "Patient/ada" and encounter["class"]["code"] == "VR"
    assert encounter["period"]["start"] < encounter["period"]["end"]
    assert {one["actor"]["reference"] for one in appointment["participant"]} >= {"Patient/ada"}


def only(record: Record, type: str, fits: Callable[[Json], bool] = lambda one: True, **query: str) -> Json:
    [one] = [one for one in record.found(type, **query) if fits(one)]
    return one


def the_measurement(record: Record, visit: str) -> None:
    rate = only(record, "Observation", encounter=visit, code="http://loinc.org|8867-4")
    assert rate["status"] == "final" and rate["valueQuantity"]["value"] == 72
    assert rate["valueQuantity"]["code"] == "/min" and rate["performer"] == [{"reference": "Practitioner/bergmann"}]
    made = only(record, "Provenance", target=f"Observation/{rate['id']}")
    assert made["agent"][0]["who"]["reference"] == "Practitioner/bergmann"


def the_result(record: Record, visit: str) -> None:
    order = only(record, "ServiceRequest", encounter=visit)
    assert order["status"] == "completed"
    assert order["intent"] == "order" and order["requester"]["reference"] == "Practitioner/bergmann"
    report = only(record, "DiagnosticReport", **{"based-on": f"ServiceRequest/{order['id']}"})
    assert report["status"] == "final" and report["subject"]["reference"] == "Patient/ada"
    assert len(report["result"]) == 3
    made = record.found("Provenance", target=f"DiagnosticReport/{report['id']}")
    assert any(one["agent"][0]["who"].get("display") == "lab" for one in made)


def the_prescription(record: Record, visit: str) -> None:
    asked = only(record, "MedicationRequest", encounter=visit)
    given = only(record, "MedicationDispense", prescription=f"MedicationRequest/{asked['id']}")
    assert given["status"] == "completed" and given["subject"]["reference"] == "Patient/ada"
    assert only(record, "MedicationRequest", encounter=visit, status="completed")


def the_note(record: Record, visit: str) -> None:
    note = only(record, "DocumentReference", encounter=visit)
    assert note["docStatus"] == "final" and note["author"][0]["reference"] == "Practitioner/bergmann"
    assert b64decode(note["content"][0]["attachment"]["data"]).decode() == NOTE


def the_claim(record: Record, visit: str) -> None:
    item = only(record, "ChargeItem", context=visit)
    assert item["subject"]["reference"] == "Patient/ada" and item["code"]["coding"][0]["code"] == "V1"
    claim = only(record, "Claim", encounter=visit)
    assert claim["status"] == "active" and claim["patient"]["reference"] == "Patient/ada"
    assert claim["total"] == {"value": 60, "currency": "USD"}


def the_trail(record: Record) -> None:
    """Who joined, was admitted and left, and with which app the chart was opened, by the patient whom it is about."""
    entries = record.client.get("/AuditEvent", params={"patient": "Patient/ada", "_count": "1000"}).json()["entry"]
    rows = [entry["resource"] for entry in entries]
    done = {(code["code"], _who(row)) for row in rows for code in row.get("subtype", ())}
    assert {code for code, _ in done} >= {"video-ticket", "video-join", "video-admit", "video-end"}
    assert {("launch", True), ("video-join", True), ("video-join", False)} <= done


def _who(row: Json) -> bool:
    """Whether the clinician did it: of the agents, who asked for it."""
    return any("Practitioner/bergmann" in str(agent["who"]) for agent in row["agent"] if agent["requestor"])
