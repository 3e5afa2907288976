import pytest

from fhir_server.pages.tests.browser import Browser
from fhir_server.pages.visits import orders
from fhir_server.pages.visits.tests.conftest import Rig

CHART = "/visits/chart/Encounter/visit"
ORDERS = f"{CHART}/orders"
TEST, MEDICINE = 0, 1
"""Which of the two forms."""


@pytest.fixture
def chart(rig: Rig) -> Browser:
    rig.house.visit()
    return rig.browser.get(CHART)


def test_a_test_is_ordered_once(rig: Rig, chart: Browser) -> None:
    form = chart.hidden(ORDERS, TEST) | {"test": "58410-2", "remark": "fasting", "urgent": "1"}
    ours = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}
    for _ in range(2):
        page = rig.browser.post(ORDERS, form, **ours)
        assert page.answer.status_code == 200
    assert "It is ordered." in page.words and "Ordered tests Complete blood count" in page.words
    [order] = rig.house.all("ServiceRequest")
    assert (order["status"], order["intent"], order["priority"]) == ("active", "order", "urgent")
    assert order["code"]["coding"][0]["code"] == "58410-2" and order["note"] == [{"text": "fasting"}]
    assert order["requester"] == {"reference": "Practitioner/ben"}
    assert order["encounter"] == {"reference": "Encounter/visit"}


def test_an_order_that_was_changed_before_it_was_sent_again_is_not_told_to_be_there(rig: Rig, chart: Browser) -> None:
    """As after an answer that was lost."""
    form = chart.hidden(ORDERS, TEST) | {"test": "58410-2"}
    ours = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}
    rig.browser.post(ORDERS, form, **ours)
    page = rig.browser.post(ORDERS, form | {"test": "24331-1"}, **ours)
    assert page.answer.status_code == 409 and "This one is not" in page.words
    assert len(rig.house.all("ServiceRequest")) == 1
    assert "It is ordered." in page.submit(ORDERS, TEST, test="24331-1").words
    assert len(rig.house.all("ServiceRequest")) == 2


def test_a_known_medicine_is_coded_and_another_is_ordered_by_name(rig: Rig, chart: Browser) -> None:
    known = "lisinopril 10 MG Oral Tablet"
    assert "It is ordered." in chart.submit(ORDERS, MEDICINE, medicine=known, dose="1 a day").words
    assert (
        "It is ordered." in chart.get(CHART).submit(ORDERS, MEDICINE, medicine="Grandmother's tea", dose="warm").words
    )
    codes = {
        one["medicationCodeableConcept"]["text"]: [
            code["code"] for code in one["medicationCodeableConcept"].get("coding", ())
        ]
        for one in rig.house.all("MedicationRequest")
    }
    assert codes == {known: ["314076"], "Grandmother's tea": []}
    assert "lisinopril 10 MG Oral Tablet" in rig.browser.get(CHART).words


def test_what_is_missing_is_told_and_the_rest_is_kept(rig: Rig, chart: Browser) -> None:
    page = chart.submit(ORDERS, MEDICINE, medicine="<b>tea")
    assert page.answer.status_code == 400 and "How is it taken?" in page.words
    assert 'value="&lt;b&gt;tea"' in page.text
    assert "Choose a test." in rig.browser.get(CHART).submit(ORDERS, TEST, test="no such").words
    assert rig.house.all("MedicationRequest") == rig.house.all("ServiceRequest") == []


def test_the_metformin_that_is_listed_is_not_of_extended_release() -> None:
    """860975 is the tablet of extended release, and no pharmacy gives the one for the other."""
    assert ("861007", "metformin hydrochloride 500 MG Oral Tablet") in orders.MEDICINES
