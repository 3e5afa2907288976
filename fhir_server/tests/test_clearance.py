"""Clearances on every road to the record: without one what is labelled is as if it never was, with one it is there.

HL7 v3-Confidentiality (R, V in meta.security). Tokens are issued as the token endpoint issues them, on both databases.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import drop_postgresql, fresh_postgresql
from fhir_server import wiring
from fhir_server.conftest import Answer, Client
from fhir_server.preparation import prepare
from fhir_server.search.restriction import CONFIDENTIALITY
from fhir_server.settings import load
from smart_auth.model import Approval, Clearance, Context, Person, Told
from smart_auth.model import Client as App
from smart_auth.people.secret import fresh

BASE = "http://127.0.0.1:8080/fhir"
N, R, V = Clearance
GRACE = Person(id="id-grace", login="grace", name="Grace", fhir_user="Practitioner/d1")


def observation(label: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "meta": {"security": [{"system": CONFIDENTIALITY, "code": label}]},
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "x"}]},
        "subject": {"reference": "Patient/p1"},
        **more,
    }


class Hospital:
    """A secured server with a chart of three observations: ``n`` without a label, ``r`` restricted, ``v`` very."""

    def __init__(self, process: wiring.Process) -> None:
        self.process, self.service = process, process.authorization.service
        self.client = Client(wiring.compose(process))
        self.service.records.put_person(GRACE)
        for id in ("app", "robot"):
            self.service.records.put_client(App(id=id, name=id, redirect_uris=("https://app.example/",)))

    def clear(self, app: Clearance, person: Clearance = V) -> None:
        """Give both what they have from now on; the robot has what the app has."""
        for of, clearance in ((self.of("app"), app), (self.of("robot"), app), (self.grace, person)):
            self.service.clearances.change(of, clearance, "root")

    def of(self, app: str) -> App:
        found = self.service.records.client(app)
        assert found
        return found

    @property
    def grace(self) -> Person:
        found = self.service.records.person(GRACE.id)
        assert found
        return found

    def token(self, scope: str = "user/*.cruds", approval: Approval | None = None) -> str:
        person = None if scope.startswith("system/") else self.grace
        approval = approval or Approval(
            id=fresh(),
            client="app" if person else "robot",
            scopes=scope,
            person=person.id if person else "",
            created=self.service.now(),
        )
        self.service.records.put_approval(approval)
        token: str = self.service.issue.response(approval, person, scope)["access_token"]
        return token

    def send(self, token: str, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        return self.client.send(method, path, body, Authorization=f"Bearer {token}", **headers)

    def ids(self, token: str, path: str) -> str:
        """Of the Observations of an answer, in order."""
        answer = self.send(token, "GET", path)
        assert answer.status == 200, answer.body
        found = (entry["resource"] for entry in answer.json.get("entry", ()) if "resource" in entry)
        return " ".join(sorted({one["id"] for one in found if one["resourceType"] == "Observation"}))


def _server(folder: Path, url: str) -> Iterator[Hospital]:
    values = {"DATA_DIR": str(folder), "PUBLIC_URL": BASE} | ({"DATABASE": url} if url else {})
    settings = load(values, {})
    prepare(settings)
    with wiring.Process(settings) as process:
        yield Hospital(process)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def hospital(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    url = fresh_postgresql() if request.param == "postgresql" else ""
    yield from _server(tmp_path_factory.mktemp("data"), url)
    if url:
        drop_postgresql(url)


@pytest.fixture(autouse=True)
def chart(hospital: Hospital) -> None:
    hospital.clear(V)
    token = hospital.token()
    for body in (
        {"resourceType": "Practitioner", "id": "d1"},
        {"resourceType": "Patient", "id": "p1"},
        observation("N", id="n"),
        observation("R", id="r"),
        observation("V", id="v"),
        observation("N", id="of-r", derivedFrom=[{"reference": "Observation/r"}]),
    ):
        answer = hospital.send(token, "PUT", f"{body['resourceType']}/{body['id']}", body)
        assert answer.status in (200, 201), answer.body


SEEN = [(N, "n of-r"), (R, "n of-r r"), (V, "n of-r r v")]


@pytest.mark.parametrize(
    "scope", ["user/*.cruds", "system/*.cruds", "user/Observation.rs", "user/Observation.rs?code=x"]
)
@pytest.mark.parametrize(("clearance", "seen"), SEEN)
def test_what_is_seen_on_every_road(hospital: Hospital, clearance: Clearance, seen: str, scope: str) -> None:
    hospital.clear(clearance)
    token = hospital.token(scope)
    for road in ("Observation", "Observation?code=x", "Observation?subject=Patient/p1&_sort=-_lastUpdated"):
        assert hospital.ids(token, road) == seen
    assert hospital.send(token, "GET", "Observation?_summary=count").json["total"] == len(seen.split())
    assert hospital.ids(token, "Observation?_id=of-r&_include=Observation:derived-from") == (
        "of-r r" if " r" in seen else "of-r"
    )
    assert hospital.ids(token, "Observation/_history?_count=100") == seen
    for id in ("n", "r", "v"):
        status = 200 if id in seen.split() else 404
        for path in (f"Observation/{id}", f"Observation/{id}/_history/1", f"Observation/{id}/_history"):
            assert hospital.send(token, "GET", path).status == status, (path, clearance)


@pytest.mark.parametrize(("clearance", "seen"), SEEN)
def test_roads_from_elsewhere(hospital: Hospital, clearance: Clearance, seen: str) -> None:
    hospital.clear(clearance)
    token = hospital.token()
    assert hospital.ids(token, "Patient?_id=p1&_revinclude=Observation:subject") == seen
    assert hospital.ids(token, "Patient/p1/$everything") == seen
    assert hospital.ids(token, "Patient/p1/Observation") == seen
    assert hospital.ids(token, f"Observation?_security={CONFIDENTIALITY}|V") == ("v" if clearance is V else "")


@pytest.mark.parametrize(("clearance", "seen"), SEEN)
def test_the_compartment_of_a_patient_in_context(hospital: Hospital, clearance: Clearance, seen: str) -> None:
    hospital.clear(clearance)
    approval = Approval(
        id=fresh(), client="app", scopes="patient/*.rs", person=GRACE.id, context=Context(patient="p1"), created=1
    )
    assert hospital.ids(hospital.token("patient/*.rs", approval), "Observation") == seen


@pytest.mark.parametrize(("clearance", "seen"), SEEN)
def test_what_is_changed(hospital: Hospital, clearance: Clearance, seen: str) -> None:
    hospital.clear(clearance)
    token = hospital.token()
    patch = [{"op": "add", "path": "/language", "value": "en"}]
    for id, label in (("n", "N"), ("r", "R"), ("v", "V")):
        opened = id in seen.split()
        put = hospital.send(token, "PUT", f"Observation/{id}", observation(label, id=id, status="amended"))
        # who may choose ids is told apart by no status: the id of what is hidden is refused, not written over
        assert (put.status == 200) is opened, (id, put.body)
        patched = hospital.send(token, "PATCH", f"Observation/{id}", patch, Content_Type="application/json-patch+json")
        assert patched.status == (200 if opened else 404), patched.body
    hospital.clear(V)
    assert hospital.send(hospital.token(), "GET", "Observation/v").json["status"] == (
        "amended" if clearance is V else "final"
    )


def test_the_label_itself_is_taken_off_by_who_is_cleared(hospital: Hospital) -> None:
    token = hospital.token()
    assert hospital.send(token, "PUT", "Observation/v", observation("N", id="v")).status == 200
    hospital.clear(N)
    assert hospital.send(hospital.token(), "GET", "Observation/v").status == 200


@pytest.mark.parametrize(("app", "person", "seen"), [(N, V, "n of-r"), (V, N, "n of-r"), (R, V, "n of-r r")])
def test_with_a_person_the_lesser_of_both_counts(
    hospital: Hospital, app: Clearance, person: Clearance, seen: str
) -> None:
    hospital.clear(app, person)
    assert hospital.ids(hospital.token(), "Observation") == seen


@pytest.mark.parametrize("take", [lambda h: h.clear(N, V), lambda h: h.clear(V, R)])
def test_one_taken_away_ends_the_tokens_that_say_it(hospital: Hospital, take: Callable[[Hospital], None]) -> None:
    token, robots = hospital.token(), hospital.token("system/*.rs")
    take(hospital)
    assert hospital.send(token, "GET", "Observation/v").status == 401
    assert hospital.send(robots, "GET", "Observation/v").status == (401 if hospital.of("robot").clearance is N else 200)
    assert hospital.send(hospital.token(), "GET", "Observation/v").status == 404


def test_more_is_given_from_the_next_token_on(hospital: Hospital) -> None:
    hospital.clear(N, N)
    token = hospital.token()
    hospital.clear(V)
    assert hospital.send(token, "GET", "Observation/v").status == 404
    assert hospital.send(hospital.token(), "GET", "Observation/v").status == 200


def test_an_app_cannot_ask_for_it(hospital: Hospital) -> None:
    """Neither as a scope nor by writing it into the token."""
    hospital.clear(N, N)
    token = hospital.token("user/*.cruds hearth_clearance/V")
    assert hospital.send(token, "GET", "Observation/v").status == 404
    head, body, signature = token.split(".")
    said = urlsafe_b64decode(body + "=" * (-len(body) % 4)).replace(b'"scope"', b'"hearth_clearance":"V","scope"')
    forged = ".".join((head, urlsafe_b64encode(said).decode().rstrip("="), signature))
    assert hospital.send(forged, "GET", "Observation/v").status == 401


def test_each_change_is_in_the_trail(hospital: Hospital) -> None:
    told: list[Told] = []
    hospital.process.authorization.notes.listeners.append(told.append)
    hospital.service.clearances.change(hospital.grace, R, "Practitioner/d1")
    hospital.service.clearances.change(hospital.grace, V, "root")
    assert [(one.who, one.detail) for one in told] == [
        ("Practitioner/d1", "clearance of grace from very-restricted to restricted, by themselves"),
        ("root", "clearance of grace from restricted to very-restricted"),
    ]
