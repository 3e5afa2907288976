"""The resources of one message as they are made: entries, each person, place and organization once.

v2-to-FHIR implementation guide; identities and policies are ours (``mapping/model.py``).
"""

import hashlib
from typing import Any, Protocol

from hl7_bridge.er7 import Message, Segment
from hl7_bridge.mapping.datatypes.times import millis
from hl7_bridge.mapping.model import AsOf, Entry, Key, Mapped, Merge, Policy, Resource
from hl7_bridge.mapping.reading import Reading
from hl7_bridge.site.model import Sender


class Tracing(Protocol):
    """Who listens while a message is accounted for."""

    def uses(self, rows: Any, segment: Segment) -> None:
        """``rows`` (a SegmentMap) speak for the fields of ``segment``."""
        ...

    def made(self, segment: Segment, field: int, target: str, made: bool) -> None:
        """A row was applied; ``made`` says whether anything came of it."""
        ...


class Draft(Reading):
    """A message on its way to being Mapped."""

    __slots__ = (
        "_by_url",
        "_count",
        "_known",
        "_seen",
        "encounter",
        "entries",
        "header",
        "made",
        "merges",
        "message",
        "patient",
        "tie",
        "time",
        "trace",
    )

    def __init__(self, sender: Sender, message: Message, trace: Tracing | None = None) -> None:
        super().__init__(sender, message)
        self.message = message
        self.entries: list[Entry] = []
        self.merges: list[Merge] = []
        self.patient: Entry | None = None
        """Whom the segments at hand are about."""
        self.encounter: Entry | None = None
        self.header: Entry | None = None
        self.time = _made(self)
        """When the message was made (EVN-2, else MSH-7), in ms since 1970 UTC."""
        self.tie = f"{self.time:015d}:{content_hash(message)}"
        """Of every entry: when the message was made and the hash of its content."""
        self.trace = trace
        self.made: dict[tuple[str, str], Any] = {}
        """What rows made of a text, for segments that repeat."""
        self._count = 0
        self._by_url: dict[str, Entry] = {}
        self._known: dict[tuple[str, Key], Entry] = {}
        self._seen: dict[tuple[str, str], Resource | None] = {}

    def add(
        self,
        resource: Resource,
        policy: Policy,
        keys: tuple[Key, ...] = (),
        *segments: Segment,
        rank: int = 0,
        time: int | None = None,
    ) -> Entry:
        """A new entry made of ``segments``; ``time`` is the message's unless the content has a better one."""
        self._count += 1  # entries may be left out again, their numbers are not given anew
        url = _URL + str(self._count).zfill(12)
        as_of = AsOf(rank, self.time if time is None else time, self.tie)
        entry = Entry(url, resource, policy, keys, as_of, sources=tuple([each.index for each in segments]))
        self.entries.append(entry)
        self._by_url[url] = entry
        kind = resource["resourceType"]
        for key in keys:
            self._known.setdefault((kind, key), entry)
        return entry

    def entry(self, reference: Resource | None) -> Entry | None:
        """The entry that a reference of this message leads to."""
        return self._by_url.get(reference.get("reference", "")) if reference else None

    def known(self, kind: str, keys: tuple[Key, ...]) -> Entry | None:
        """The entry of this message that has one of ``keys``."""
        return next((found for key in keys if (found := self._known.get((kind, key)))), None)

    def mention(self, resource: Resource, keys: tuple[Key, ...], *segments: Segment) -> Resource:
        """A reference to somebody or something the message speaks of: one entry each, elements added as they come."""
        kind = resource["resourceType"]
        entry = self.known(kind, keys)
        if entry is None:
            return self.add(resource, Policy.MENTION, keys, *segments).reference
        for name, value in resource.items():
            entry.resource.setdefault(name, value)
        return entry.reference

    def seen(self, kind: str, raw: str) -> tuple[bool, Resource | None]:
        """Whether the same text was made into a reference of ``kind`` before, and the reference."""
        # Accounting wants every field read, even one that says what another said.
        found = self._seen.get((kind, raw), _NEVER) if self.trace is None else _NEVER
        return (False, None) if found is _NEVER else (True, None if found is None else dict(found))

    def remember(self, kind: str, raw: str, reference: Resource | None) -> Resource | None:
        """Note what ``raw`` became, for the next time."""
        self._seen[kind, raw] = None if reference is None else dict(reference)
        return reference

    def derived(self, system: str, resource: Resource, *parts: str) -> tuple[Key, ...]:
        """Identities made of ``parts`` for something of the patient at hand, one for each of the patient's: whichever
        of these a message names, it is found. They are put among the identifiers of ``resource``."""
        patient = self.patient.keys if self.patient is not None else ()
        keys = tuple(Key(system, "|".join(part.strip() for part in (*each, *parts))) for each in patient)
        if keys:
            resource.setdefault("identifier", []).extend({"system": key.system, "value": key.value} for key in keys)
        return keys

    @property
    def subject(self) -> Resource:
        """A reference to the patient at hand."""
        assert self.patient is not None
        return self.patient.reference

    def done(self) -> Mapped:
        """All of it."""
        return Mapped(self.entries, self.merges, _once(self.unmapped), self.warnings)


_NEVER: Resource = {"resourceType": "never"}
_URL = "urn:uuid:00000000-0000-0000-0000-"


def _made(draft: Draft) -> int:
    evn = draft.message.first("EVN")
    return (millis(evn.text(2), draft) if evn is not None else None) or millis(draft.message.msh.text(7), draft) or 0


_CHUNK = 1 << 16


def content_hash(message: Message) -> str:
    """A hash of all but MSH, by which two messages of the same rank and time are ordered the same way everywhere.

    A message sent again under another control id has the same hash. Large fields are not copied.
    """
    digest = hashlib.blake2b(digest_size=10)
    small: list[str] = []
    for segment in message.segments[1:]:
        if sum(map(len, segment.raw)) <= _CHUNK:
            small.append("|".join(segment.raw))
            continue
        for text in segment.raw:
            for start in range(0, len(text), _CHUNK):
                digest.update(text[start : start + _CHUNK].encode("utf-8", "surrogatepass"))
            digest.update(b"|")
    digest.update("\r".join(small).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _once(unmapped: list[Any]) -> list[Any]:
    seen: dict[tuple[str, str, str], Any] = {}
    for each in unmapped:
        seen.setdefault((each.table, each.code, each.system), each)
    return list(seen.values())
