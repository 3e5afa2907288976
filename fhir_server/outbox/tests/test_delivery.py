"""Letters over the whole server, on both databases: each once, to whom they are for, and nothing of anybody in them."""

import logging
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from conftest import DIALECTS
from fhir_server import reminders, wiring
from fhir_server.conftest import BASE, Client
from fhir_server.keys import KeyProblem
from fhir_server.outbox.addresses import CONTACT, NO_LETTERS
from fhir_server.outbox.delivery import LETTERS, TRIES, Delivery
from fhir_server.outbox.follower import Follower
from fhir_server.preparation import prepare
from fhir_server.settings import load
from fhir_server.tests.processes import database_of
from fhir_server.wiring import Process
from video.visit.virtual_service import VirtualService, with_service

Json = dict[str, Any]

HOUR = 3_600_000
SECRETS = ("Okonkwo", "Featherstonehaugh", "1987-03-14", "melancholia", "Bergmannsthal", "psychiatry")
"""Of the patient, the visit and its practitioner: none of it is in anything that leaves."""


@pytest.fixture(scope="module", params=DIALECTS)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Json]:
    folder: Path = tmp_path_factory.mktemp("data")
    with database_of(request.param, folder) as url:
        given = {"DATA_DIR": str(folder), "DATABASE": url, "OPEN": True, "PUBLIC_URL": BASE, "QUIET_HOURS": ""}
        given |= {"VIDEO_PUBLIC_URL": "https://visit.example.org", "SMTP_FROM": "visits@clinic.example"}
        prepare(load(given, {}))
        yield given


class Post:
    """A clinic whose letters leave by the servers of the test, and a clock of its own."""

    def __init__(self, process: Process) -> None:
        self.process, self.late = process, 0
        self.queue = reminders.queue(process)
        real = self.queue.now
        self.queue.now = lambda: real() + self.late  # type: ignore[method-assign]
        keeper = process.repository(reminders.KEEPER)
        self.follower = Follower(keeper, self.queue, reminders.rules(process.settings))
        self.delivery = Delivery(keeper, self.queue, reminders.site(process))
        self.client = Client(wiring.compose(process))
        self.plan()
        self.forget("letter")  # of the appointments of other tests

    def plan(self) -> None:
        while self.follower.step():
            pass

    def forget(self, *tables: str) -> None:
        session = self.process.store.session()
        with session.transaction():
            for table in tables:
                session.query(f"DELETE FROM outbox_{table}")

    def settle(self) -> None:
        """Plan and send all that is due."""
        self.plan()
        while self.delivery.step():
            pass

    def patient(self, *telecom: Json) -> str:
        name = [{"family": SECRETS[1], "given": [SECRETS[0]]}]
        body: Json = {"resourceType": "Patient", "name": name, "birthDate": SECRETS[2]}
        body |= {"telecom": list(telecom)} if telecom else {}
        return "Patient/" + self.client.create(body)

    def booked(self, patient: str, hours: float = 48, *, virtual: bool = False) -> Json:
        begin = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours)
        body: Json = {
            "resourceType": "Appointment",
            "status": "booked",
            "start": begin.isoformat(),
            "end": (begin + timedelta(minutes=30)).isoformat(),
            "reasonCode": [{"text": SECRETS[3]}],
            "serviceType": [{"text": SECRETS[5]}],
            "participant": [
                {"actor": {"reference": patient}, "status": "accepted"},
                {"actor": {"display": SECRETS[4]}, "status": "accepted"},
            ],
        }
        if virtual:
            body = with_service(body, VirtualService("https://visit.example.org/visit"))
        return self.got("Appointment/" + self.client.create(body))

    def got(self, path: str) -> Json:
        found: Json = self.client.send("GET", path).json
        return found

    def put(self, resource: Json, **changed: Any) -> Json:
        answer = self.client.send("PUT", f"{resource['resourceType']}/{resource['id']}", resource | changed)
        assert answer.status == 200, answer.body
        found: Json = answer.json
        return found

    def said(self, patient: str) -> list[Json]:
        """Communications with ``patient``, oldest first."""
        found = self.got(f"Communication?subject={patient}&_sort=sent").get("entry", ())
        return [entry["resource"] for entry in found]

    def states(self) -> list[tuple[str, str, str]]:
        sql = "SELECT template, state, reason FROM outbox_letter WHERE template <> 'known' ORDER BY made, due, id"
        return [tuple(row) for row in self.process.store.session().query(sql)]  # type: ignore[misc]


@pytest.fixture(scope="module")
def opened(place: Json, one_mail_server: Any, one_web_server: Any) -> Iterator[Any]:
    """Opens a server with other settings; each is opened once."""
    made: dict[str, Process] = {}

    def opened(**given: Any) -> Process:
        usual = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": one_mail_server.port, "SMTP_TLS": "none"}
        usual |= {"WEBHOOK_URL": one_web_server.url, "WEBHOOK_SECRET": "a secret of the site"}
        if repr(given) not in made:
            made[repr(given)] = Process(load(place | usual | given, {}))
        return made[repr(given)]

    yield opened
    for process in made.values():
        process.close()


@pytest.fixture
def open_post(opened: Any, mail_server: Any, web_server: Any) -> Any:
    return lambda **given: Post(opened(**given))


@pytest.fixture
def post(open_post: Any) -> Post:
    made: Post = open_post()
    return made


MAIL = {"system": "email", "value": "a@example.org"}
SMS = {"system": "sms", "value": "+491701234567"}


def test_booked_reminded_twice_and_kept_in_the_record(post: Post, mail_server: Any) -> None:
    patient = post.patient(MAIL)
    appointment = post.booked(patient)
    post.settle()
    post.late = 25 * HOUR
    post.settle()
    post.late = 47 * HOUR + HOUR // 2
    post.settle()
    assert [mail["Subject"] for mail in mail_server.mails] == ["Your visit is booked", *["Reminder of your visit"] * 2]
    told = post.said(patient)
    assert [one["status"] for one in told] == ["completed"] * 3
    assert told[0]["about"] == [{"reference": f"Appointment/{appointment['id']}"}]
    assert told[0]["medium"][0]["coding"][0]["code"] == "EMAILWRIT"
    assert told[0]["recipient"] == [{"reference": patient}]
    values = {one["identifier"][0]["value"] for one in told if one["identifier"][0]["system"] == LETTERS}
    assert {f"<{value}@fhir.example.org>" for value in values} == {mail["Message-ID"] for mail in mail_server.mails}
    assert {state for _, state, _ in post.states()} == {"sent"}


def test_moved_and_cancelled_are_told_and_old_reminders_are_not(post: Post, mail_server: Any) -> None:
    patient = post.patient(MAIL)
    appointment = post.booked(patient)
    post.settle()
    later = (datetime.fromisoformat(appointment["start"]) + timedelta(hours=23)).isoformat()
    moved = post.put(appointment, start=later, end=later)
    post.settle()
    post.late = 47 * HOUR + HOUR // 2  # a reminder of the old time would be due
    post.settle()
    post.put(moved, status="cancelled")
    post.settle()
    post.late = 72 * HOUR
    post.settle()
    assert [mail["Subject"] for mail in mail_server.mails] == [
        "Your visit is booked", "Your visit has another time", "Reminder of your visit", "Your visit is cancelled",
    ]  # fmt: skip


def test_a_visit_by_video_has_one_link_that_opens_it(post: Post, mail_server: Any) -> None:
    appointment = post.booked(post.patient(MAIL), virtual=True)
    post.settle()
    post.late = 25 * HOUR
    post.settle()
    links = {line for mail in mail_server.mails for line in mail.get_content().split() if line.startswith("https://")}
    [link] = links
    assert link.startswith("https://visit.example.org/visit#invitation=")
    place = f"Appointment/{appointment['id']}"
    found = post.client.send("GET", f"{place}/$invitations").json["parameter"]
    assert len(found) == 1
    [id] = [part["valueString"] for part in found[0]["part"] if part["name"] == "id"]
    assert post.client.send("POST", f"{place}/$revoke-invitation?id={id}").status == 200
    post.late = 47 * HOUR + HOUR // 2
    post.settle()
    assert "Log in to see it" in mail_server.mails[-1].get_content(), "what was revoked is not given again"


def test_a_visit_that_becomes_anothers_is_cancelled_for_the_one_and_told_to_the_other(
    post: Post, mail_server: Any
) -> None:
    first, second = post.patient(MAIL), post.patient(MAIL | {"value": "b@example.org"})
    appointment = post.booked(first, virtual=True)
    post.settle()
    actors = [{"actor": {"reference": second}, "status": "accepted"}, *appointment["participant"][1:]]
    changed = post.put(post.got(f"Appointment/{appointment['id']}"), participant=actors)
    post.put(changed, comment="Another change, before anybody looked at the first")
    post.late = 25 * HOUR
    post.delivery.step()  # a reminder is due before anybody has planned anew
    post.late = 0
    post.settle()
    post.late = 25 * HOUR
    post.settle()
    told = [(mail["To"], mail["Subject"]) for mail in mail_server.mails]
    assert sorted(told) == [
        ("a@example.org", "Your visit is booked"),
        ("a@example.org", "Your visit is cancelled"),
        ("b@example.org", "Reminder of your visit"),
        ("b@example.org", "Your visit is booked"),
    ]
    links = [{part for part in mail.get_content().split() if "#invitation=" in part} for mail in mail_server.mails]
    assert len(links[0]) == 1 and links[0].isdisjoint(set.union(*links[1:])), "whose link leads to another's visit"


def test_who_was_told_of_a_visit_that_is_deleted_is_told_that_it_is_cancelled(post: Post, mail_server: Any) -> None:
    patient = post.patient(MAIL)
    appointment = post.booked(patient)
    post.settle()
    [told] = post.said(patient)  # refers to the visit, so that it goes first
    for place in (f"Communication/{told['id']}", f"Appointment/{appointment['id']}"):
        assert post.client.send("DELETE", place).status == 204
    post.settle()
    assert [mail["Subject"] for mail in mail_server.mails] == ["Your visit is booked", "Your visit is cancelled"]
    [told] = post.said(patient)
    assert told["status"] == "completed" and "about" not in told


def test_letters_lead_to_the_log_in_where_the_site_wants_it(open_post: Any, mail_server: Any) -> None:
    post = open_post(LETTER_LINK="account", CLINIC_NAME="Harbour Street 7")
    post.booked(post.patient(MAIL), virtual=True)
    post.settle()
    text = mail_server.mails[0].get_content()
    assert "https://fhir.example.org/my/" in text and "Harbour Street 7" in text and "invitation" not in text


def test_who_has_no_mail_is_written_to_by_the_webhook(post: Post, mail_server: Any, web_server: Any) -> None:
    patient = post.patient(SMS)
    post.booked(patient)
    post.settle()
    [told] = web_server.bodies
    assert told["to"] == {"system": "sms", "value": "+491701234567"} and told["template"] == "booked"
    assert not mail_server.mails and post.said(patient)[0]["medium"][0]["coding"][0]["code"] == "SMSWRIT"


@pytest.mark.parametrize("why", ["no address", "opted out", "no patient"])
def test_who_gets_none(post: Post, mail_server: Any, why: str) -> None:
    patient = post.patient(*([] if why == "no address" else [MAIL]))
    if why == "opted out":
        code = {"coding": [{"system": CONTACT, "code": NO_LETTERS}]}
        flag = {"resourceType": "Flag", "status": "active", "code": code, "subject": {"reference": patient}}
        post.client.create(flag)
    if why == "no patient":
        post.put(post.got(patient), deceasedBoolean=True)
    post.booked(patient)
    post.settle()
    assert not mail_server.mails and not post.said(patient)
    assert ("booked", "cancelled", why) in post.states()


def test_what_was_booked_before_there_were_letters_is_reminded_of(post: Post, mail_server: Any) -> None:
    patient = post.patient(MAIL)
    post.booked(patient)
    post.forget("follower")
    post.settle()
    assert not mail_server.mails
    post.late = 25 * HOUR
    post.settle()
    assert [one["payload"][0]["contentString"] for one in post.said(patient)] == ["Reminded of the visit."]


def test_tried_again_with_the_same_number_and_given_up_in_the_end(post: Post, mail_server: Any) -> None:
    patient = post.patient(MAIL)
    post.booked(patient, hours=20 * 24)
    mail_server.refuse_body = ["452 Full"] * 3
    post.settle()
    assert not mail_server.mails
    for _ in range(3):
        post.late += 2 * HOUR
        post.settle()
    assert len(mail_server.mails) == 1
    post.booked(patient, hours=20 * 24)
    mail_server.refuse_body = ["452 Full"] * 2
    post.settle()
    session = post.process.store.session()
    with session.transaction():
        session.query("UPDATE outbox_letter SET attempts = $1 WHERE attempts = 1 AND state = 'queued'", (TRIES - 1,))
    post.late += HOUR
    post.settle()
    assert ("booked", "failed", "smtp 452") in post.states() and len(mail_server.mails) == 1
    kept = {one["status"] for one in post.said(patient)}
    assert kept == {"completed", "not-done"}
    assert post.queue.counts()["failed"][0] == 1 and post.queue.failed(5)[0].reason == "smtp 452"


def test_what_could_not_be_sent_before_the_visit_is_said(post: Post, mail_server: Any) -> None:
    patient = post.patient(MAIL)
    post.booked(patient, hours=0.5)
    mail_server.refuse_body = ["452 Full"]
    post.settle()
    post.late = HOUR
    post.settle()
    assert post.states() == [("booked", "failed", "over")] and not mail_server.mails
    assert [one["status"] for one in post.said(patient)] == ["not-done"]


def test_an_address_that_is_none_is_tried_once(post: Post, mail_server: Any) -> None:
    mail_server.refuse_recipient = ["550 No such user"]
    patient = post.patient(MAIL)
    post.booked(patient)
    post.settle()
    assert ("booked", "failed", "smtp 550") in post.states()
    assert [one["status"] for one in post.said(patient)] == ["not-done"]


def test_a_letter_that_breaks_its_sender_holds_up_no_other_and_ends(post: Post, mail_server: Any) -> None:
    class Broken:
        def send(self, id: str, letter: Any, to: Any) -> None:
            raise RuntimeError

    patient, keeper = post.patient(MAIL), post.process.repository(reminders.KEEPER)
    post.booked(patient)
    post.plan()
    broken = Delivery(keeper, post.queue, reminders.site(post.process)._replace(channels={"smtp": Broken()}))
    for _ in range(TRIES):
        with pytest.raises(RuntimeError):
            broken.step()
        assert not broken.step()
        post.late += HOUR // 6
    assert broken.step() and ("booked", "failed", "broken") in post.states()
    assert [one["status"] for one in post.said(patient)] == ["not-done"]


def test_letters_that_nobody_can_open_are_forgotten_with_their_visit(post: Post, mail_server: Any) -> None:
    post.booked(post.patient(MAIL))
    post.plan()
    session = post.process.store.session()
    with session.transaction():
        session.query("UPDATE outbox_letter SET body = $1", (b"sealed by a key that is gone",))
    for _ in range(2):
        with pytest.raises(KeyProblem):
            post.delivery.step()
        post.late += HOUR // 6
    post.queue.purge(post.queue.now())
    assert post.states(), "the visit is ahead"
    post.queue.purge(post.queue.now() + 72 * HOUR)
    assert not post.states()


def test_two_workers_send_each_letter_once(post: Post, mail_server: Any) -> None:
    patient = post.patient(MAIL)
    for hours in range(30, 38):
        post.booked(patient, hours=hours)
    post.plan()
    keeper, where = post.process.repository(reminders.KEEPER), reminders.site(post.process)

    def work(number: int) -> None:
        delivery = Delivery(keeper, reminders.queue(post.process), where)
        while delivery.step():
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    post.settle()
    assert len(mail_server.mails) == 8 == len({mail["Message-ID"] for mail in mail_server.mails})
    assert len(post.said(patient)) == 8


def test_two_followers_plan_each_letter_once(post: Post) -> None:
    post.booked(post.patient(MAIL))
    other = Follower(
        post.process.repository(reminders.KEEPER), reminders.queue(post.process), reminders.rules(post.process.settings)
    )
    before = post.queue.position()
    assert other.step()
    versions, after = post.process.repository(reminders.KEEPER).changes(("Appointment",), before, 10)
    assert not post.queue.add(post.follower._plans(versions, known=False), before, after)
    assert sorted(template for template, _, _ in post.states()) == ["booked", "reminder", "reminder"]


def test_killed_between_sending_and_marking_it_is_sent_twice_with_one_number(post: Post, mail_server: Any) -> None:
    patient = post.patient(MAIL)
    post.booked(patient)
    post.plan()
    child = os.fork()
    if child == 0:  # a worker of its own, killed as the mail server has the letter
        try:
            with Process(post.process.settings) as process:
                keeper = process.repository(reminders.KEEPER)
                Delivery(keeper, reminders.queue(process), reminders.site(process)).step()
        finally:
            os._exit(1)
    mail_server.on_mail = lambda: os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    mail_server.on_mail = lambda: None
    assert os.WIFSIGNALED(status) and len(mail_server.mails) == 1 and not post.said(patient)
    post.settle()
    assert len(mail_server.mails) == 1, "its lease is not over"
    post.late = HOUR // 10
    post.settle()
    post.settle()
    assert len(mail_server.mails) == 2 and len({mail["Message-ID"] for mail in mail_server.mails}) == 1
    assert [one["status"] for one in post.said(patient)] == ["completed"]


def test_nothing_of_anybody_is_in_letters_logs_or_columns(
    post: Post, mail_server: Any, web_server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "hearth.outbox")
    people = [post.patient(MAIL), post.patient(SMS)]
    mail_server.refuse_body = ["554 No mail for Okonkwo <a@example.org>"]
    for patient in people:
        post.booked(patient, virtual=True)
        post.settle()
        post.put(post.booked(patient, hours=30), status="cancelled")
    post.settle()
    session = post.process.store.session()
    rows = [row for table in ("letter", "link", "follower") for row in session.query(f"SELECT * FROM outbox_{table}")]
    logged = " ".join(repr(record.__dict__) for record in caplog.records if record.name == "hearth.outbox")
    left = [*(mail.as_string() for mail in mail_server.mails), *(repr(one) for one in web_server.requests)]
    communications = [one for patient in people for one in post.said(patient)]
    assert left and logged and communications
    for told in (*left, repr(rows), logged, *(repr(one["payload"]) for one in communications)):
        assert not [secret for secret in SECRETS if secret.lower() in told.lower()]
    for told in (repr(rows), logged):
        assert "a@example.org" not in told and "1701234567" not in told
        assert not [patient for patient in people if patient in told]
