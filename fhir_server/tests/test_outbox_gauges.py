"""The gauges of letters: what waits, since when, and what was given up."""

from pathlib import Path
from typing import Any

import pytest

from fhir_server import reminders
from fhir_server.commands.letters import run as letters_command
from fhir_server.http.metrics import Metrics
from fhir_server.outbox.planning import Plan, Template, Wanted
from fhir_server.outbox.queue import About
from fhir_server.outbox_gauges import LetterGauges
from fhir_server.preparation import prepare
from fhir_server.settings import load
from fhir_server.wiring import Process
from resources.errors import Unavailable


def exposed(queue: Any, now: int) -> str:
    metrics = Metrics()
    metrics.add(LetterGauges(queue, lambda: now))
    return metrics.exposition().decode()


def test_what_waits_and_what_was_given_up(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load({"DATA_DIR": str(tmp_path), "DATABASE": database_url, "OPEN": True}, {})
    prepare(settings)
    with Process(settings) as process:
        queue, now = reminders.queue(process), reminders.now()
        assert "hearth_letters_waiting 0.0" in exposed(queue, now)
        letters = tuple(Wanted(Template.REMINDER, now - 9000, now + 9000, lead) for lead in (1, 2))
        queue.add([(About("Appointment/1", "Patient/1"), 1, Plan(letters))])
        text = exposed(queue, now)
        assert "hearth_letters_waiting 2.0" in text and "hearth_letters_late_seconds 9.0" in text
        taken = queue.take()
        assert taken is not None
        queue.settle(queue.ended(taken, "failed", "smtp 550"))
        text = exposed(queue, now)
        assert "hearth_letters_waiting 1.0" in text and "hearth_letters_failed 1.0" in text
        assert letters_command(settings) == 1
        told = capsys.readouterr().out
        assert "1 letters wait, 1 could not" in told and f"{taken.id}  reminder  smtp 550" in told
        queue.purge(now + 10_000)
        text = exposed(queue, now)
        assert "hearth_letters_waiting 0.0" in text and "hearth_letters_failed 0.0" in text  # their visit is over


def test_while_the_database_does_not_answer() -> None:
    class Broken:
        def counts(self) -> None:
            raise Unavailable("gone")

    assert "hearth_letters" not in exposed(Broken(), 0)
