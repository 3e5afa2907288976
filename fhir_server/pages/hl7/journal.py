"""The journal of all messages: searched, paged, and read again by the many.

Pages are by keyset: the next one begins below the last id shown.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Response, request

from fhir_server.pages.hl7.console import ENDED
from fhir_server.pages.hl7.desk import Desk
from fhir_server.pages.rendering import grouped
from hl7_bridge.journal import Query

PAGE = 50
MOST = 500
"""Messages that are read again at one press."""

IN_ADDRESS = ("direction", "sender", "type", "event", "state", "flag", "since", "until")
"""Filters that an address may hold; a patient's or an order's number never does."""
FILTERS = (*IN_ADDRESS, "control_id", "patient", "order")
_LONGEST = 200
Asked = Mapping[str, str]


def linked(desk: Desk) -> Response:
    """GET /hl7/messages: with the filters of a link."""
    return _found(desk, {name: request.args.get(name, "")[:_LONGEST] for name in IN_ADDRESS})


def search(desk: Desk) -> Response:
    """POST /hl7/messages: also the next page."""
    before = request.form.get("before", "")
    return _found(desk, _asked(), int(before) if _is_number(before) else 0)


def _is_number(text: str) -> bool:
    """Whether it may be that of a message."""
    return text.isascii() and text.isdigit() and len(text) < 19


def _asked() -> dict[str, str]:
    return {name: request.form.get(name, "").strip()[:_LONGEST] for name in FILTERS}


def _found(desk: Desk, asked: Asked, before: int = 0, *, notice: str = "", error: str = "") -> Response:
    query, faults = parsed(asked)
    found = desk.console.journal.search(query, PAGE + 1, before=min(before, 1 << 62)) if not faults else []
    texts = ("notice", notice), ("error", error or " ".join(faults))
    told: dict[str, Any] = {name: text for name, text in texts if text}
    return desk.page(
        "journal.html",
        400 if faults else 200,
        tab="messages",
        heading="Messages",
        asked={name: asked.get(name, "") for name in FILTERS},
        narrowed=any(asked.values()),
        entries=found[:PAGE],
        before=found[PAGE - 1].id if len(found) > PAGE else 0,
        first=before == 0,
        peers=sorted({peer.name for peer in desk.console.watch.peers()}),
        most=MOST,
        **told,
    )


def parsed(asked: Asked) -> tuple[Query, list[str]]:
    """The query, and what is wrong with it. Times are UTC."""
    faults: list[str] = []
    texts = {name: text for name, text in asked.items() if text and name not in ("since", "until")}
    times = {name: _time(asked.get(name, ""), faults) for name in ("since", "until")}
    return Query(**texts, since=times["since"], until=times["until"]), faults


def _time(text: str, faults: list[str]) -> int:
    if not text:
        return 0
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        faults.append(f"{text!r} is no time; expected such as 2026-11-22T18:30.")
        return 0


def replay(desk: Desk) -> Response:
    """POST /hl7/messages/replay: those that are ticked, or after a question all that the filters find."""
    asked, journal = _asked(), desk.console.journal
    if request.form.get("all"):
        query, faults = parsed(asked)
        entries = [] if faults else journal.search(query, MOST)
        if entries and not request.form.get("sure"):
            return _question(desk, asked, len(entries), sum(entry.state not in ENDED for entry in entries))
    else:
        ids = [int(text) for text in request.form.getlist("ids")[:PAGE] if _is_number(text)]
        entries = [entry for id in ids if (entry := journal.read(id))]
    if not entries:
        return _found(desk, asked, error="Tick the messages to replay.")
    done = desk.console.again(desk.visitor, sorted(entries, key=lambda entry: entry.id))
    left = len(entries) - done
    rest = f" {grouped(left)} could not be: they wait already, or have no sender in the site kit." if left else ""
    return _found(desk, asked, notice=f"{grouped(done)} of {grouped(len(entries))} wait to be read again.{rest}")


def _question(desk: Desk, asked: Asked, count: int, applied: int) -> Response:
    return desk.page(
        "replay_all.html", tab="messages", heading="Replay all of these?", asked=asked, count=count, applied=applied
    )
