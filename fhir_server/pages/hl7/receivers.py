"""Receivers: what waits for each, why the last message did not reach it, and another try."""

from typing import Any, NamedTuple

from flask import Response, request

from fhir_server.pages.hl7.desk import Desk
from fhir_server.pages.rendering import grouped
from hl7_bridge.journal import Query
from hl7_bridge.site.model import Receiver
from hl7_bridge.watch import Peer

MOST = 500
"""Messages that are sent again at one press, oldest first."""


class Shown(NamedTuple):
    """A receiver: how it stands, what the site kit says (None: nothing), message and reason of the last failure."""

    peer: Peer
    receiver: Receiver | None
    failed: int
    reason: str


def receivers(desk: Desk, *, notice: str = "") -> Response:
    """GET /hl7/receivers"""
    console = desk.console
    kit = {receiver.name: receiver for receiver in console.usable_site().receivers}
    peers = [peer for peer in console.watch.peers() if peer.direction == "out"]
    shown = [Shown(peer, kit.get(peer.name), *console.journal.last_reason(peer.name)) for peer in peers]
    told: dict[str, Any] = {"notice": notice} if notice else {}
    faults = console.faults()
    return desk.page("receivers.html", tab="receivers", heading="Receivers", receivers=shown, faults=faults, **told)


def resend(desk: Desk) -> Response:
    """POST /hl7/receivers/resend: what is dead or held for one receiver waits again."""
    name, journal = request.form.get("receiver", "")[:200], desk.console.journal
    stuck = [
        entry
        for state in ("dead", "held", "rejected")
        for entry in journal.search(Query(direction="out", sender=name, state=state), MOST)
    ]
    entries = sorted(stuck, key=lambda entry: entry.id)[:MOST]
    done = desk.console.again(desk.visitor, entries)
    return receivers(desk, notice=f"{grouped(done)} of {grouped(len(stuck))} wait to be sent to {name} again.")
