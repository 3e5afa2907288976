import re

from fhir_server.pages.tests.browser import BASE
from fhir_server.pages.visits.routes import ROUTES
from fhir_server.pages.visits.tests.conftest import Rig
from smart_auth.model import Person, Session
from smart_auth.people.secret import digest

VIDEO = "http://localhost:1"


def test_every_row_is_guarded_and_only_the_chart_is_framed_by_the_video_process(rig: Rig) -> None:
    rig.house.visit()
    for rule, method, _ in (row for row in ROUTES if "documents" not in row[0]):
        path = rule.replace("<type>/<id>", "Encounter/visit").replace("<id>", "ada")
        for host, place in (("localhost:8080", BASE), ("evil.example", "http://evil.example")):
            answer = rig.browser.client.open(path, method=method, base_url=place)
            policy = answer.headers["Content-Security-Policy"]
            framed = path.startswith("/visits/chart/Encounter") and "/apps/" not in path  # an app has a tab of its own
            assert answer.headers["Cache-Control"] == "no-store" and answer.status_code in (200, 403), (rule, host)
            assert "script-src 'self';" in policy and "default-src 'none'" in policy
            assert f"frame-ancestors {VIDEO if framed else chr(39) + 'none' + chr(39)};" in policy, rule
            assert ("X-Frame-Options" in answer.headers) is not framed
            assert host == "localhost:8080" or (answer.status_code == 403 and b"csrf" not in answer.data)


def test_forms_of_other_sites_and_forms_without_the_token_do_nothing(rig: Rig) -> None:
    rig.house.visit()
    token = {
        "csrf": rig.browser.get("/visits/chart/Encounter/visit").hidden("/visits/chart/Encounter/visit/note")["csrf"]
    }
    path, text = "/visits/chart/Encounter/visit/note", {"text": "x", "do": "sign"}
    for data, headers in (
        (text, {"Sec-Fetch-Site": "same-origin"}),
        (text | {"csrf": "x"}, {"Sec-Fetch-Site": "same-origin"}),
        (text | token, {"Sec-Fetch-Site": "cross-site"}),
        (text | token, {"Sec-Fetch-Site": "same-site"}),
    ):
        assert rig.browser.client.post(path, base_url=BASE, data=data, headers=headers).status_code == 403
    assert rig.house.all("DocumentReference") == []


def test_pages_need_no_inline_script_and_their_files_may_be_kept(rig: Rig) -> None:
    rig.house.visit()
    for path in ("/visits/", "/visits/chart/Encounter/visit"):
        page = rig.browser.get(path)
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=", page.text)
        for link in re.findall(r'(?:href|src)="(/visits/static/[^"]+)"', page.text):
            assert "immutable" in rig.browser.client.get(link, base_url=BASE).headers["Cache-Control"]


def test_asking_by_itself_keeps_nobody_logged_in(secured: Rig) -> None:
    service = secured.process.authorization.service
    ben = Person(id="1", login="ben", name="Ben", fhir_user="Practitioner/ben")
    service.records.put_person(ben)
    then, browser, secret = service.now() - 500, secured.browser, "what the cookie holds"
    session = Session(session_hash=digest(secret), person="1", csrf="x", amr=("pwd",), created=then, last_seen=then)
    service.records.put_session(session)
    browser.client.set_cookie("hearth", secret, domain="localhost")
    for path in ("/visits/changes?position=0", "/visits/session"):
        assert browser.get(path).answer.status_code == 200
        assert [one.last_seen for one in service.records.sessions("1")] == [then]
    assert browser.get("/visits/session?active=1").answer.status_code == 200
    assert service.records.sessions("1")[0].last_seen > then
