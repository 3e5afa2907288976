from fhir_server.pages.hl7.routes import ROUTES
from fhir_server.pages.hl7.tests.conftest import BASE, Rig

LOCAL = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}


def test_an_open_server_answers_loopback_names_alone(rig: Rig) -> None:
    for host, status in (("localhost:8080", 200), ("127.0.0.1:8080", 200), ("[::1]:8080", 200), ("evil.example", 403)):
        answer = rig.browser.client.get("/hl7/", base_url=f"http://{host}")
        assert answer.status_code == status, host
    assert b"csrf" not in answer.data


def test_forms_of_other_sites_and_forms_without_the_token_do_nothing(rig: Rig) -> None:
    id = rig.take(patient="")
    rig.work()
    path = f"/hl7/messages/{id}/replay"
    token = rig.browser.get(f"/hl7/messages/{id}").hidden(path)
    for data, headers in (
        ({}, LOCAL),
        ({"csrf": "x"}, LOCAL),
        (token, {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}),
        (token, {"Sec-Fetch-Site": "same-site"}),
    ):
        assert rig.browser.client.post(path, base_url=BASE, data=data, headers=headers).status_code == 403
    assert rig.state(id) == "held" and len(rig.audited()) == 1
    assert rig.browser.post(path, token, **LOCAL).answer.status_code == 200 and rig.state(id) == "received"


def test_every_row_is_guarded_by_the_headers(rig: Rig) -> None:
    rig.take()
    for rule, method, _ in ROUTES:
        path = rule.replace("<int:id>", "1").replace("<type>/<made>/<int:version>", "Patient/1/1")
        answer = rig.browser.client.open(path, method=method, base_url=BASE)
        assert answer.headers["Cache-Control"] == "no-store", rule
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"] and answer.status_code != 500
