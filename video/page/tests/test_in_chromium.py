"""The way from the link into the visit and out again, in a real browser against the real service."""

import pytest
from playwright.sync_api import Browser, Page, expect

from video.page.tests import axe
from video.page.tests.site import ANNA, BEN, CARL, Hall
from video.ports import Role

WIDTHS = ((320, 640), (768, 1024), (1280, 800))


def heading(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def button(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def write(page: Page, words: str) -> None:
    if not page.get_by_label("Your message").is_visible():
        page.get_by_role("button", name="Chat").click()
    page.get_by_label("Your message").fill(words)
    button(page, "Send")


# --- the link


def test_the_secret_leaves_the_address_and_goes_nowhere_but_into_the_join(hall: Hall) -> None:
    page, link = hall.tab(), hall.link("pt", ANNA)
    secret, sent = link.partition("=")[2], []
    page.on("request", lambda request: sent.append((request.url, str(request.headers), request.post_data or "")))
    page.goto(link)
    heading(page, f"Are you {ANNA}?")
    assert page.url == f"{hall.site.url}/visit"
    assert [url for url, headers, body in sent if secret in headers or secret in url.partition("#")[0]] == []
    assert [url for url, headers, body in sent if secret in body] == [f"{hall.site.url}/visit/join"]
    assert page.evaluate("history.length") <= 2 and secret not in page.evaluate(
        "JSON.stringify([sessionStorage, localStorage])"
    )


def test_two_clicks_to_the_waiting_room(hall: Hall) -> None:
    page = hall.patient()
    button(page, "Yes, test camera and microphone")
    expect(page.get_by_text("Your camera works.")).to_be_visible()
    expect(page.get_by_text("We hear you.")).to_be_visible()
    button(page, "Go to the waiting room")
    heading(page, "You are in the waiting room")
    expect(page.get_by_text("Your clinician is not here yet.")).to_be_visible()
    assert page.evaluate("asked") == ["audio,video"]


def test_a_page_without_a_link(hall: Hall) -> None:
    page = hall.tab()
    page.goto(f"{hall.site.url}/visit")
    expect(page.get_by_text("Please open the visit from the link")).to_be_visible()


def test_a_link_that_was_used_by_another_browser(hall: Hall) -> None:
    link, first, second = hall.link("pt", ANNA), hall.tab(), hall.tab()
    first.goto(link)
    heading(first, f"Are you {ANNA}?")
    second.goto(link)
    heading(second, "The visit could not be opened")
    expect(second.get_by_text("This link can not be used any more")).to_be_visible()


def test_the_same_link_again_in_the_same_browser_comes_back(hall: Hall) -> None:
    link, page = hall.link("pt", ANNA), hall.tab()
    page.goto(link)
    heading(page, f"Are you {ANNA}?")
    again = page.context.new_page()
    again.goto(link)
    heading(again, f"Are you {ANNA}?")
    heading(page, "The visit is open in another window")


def test_somebody_else(hall: Hall) -> None:
    page = hall.patient()
    button(page, "No, this is not me")
    heading(page, "Thank you for telling us")
    assert page.evaluate("asked") == []


# --- devices


def test_who_wants_no_camera_is_never_asked_for_it(hall: Hall) -> None:
    page = hall.patient()
    button(page, "Yes, but without camera")
    expect(page.get_by_text("The camera is off. We do not ask for it.")).to_be_visible()
    button(page, "Go to the waiting room")
    page.reload()
    heading(page, "You are in the waiting room")
    assert page.evaluate("asked") == ["audio"]


def test_denied_says_what_to_do_and_lets_on(hall: Hall, refusing: Browser) -> None:
    page = hall.patient(browser=refusing)
    button(page, "Yes, test camera and microphone")
    expect(page.get_by_text("The camera is not allowed.")).to_be_visible()
    expect(page.get_by_text("Click the symbol left of the address")).to_have_count(1)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    button(page, "Continue without camera")
    expect(page.get_by_text("The microphone is not allowed.")).to_be_visible()
    button(page, "Continue without camera and microphone")
    heading(page, "You are in the waiting room")


def test_no_device_and_a_device_in_use(hall: Hall) -> None:
    page = hall.tab()
    page.add_init_script(
        "navigator.mediaDevices.getUserMedia = async (what) => {"
        " throw new DOMException('', what.video ? 'NotFoundError' : 'NotReadableError'); }"
    )
    page.goto(hall.link("pt", ANNA))
    button(page, "Yes, test camera and microphone")
    expect(page.get_by_text("We found no camera.")).to_be_visible()
    expect(page.get_by_text("The microphone is in use by another program.")).to_be_visible()
    expect(page.get_by_text("Close other programs that use it")).to_be_visible()


# --- waiting room and visit


def test_waiting_says_when_the_clinician_is_there(hall: Hall) -> None:
    patient = hall.waiting()
    clinician = hall.clinician()
    expect(patient.get_by_text("A clinician is in the visit and can let you in.")).to_be_visible()
    expect(clinician.get_by_text(f"{ANNA} is waiting")).to_be_visible()
    assert BEN not in patient.content()


def test_admitted_chat_both_ways_and_the_end(hall: Hall) -> None:
    clinician, patient = hall.talking()
    write(patient, "Good morning <b>doctor</b>")
    clinician.get_by_role("button", name="Chat 1 new").click()
    expect(clinician.get_by_role("log", name="Chat")).to_contain_text("Good morning <b>doctor</b>")
    write(clinician, "Good morning")
    expect(patient.get_by_role("log", name="Chat")).to_contain_text("Good morning")
    clinician.get_by_role("button", name="Leave", exact=True).click()
    button(clinician, "End visit for everyone")
    heading(patient, "The visit is over")
    heading(clinician, "The visit is over")


def test_turned_away(hall: Hall) -> None:
    patient, clinician = hall.waiting(), hall.clinician()
    clinician.get_by_role("button", name="People 1 waiting").click()
    button(clinician, f"Turn away {ANNA}")
    clinician.get_by_role("dialog").get_by_role("button", name="Turn away").click()
    heading(patient, "You were not let in")


def test_asked_to_mute(hall: Hall) -> None:
    clinician, patient = hall.talking()
    clinician.get_by_role("button", name="People", exact=True).click()
    button(clinician, f"Ask to mute: {ANNA}")
    expect(patient.get_by_role("alert").filter(has_text=f"{BEN} asks you to mute")).to_be_visible()
    patient.get_by_role("alert").get_by_role("button", name="Mute").click()
    expect(patient.get_by_role("button", name="Unmute")).to_be_focused()
    silent = clinician.locator("#tiles .tile").get_by_text("Microphone off")
    expect(silent).to_be_visible()
    patient.get_by_role("button", name="Unmute").click()
    expect(silent).to_be_hidden()


def test_hold_and_its_end(hall: Hall) -> None:
    clinician, patient = hall.talking()
    clinician.get_by_role("button", name="People", exact=True).click()
    button(clinician, f"Hold {ANNA}")
    expect(patient.get_by_text("You are on hold. Nobody sees or hears you.")).to_be_visible()
    expect(clinician.get_by_role("button", name=f"End hold of {ANNA}")).to_be_visible()
    button(clinician, f"End hold of {ANNA}")
    expect(patient.get_by_text("You are on hold.")).to_be_hidden()


def test_what_the_interpreter_writes_is_a_caption(hall: Hall) -> None:
    clinician, patient = hall.talking()
    interpreter = hall.interpreter()
    button(clinician, f"Admit {CARL}")
    write(interpreter, "How do you feel?")
    for page in (clinician, patient):
        expect(page.get_by_role("log", name="Captions")).to_have_text("How do you feel?")


def test_a_reload_resumes_without_asking_and_with_the_chat(hall: Hall) -> None:
    clinician, patient = hall.talking()
    write(patient, "Before the reload")
    patient.reload()
    expect(patient.get_by_role("button", name="Leave", exact=True)).to_be_visible()
    expect(patient.get_by_text(f"{BEN} · clinician")).to_be_visible()
    patient.get_by_role("button", name="Chat").click()
    expect(patient.get_by_role("log", name="Chat")).to_contain_text("Before the reload")
    clinician.reload()
    expect(clinician.get_by_text(f"{ANNA} · patient")).to_be_visible()


def test_left_and_back_through_the_waiting_room(hall: Hall) -> None:
    clinician, patient = hall.talking()
    patient.get_by_role("button", name="Leave", exact=True).click()
    patient.get_by_role("dialog").get_by_role("button", name="Leave", exact=True).click()
    heading(patient, "You have left the visit")
    button(patient, "Come back")
    heading(patient, "You are in the waiting room")
    expect(clinician.get_by_text(f"{ANNA} is waiting")).to_be_visible()


def test_a_chart_stands_beside_the_picture(hall: Hall) -> None:
    page = hall.tab()
    page.route("**/visit/join", lambda route: _with_chart(route))
    page.route("**/chart", lambda route: route.fulfill(body="<h1>Chart</h1>", content_type="text/html"))
    page.goto(hall.link("dr", BEN, Role.PRACTITIONER))
    button(page, "Enter the visit")
    frame, stage = page.locator("#chart-frame").bounding_box(), page.locator("#stage").bounding_box()
    assert frame and stage and frame["x"] >= stage["x"] + stage["width"]
    page.set_viewport_size({"width": 800, "height": 900})
    frame, stage = page.locator("#chart-frame").bounding_box(), page.locator("#stage").bounding_box()
    assert frame and stage and frame["y"] >= stage["y"] + stage["height"]


def _with_chart(route: object) -> None:
    answer = route.fetch()  # type: ignore[attr-defined]
    route.fulfill(response=answer, json=answer.json() | {"chart": "chart"})  # type: ignore[attr-defined]


# --- for everybody


def test_the_whole_visit_by_keyboard(hall: Hall) -> None:
    patient = hall.patient()
    press(patient, "Yes, test camera and microphone")
    expect(patient.get_by_role("button", name="Go to the waiting room")).to_be_visible()
    press(patient, "Go to the waiting room")
    heading(patient, "You are in the waiting room")
    clinician = hall.tab()
    clinician.goto(hall.link("dr", BEN, Role.PRACTITIONER))
    expect(clinician.get_by_role("button", name="Enter the visit")).to_be_visible()
    press(clinician, "Enter the visit")
    expect(clinician.get_by_text(f"{ANNA} is waiting")).to_be_visible()
    press(clinician, f"Admit {ANNA}")
    expect(patient.get_by_role("button", name="Leave", exact=True)).to_be_visible()
    press(patient, "Mute")
    press(patient, "Unmute")
    press(patient, "Stop camera")
    press(patient, "Chat")
    expect(patient.get_by_label("Your message")).to_be_focused()
    patient.keyboard.type("By keyboard")
    patient.keyboard.press("Enter")
    expect(patient.get_by_role("log", name="Chat")).to_contain_text("By keyboard")
    patient.keyboard.press("Escape")
    expect(patient.get_by_role("button", name="Chat")).to_be_focused()
    press(clinician, "Leave")
    press(clinician, "End visit for everyone")
    heading(patient, "The visit is over")


def press(page: Page, name: str) -> None:
    """Goes there with the Tab key, sees where it is, and presses Enter."""
    for _ in range(40):
        page.keyboard.press("Tab")
        found = page.evaluate("(e => e.getAttribute('aria-label') ?? e.textContent.trim())(document.activeElement)")
        if found == name:
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            page.keyboard.press("Enter")
            return
    pytest.fail(f"no way to {name} by keyboard")


def look(page: Page, what: str) -> None:
    """No violation of WCAG 2.2 A or AA, nothing wider than the screen, targets of 24 px and more."""
    page.evaluate(axe.script())
    found = page.evaluate("(rules) => axe.run({runOnly: rules})", axe.RULES)
    broken = [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in found["violations"]]
    assert broken == [], what
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), what
    small = page.evaluate(
        "[...document.querySelectorAll('button, select, textarea, a:not(.skip)')].filter(e => e.checkVisibility())"
        ".map(e => [e.id || e.textContent, e.getBoundingClientRect()]).filter(([, r]) => r.height < 44 || r.width < 44)"
        ".map(([name]) => name)"
    )
    assert small == [], what


@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_every_view_is_accessible_and_fits(hall: Hall, refusing: Browser, width: int, height: int) -> None:
    denied = hall.patient(browser=refusing, width=width, height=height)
    button(denied, "Yes, test camera and microphone")
    expect(denied.get_by_text("The camera is not allowed.")).to_be_visible()
    look(denied, "denied")
    patient = hall.patient(width=width, height=height)
    look(patient, "name")
    button(patient, "Yes, test camera and microphone")
    expect(patient.get_by_text("We hear you.")).to_be_visible()
    look(patient, "devices")
    button(patient, "Go to the waiting room")
    heading(patient, "You are in the waiting room")
    look(patient, "waiting")
    clinician = hall.clinician(width=width, height=height)
    expect(clinician.get_by_text(f"{ANNA} is waiting")).to_be_visible()
    look(clinician, "door")
    clinician.get_by_role("button", name=f"Admit {ANNA}").first.click()
    expect(patient.get_by_role("button", name="Leave", exact=True)).to_be_visible()
    clinician.get_by_role("button", name="People", exact=True).click()
    look(clinician, "people")
    write(clinician, "A word")
    expect(clinician.get_by_role("log", name="Chat")).to_contain_text("A word")
    look(clinician, "chat")
    clinician.get_by_role("button", name="Devices").click()
    look(clinician, "settings")
    clinician.get_by_role("button", name="Done").click()
    clinician.get_by_role("button", name="Leave", exact=True).click()
    look(clinician, "leave")
    button(clinician, "End visit for everyone")
    heading(patient, "The visit is over")
    look(patient, "over")
