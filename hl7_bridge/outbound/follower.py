"""Follows the record's changes and queues the messages that routes ask for: each change once, none missed.

What a receiver was told, the queued message and the place reached in the changes are one transaction, so that neither a
crash nor a second node doubles or drops one.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote

from hl7_bridge.outbound.events import Sent, outgoing, said
from hl7_bridge.outbound.rendering import render
from hl7_bridge.outbound.routes import Way, leading, ways
from hl7_bridge.ports import Incoming, Stamps
from hl7_bridge.site.model import Site
from resources import json_codec
from resources.errors import FhirError, Gone, NotFound
from resources.repository import Repository, Version

log = logging.getLogger("hearth.hl7")

NAME = "outbound"
SOURCE = "urn:hl7v2:"
"""Begins meta.source of what a message made: ``urn:hl7v2:<sender>#<control id>``."""


class Told(NamedTuple):
    """What ``receiver`` was told of type/id, by the message ``control_id``."""

    receiver: str
    type: str
    id: str
    control_id: str
    sent: Sent


class Outbox(Protocol):
    """The queue of what goes out, in the journal's tables."""

    def position(self, follower: str) -> int:
        """The place in the changes that ``follower`` has reached, 0 at first."""
        ...

    def told(self, wanted: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str, str], Sent]:
        """By (receiver, type, id) what was told last."""
        ...

    def queue(self, follower: str, before: int, after: int, messages: Sequence[Incoming], told: Sequence[Told]) -> bool:
        """All of it or, when another node has moved ``follower`` from ``before`` meanwhile, nothing and False."""
        ...


class Follower:
    """Call ``step`` until it says that nothing is left, and again later. ``repository`` sees the whole record."""

    def __init__(self, site: Site, repository: Repository, outbox: Outbox, stamps: Stamps) -> None:
        self._site, self._repository, self._outbox, self._stamps = site, repository, outbox, stamps
        self._ways = ways(site)
        self._types = sorted({way.route.type for way in self._ways})

    def begin(self) -> None:
        """Who follows for the first time is told what changes from now on: the record's history is no news."""
        if self._types and self._outbox.position(NAME) == 0:
            self._outbox.queue(NAME, 0, self._repository.changes(self._types, None, 0)[1], [], [])

    def step(self, count: int = 100) -> bool:
        """Queue what the next changes ask for; whether there may be more at once."""
        if not self._types:
            return False
        before = self._outbox.position(NAME)
        versions, after = self._repository.changes(self._types, before, count)
        if after == before:
            return False
        messages, told = self._messages([version for version in versions if not version.deleted])
        moved = self._outbox.queue(NAME, before, after, messages, told)
        return not moved or len(versions) > 0

    def _messages(self, versions: Sequence[Version]) -> tuple[list[Incoming], list[Told]]:
        taken = [(version, way) for version in versions for way in leading(self._ways, version)]
        known = self._outbox.told((way.receiver.name, version.type, version.id) for version, way in taken)
        origins = self._origins({(version.type, version.id): version for version, _ in taken})
        messages, told = [], []
        for version, way in taken:
            origin = origins.get((version.type, version.id), "")
            sent = known.get((way.receiver.name, version.type, version.id))
            if origin and origin in (way.receiver.name, way.receiver.sender):
                told.append(_known(version, way, sent))
                continue
            made = self._message(version, way, sent)
            if made:
                messages.append(made[0])
                told.append(made[1])
        return messages, told

    def _message(self, version: Version, way: Way, sent: Sent | None) -> tuple[Incoming, Told] | None:
        resource = json_codec.decode_stored(version.doc)
        next = outgoing(resource, version.version, way.route.message, sent)
        if next is None:
            return None
        receiver = way.receiver
        try:
            control_id, raw = render(self._site, receiver, version, resource, next, self._lookup)
        except FhirError:
            raise
        except Exception as error:  # noqa: BLE001 one resource that nobody foresaw must not keep back all others
            fault = {"receiver": receiver.name, "type": version.type, "error": type(error).__name__}
            log.error("no message can be made", extra=fault)
            return None
        incoming = Incoming(
            sender=receiver.name,
            raw=raw,
            received=version.updated,
            control_id=control_id,
            type=next.type,
            event=next.event,
            version=receiver.version,
            lanes=(f"receiver|{receiver.name}",),
            direction="out",
        )
        now = said(version.version, resource)._replace(theirs=sent is not None and sent.theirs)
        return incoming, Told(receiver.name, version.type, version.id, control_id, now)

    def _origins(self, versions: dict[tuple[str, str], Version]) -> dict[tuple[str, str], str]:
        """Of those whose newest version the bridge wrote, the sender whose message made it.

        meta.source alone proves nothing: whoever changes a resource may send it back as it was.
        """
        stamps = self._stamps.read(versions)
        ours = {key: one for key, one in versions.items() if key in stamps and stamps[key].version == one.version}
        return {key: _origin(json_codec.decode_stored(one.doc)) for key, one in ours.items()}

    def _lookup(self, reference: str) -> dict[str, Any] | None:
        type, _, id = reference.partition("/")
        if not id or "/" in id or ":" in type:
            return None
        try:
            return json_codec.decode_stored(self._repository.read(type, id).doc)
        except (NotFound, Gone):
            return None


def _known(version: Version, way: Way, sent: Sent | None) -> Told:
    """What a receiver said itself it need not be told; its own unless we told it first."""
    now = said(version.version, json_codec.decode_stored(version.doc))
    return Told(way.receiver.name, version.type, version.id, "", now._replace(theirs=sent is None or sent.theirs))


def _origin(resource: dict[str, Any]) -> str:
    source: str = resource.get("meta", {}).get("source", "")
    return unquote(source.removeprefix(SOURCE).partition("#")[0]) if source.startswith(SOURCE) else ""
