"""A file from one page to the other, by keyboard, and what is refused in words."""

from playwright.sync_api import expect

from video.page.tests.site import ANNA, Hall
from video.page.tests.test_in_chromium import look, press

PDF = b"%PDF-1.7\n%%EOF"


def test_a_file_goes_from_page_to_page_and_is_only_saved(hall: Hall) -> None:
    clinician, patient = hall.talking(width=320, height=640)
    press(patient, "Chat")
    with patient.expect_file_chooser() as chooser:
        press(patient, "Send a file")
    chooser.value.set_files({"name": "Brief an Ärztin.pdf", "mimeType": "application/pdf", "buffer": PDF})
    expect(patient.get_by_role("log", name="Chat")).to_contain_text("Brief an Ärztin.pdf")
    look(patient, "a file in the chat")
    expect(clinician.locator("#said")).to_contain_text(f"{ANNA} has sent a file: Brief an Ärztin.pdf")
    clinician.get_by_role("button", name="Chat 1 new").click()
    with clinician.expect_download() as saved:
        clinician.get_by_role("link", name="Brief an Ärztin.pdf PDF, 14 bytes").click()
    assert saved.value.suggested_filename == "Brief an Ärztin.pdf"
    assert saved.value.path().read_bytes() == PDF
    clinician.reload()
    clinician.get_by_role("button", name="Chat", exact=True).click()
    expect(clinician.get_by_role("link", name="Brief an Ärztin.pdf")).to_have_count(1)
    patient.locator("#file-input").set_input_files(
        {"name": "holiday.png", "mimeType": "image/png", "buffer": b"MZ\x90\x00"}
    )
    expect(patient.get_by_text("holiday.png was not sent: Only PDF, PNG, JPEG and WebP pictures")).to_be_visible()
    patient.locator("#file-input").set_input_files({"name": "all.txt", "mimeType": "x/y", "buffer": b"x" * 20_001})
    expect(patient.get_by_text("all.txt was not sent: A file may have at most 20 kB.")).to_be_visible()
