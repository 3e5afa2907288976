"""Letters: what they say, and how little."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from fhir_server.outbox.letters import written
from fhir_server.outbox.planning import Template

START = round(datetime(2026, 11, 24, 8, 30, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize("template", [one for one in Template if one is not Template.KNOWN])
def test_a_letter_says_when_and_where_to_look(template):
    made = written(template, "the clinic", START, ZoneInfo("Europe/Berlin"), "https://x.example/v#1", opens=True)
    assert "Tuesday 24 November 2026, 09:30 (Europe/Berlin)" in made.text
    assert "at the clinic" in made.text and "Join it here" in made.text and "https://x.example/v#1" in made.text
    assert made.parameters()["start"] == "2026-11-24T09:30:00+01:00"
    assert made.parameters()["template"] == template.value


def test_a_link_to_the_log_in_says_so():
    made = written(Template.CANCELLED, "the clinic", START, UTC, "https://x.example/my/", opens=False)
    assert "Log in to see it: https://x.example/my/" in made.text
    assert "Log in" not in written(Template.CANCELLED, "the clinic", START, UTC, "", opens=False).text
