"""Letters as a part of the worker: threads that send, and none where there is no way out."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

from fhir_server import reminders, wiring
from fhir_server.conftest import BASE, Client
from fhir_server.outbox.tests.conftest import mail_server, one_mail_server  # noqa: F401
from fhir_server.preparation import prepare
from fhir_server.settings import load
from fhir_server.wiring import Process


def test_without_a_way_out_nothing_runs(tmp_path: Path) -> None:
    settings = load({"DATA_DIR": str(tmp_path), "OPEN": True}, {})
    prepare(settings)
    with Process(settings) as process:
        assert reminders.start(process, Event()) == []
        reminders.forget(process)


def test_both_ways_out_and_where_letters_lead(tmp_path: Path) -> None:
    given = {"DATA_DIR": str(tmp_path), "OPEN": True, "SMTP_HOST": "127.0.0.1", "SMTP_FROM": "a@clinic.example"}
    given |= {"WEBHOOK_URL": "https://x.example/", "WEBHOOK_SECRET": "0123456789abcdef"}
    assert list(reminders.channels(load(given, {}))) == ["smtp", "webhook"]
    prepare(load(given, {}))
    with Process(load(given | {"VIDEO_PORT": 8081}, {})) as process:
        assert reminders.site(process).visit_link is not None
    with Process(load(given | {"VIDEO_PORT": 8081, "LETTER_LINK": "account"}, {})) as process:
        found = reminders.site(process)
        assert found.visit_link is None and found.account == "http://127.0.0.1:8080/my/"


def test_what_is_booked_is_sent_by_the_threads(
    database_url: str,
    tmp_path: Path,
    mail_server: Any,  # noqa: F811
) -> None:
    given = {"DATA_DIR": str(tmp_path), "DATABASE": database_url, "OPEN": True, "PUBLIC_URL": BASE}
    given |= {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": mail_server.port,
        "SMTP_TLS": "none",
        "SMTP_FROM": "a@clinic.example",
    }
    prepare(load(given, {}))
    stop, sent = Event(), Event()
    mail_server.on_mail = sent.set
    with Process(load(given, {})) as process:
        reminders.queue(process).begin(process.repository(reminders.KEEPER).changes(("Appointment",), None, 0)[1])
        client = Client(wiring.compose(process))
        patient = client.create({"resourceType": "Patient", "telecom": [{"system": "email", "value": "b@example.org"}]})
        begin = datetime.now(UTC) + timedelta(hours=3)
        ends = {"start": begin.isoformat(), "end": (begin + timedelta(hours=1)).isoformat()}
        people = [{"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"}]
        client.create({"resourceType": "Appointment", "status": "booked", "participant": people, **ends})
        threads = reminders.start(process, stop)
        assert sent.wait(60)
        stop.set()
        for thread in threads:
            thread.join()
    assert len(threads) == 3 and mail_server.mails[0]["Subject"] == "Your visit is booked"
