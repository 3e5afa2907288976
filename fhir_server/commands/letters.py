"""``hearth letters``: how many letters to patients wait, and which could not be delivered.

docs/reminders.md. Of the patients it tells nothing; a letter's id is the identifier of its Communication.
"""

from datetime import UTC, datetime

from fhir_server.commands.authority import table
from fhir_server.settings import Settings

_MOST = 50


def run(settings: Settings) -> int:
    """1 when one could not be delivered, so that a script sees it."""
    from fhir_server.reminders import queue
    from fhir_server.wiring import Process

    with Process(settings) as process:
        waiting = queue(process)
        counts, failed = waiting.counts(), waiting.failed(_MOST)
    print(f"{counts.get('queued', (0, 0))[0]} letters wait, {counts.get('failed', (0, 0))[0]} could not be delivered")
    rows = [
        (one.id, one.template, one.reason, str(one.attempts), _moment(one.ended), _moment(one.start)) for one in failed
    ]
    if rows:
        print(table([("LETTER", "KIND", "WHY", "TRIES", "GIVEN UP", "VISIT"), *rows]))
    return 1 if rows else 0


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
