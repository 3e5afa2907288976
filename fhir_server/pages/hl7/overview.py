"""How every sender and receiver stands, and what a person must look at first."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from flask import Response

from fhir_server.pages.hl7.desk import Desk
from fhir_server.pages.rendering import grouped, span
from hl7_bridge.watch import Peer

_HOUR = 3_600_000
_LATE = 60_000
"""Milliseconds that a message may wait before that is worth a word."""


class Alarm(NamedTuple):
    """One thing to look at: how bad (``bad``, ``warn``), what, and the filters of the journal that show it."""

    level: str
    text: str
    query: dict[str, str]


class Shown(NamedTuple):
    """A row of a table: the peer and how many messages passed in the last hour."""

    peer: Peer
    rate: int


def overview(desk: Desk) -> Response:
    """GET /hl7/"""
    now, console = desk.console.now(), desk.console
    peers = console.watch.peers()
    passed = console.journal.passed(now - _HOUR)
    rows = [Shown(peer, passed.get((peer.direction, peer.name), 0)) for peer in peers]
    return desk.page(
        "overview.html",
        tab="overview",
        heading="HL7 v2 messages",
        faults=console.faults(),
        alarms=sorted(alarms(peers, now), key=lambda alarm: alarm.level),
        senders=[row for row in rows if row.peer.direction == "in"],
        strangers=console.journal.strangers(),
        aside=console.journal.aside(),
        receivers=[row for row in rows if row.peer.direction == "out"],
    )


def alarms(peers: Sequence[Peer], now: int) -> Iterator[Alarm]:
    """What is not as it should be."""
    for peer in peers:
        yield from _of_sender(peer, now) if peer.direction == "in" else ()
        yield from _of_any(peer, now)


def _of_sender(peer: Peer, now: int) -> Iterator[Alarm]:
    whose = {"sender": peer.name, "direction": "in"}
    if peer.silent:
        quiet, most = span((now - peer.last) / 1000), span(peer.quiet_seconds)
        yield Alarm("bad", f"{peer.name} has been silent for {quiet}; {most} is the most that it may be.", whose)


def _of_any(peer: Peer, now: int) -> Iterator[Alarm]:
    whose = {"sender": peer.name, "direction": peer.direction}
    way = "from" if peer.direction == "in" else "to"
    if peer.dead:
        yield Alarm("bad", f"{_messages(peer.dead)} {way} {peer.name} failed for good.", whose | {"state": "dead"})
    if peer.held:
        yield Alarm("warn", f"{_messages(peer.held)} {way} {peer.name} held for a person.", whose | {"state": "held"})
    if peer.oldest and now - peer.oldest > _LATE:
        text = f"The oldest message {way} {peer.name} has waited for {span((now - peer.oldest) / 1000)}."
        yield Alarm("warn", text, whose | {"state": "received"})


def _messages(count: int) -> str:
    return f"{grouped(count)} message{'' if count == 1 else 's'}"
