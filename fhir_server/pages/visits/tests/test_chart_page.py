from base64 import b64encode

import pytest

from fhir_server.pages.tests.browser import Browser
from fhir_server.pages.visits.tests.conftest import LOINC, MARKUP, Rig, at, concept

CHART = "/visits/chart/Encounter/visit"
MEASURE, NOTE = f"{CHART}/observations", f"{CHART}/note"
VITAL = [concept("", "vital-signs", "http://terminology.hl7.org/CodeSystem/observation-category")]


@pytest.fixture
def chart(rig: Rig) -> Browser:
    rig.house.visit()
    return rig.browser.get(CHART)


def test_who_it_is_and_what_is_not_recorded(chart: Browser) -> None:
    assert "Ada Okafor Born 28 Feb 1980" in chart.words and "Sex Female Number none recorded" in chart.words
    assert chart.words.count("None recorded.") == 8  # the visit itself is recorded
    policy = chart.answer.headers["Content-Security-Policy"]
    assert "frame-ancestors http://localhost:1;" in policy and "X-Frame-Options" not in chart.answer.headers


def test_measurements_become_observations_with_their_provenance(rig: Rig, chart: Browser) -> None:
    typed = {"systolic": "128", "diastolic": "82", "temperature": "36,60", "weight": "154.5", "weight-unit": "[lb_av]"}
    saved = chart.submit(MEASURE, **typed)
    assert saved.answer.status_code == 200 and "The measurements are saved." in saved.words
    found = {one["code"]["coding"][0]["code"]: one for one in rig.house.all("Observation")}
    assert found.keys() == {"85354-9", "8310-5", "29463-7"}
    assert str(found["8310-5"]["valueQuantity"]["value"]) == "36.60"
    assert found["29463-7"]["valueQuantity"]["code"] == "[lb_av]"
    for one in found.values():
        assert (one["status"], one["subject"]["reference"]) == ("final", "Patient/ada")
        assert one["encounter"]["reference"] == "Encounter/visit"
        assert one["performer"] == [{"reference": "Practitioner/ben"}]
    [provenance] = rig.house.all("Provenance")
    assert {one["reference"].split("/_history")[0] for one in provenance["target"]} == {
        f"Observation/{one['id']}" for one in found.values()
    }
    assert "128/82 mmHg" in saved.words and "36.60 °C" in saved.words


def test_the_same_form_sent_twice_is_stored_once(rig: Rig, chart: Browser) -> None:
    form = chart.hidden(MEASURE) | {"heart-rate": "72"}
    ours = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}
    for _ in range(2):
        assert rig.browser.post(MEASURE, form, **ours).answer.status_code == 200
    assert len(rig.house.all("Observation")) == 1
    rig.browser.post(MEASURE, form | {"heart-rate": "73"}, **ours)
    assert len(rig.house.all("Observation")) == 2


def test_what_cannot_be_is_told_and_kept(rig: Rig, chart: Browser) -> None:
    page = chart.submit(MEASURE, systolic="80", diastolic="120", spo2="980", pain="x")
    assert page.answer.status_code == 400 and rig.house.all("Observation") == []
    assert (
        "The diastolic value must be below" in page.words and "Oxygen saturation is between 20 and 100 %" in page.words
    )
    assert 'value="980"' in page.text and 'value="x"' in page.text and page.text.count('aria-invalid="true"') == 3
    assert "Nothing was entered." in chart.get(CHART).submit(MEASURE).words


def test_a_note_is_drafted_and_signed(rig: Rig, chart: Browser) -> None:
    saved = chart.submit(NOTE, text="Cough for a week.\r\nNo fever.", do="save")
    assert "The note is saved as a draft." in saved.words and "Cough for a week.\nNo fever.</textarea>" in saved.text
    [draft] = rig.house.all("DocumentReference")
    assert (draft["status"], draft["docStatus"]) == ("current", "preliminary")
    assert draft["type"]["coding"][0] == {"system": LOINC, "code": "11488-4", "display": "Consult note"}
    assert draft["context"]["encounter"] == [{"reference": "Encounter/visit"}]
    assert draft["author"] == [{"reference": "Practitioner/ben"}]
    signed = saved.submit(NOTE, text="Cough for a week. Rest.", do="sign")
    assert "The note is signed." in signed.words and "New note" in signed.words
    [note] = rig.house.all("DocumentReference")
    assert (note["docStatus"], note["meta"]["versionId"]) == ("final", "2")
    assert rig.house.texts() == ["Cough for a week. Rest."] and len(rig.house.all("Provenance")) == 2


def test_a_note_that_another_window_changed_is_not_overwritten_unasked(rig: Rig, chart: Browser) -> None:
    chart.submit(NOTE, text="First.", do="save")
    other = rig.browser.get(CHART)
    chart.submit(NOTE, text="Theirs.", do="save")
    told = other.submit(NOTE, text="Mine.", do="save")
    assert told.answer.status_code == 409 and "changed in another window" in told.words
    assert "Theirs." in told.words and "Mine.</textarea>" in told.text and rig.house.texts() == ["Theirs."]
    told.submit(NOTE, text="Mine and theirs.", do="save")
    assert rig.house.texts() == ["Mine and theirs."]


def test_a_save_whose_answer_was_lost_is_no_conflict(rig: Rig, chart: Browser) -> None:
    ours = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}
    form = chart.hidden(NOTE) | {"text": "One.", "do": "save"}
    rig.browser.post(NOTE, form, **ours)
    again = rig.browser.post(NOTE, form | {"text": "One. Two."}, **ours)
    assert again.answer.status_code == 200 and rig.house.texts() == ["One. Two."]
    form = again.hidden(NOTE) | {"text": "Three.", "do": "sign"}
    for _ in range(2):
        assert rig.browser.post(NOTE, form, **ours).answer.status_code == 200
    assert rig.house.texts() == ["Three."]


def test_markup_from_the_record_and_from_forms_is_text(rig: Rig) -> None:
    rig.house.put("Patient", "ada", name=[{"text": MARKUP}], identifier=[{"system": "urn:x", "value": MARKUP}])
    rig.house.visit(reasonCode=[{"text": MARKUP}])
    value = {"value": 1, "unit": MARKUP}
    rig.house.put("Observation", "o", status="final", code={"text": MARKUP}, subject={"reference": "Patient/ada"},
                  valueQuantity=value, effectiveDateTime=at(-9), interpretation=[{"text": MARKUP}],
                  referenceRange=[{"text": MARKUP}], note=[{"text": MARKUP}])  # fmt: skip
    rig.house.put("Condition", "c", code={"text": MARKUP}, subject={"reference": "Patient/ada"})
    page = rig.browser.get(CHART)
    for _ in range(2):
        assert MARKUP not in page.text and page.words.count(MARKUP) >= 8
        page = page.submit(NOTE, text=f"</textarea>{MARKUP}", do="save").get(CHART)
    assert f"</textarea>{MARKUP}" not in page.text
    page.submit(MEASURE, systolic=MARKUP[:9])
    assert MARKUP[:9] not in page.text


def test_other_places_have_no_chart(rig: Rig) -> None:
    for place in ("Encounter/none", "Patient/none", "Practitioner/ben", "Observation/x"):
        answer = rig.browser.get(f"/visits/chart/{place}").answer
        assert (
            answer.status_code == 404
            and "frame-ancestors http://localhost:1;" in answer.headers["Content-Security-Policy"]
        )
    page = rig.browser.get("/visits/chart/Patient/ada")
    assert page.answer.status_code == 200 and "open the chart from one to write" in page.words


def test_documents_are_saved_and_run_nothing(rig: Rig) -> None:
    files = [{"attachment": {"contentType": kind, "data": b64encode(MARKUP.encode()).decode(), "title": "Letter"}}
             for kind in ("text/html", "text/plain")]  # fmt: skip
    place = rig.house.put("DocumentReference", "letter", status="current", subject={"reference": "Patient/ada"},
                          content=files, description="A letter")  # fmt: skip
    rig.house.put("DocumentReference", "wrong", status="entered-in-error", subject={"reference": "Patient/ada"},
                  content=files, description="Of another")  # fmt: skip
    chart = rig.browser.get("/visits/chart/Patient/ada")
    assert "A letter" in chart.words and "Of another" not in chart.words
    assert f'href="/visits/documents/{place}/0" download' in chart.text
    answer = rig.browser.get(f"/visits/documents/{place}/0").answer
    assert answer.data.decode() == MARKUP and answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    for gone in ("DocumentReference/wrong/0", f"{place}/2", "Patient/ada/0"):
        assert rig.browser.get(f"/visits/documents/{gone}").answer.status_code == 404
