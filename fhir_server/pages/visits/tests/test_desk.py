from datetime import UTC

from fhir_server.pages.rendering import Policy
from fhir_server.pages.visits.desk import DONE, chart_policy
from fhir_server.pages.visits.tests.conftest import Rig
from fhir_server.pages.visits.tests.test_clinic import clinic


def test_the_chart_is_framed_by_the_visit_and_by_nobody_else(rig: Rig) -> None:
    assert chart_policy(clinic(UTC)) == Policy(connect="'self'", framed_by="https://visit.example")
    encounter = rig.house.visit()
    framed = rig.browser.get(f"/visits/chart/{encounter}").answer.headers["Content-Security-Policy"]
    alone = rig.browser.get("/visits/").answer.headers["Content-Security-Policy"]
    assert "frame-ancestors http://localhost:1" in framed and "frame-ancestors 'none'" in alone


def test_a_page_says_what_was_done_in_words_of_its_own_alone(rig: Rig) -> None:
    encounter = rig.house.visit()
    for word, said in DONE.items():
        assert said in rig.browser.get(f"/visits/chart/{encounter}?done={word}").words
    assert "evil" not in rig.browser.get(f"/visits/chart/{encounter}?done=evil").words
