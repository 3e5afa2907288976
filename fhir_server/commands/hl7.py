"""``hearth hl7 check|profile|send|tail|show|replay|diff|strangers|worklist|answer``: the bridge at the terminal.

HL7 v2.5.1 chapter 2. What shows or replays a message is noted in the audit trail as ``cli``.
"""

import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import unified_diff
from pathlib import Path
from time import sleep, time

import msgspec

from fhir_server import wiring
from fhir_server.audit.record import Interaction, event
from fhir_server.commands import CommandError
from fhir_server.commands.authority import table
from fhir_server.preparation import prepare
from fhir_server.settings import Settings
from fhir_server.whereabouts import recall
from hl7_bridge.er7 import Message, parse
from hl7_bridge.er7.batch import split
from hl7_bridge.errors import Hl7Error
from hl7_bridge.inspection import Inspection, inspect
from hl7_bridge.journal import SqlJournal
from hl7_bridge.journal.aside import Aside
from hl7_bridge.journal.reading import Entry, Query
from hl7_bridge.mapping.messages import map_message
from hl7_bridge.mapping.reading import named
from hl7_bridge.mllp.client import Unanswered
from hl7_bridge.outbound.delivery import ask_once
from hl7_bridge.reply import read_reply
from hl7_bridge.site.answers import Senders
from hl7_bridge.site.files import SiteError, read_site
from hl7_bridge.site.model import DEFAULT, Coding, Receiver, Sender, Site
from hl7_bridge.site.profile import Profile, drift, profile
from hl7_bridge.site.starting_file import sender_file
from hl7_bridge.worklist import AT_ONCE, Worklist
from resources.errors import FhirError
from resources.repository import WHOLE_RECORD, Caller, Repository

CLI = Caller("cli", client="cli", grants=WHOLE_RECORD)
_FOLLOW_SECONDS = 0.5
_FOLDERS = ("*.hl7", "*.txt", "*.er7")


def run(settings: Settings, action: str, asked: Namespace) -> int:
    """Do one of ACTIONS; 0 well, 1 not. Raises CommandError with what is wrong."""
    try:
        return ACTIONS[action](settings, asked)
    except (SiteError, Hl7Error, FhirError) as error:
        raise CommandError(str(error)) from None


@dataclass(frozen=True, slots=True)
class Bridge:
    """What the commands work on."""

    process: wiring.Process
    journal: SqlJournal
    site: Site
    senders: Senders

    @property
    def repository(self) -> Repository:
        return self.process.repository(CLI)

    def sender(self, name: str) -> Sender:
        return self.senders(name) or DEFAULT

    def note(self, entry: Entry, detail: str) -> None:
        """A person looked at or replayed a message."""
        self.note_id(entry.id, detail)

    def note_id(self, id: int | str, detail: str) -> None:
        told = event(CLI, Interaction.HL7_MESSAGE, entity=f"hl7/{id}", detail=detail)
        self.process.spool.append([told])


@contextmanager
def _bridge(settings: Settings) -> Iterator[Bridge]:
    """The bridge's journal and site of the server that ``settings`` name, or that last served their folder."""
    told = recall(settings)
    prepare(told)
    with wiring.Process(told) as process:
        journal = process.journal
        site = read_site(told.hl7_site)
        senders = Senders(site, lambda: journal.worklist(answered=True))
        senders.refresh()
        yield Bridge(process, journal, site, senders)


# --- the site kit


def _check(settings: Settings, asked: Namespace) -> int:
    folder = Path(recall(settings).hl7_site)
    if not folder.is_dir():
        raise CommandError(f"{folder}: there is no such folder; expected that of the site kit (HL7_SITE)")
    site = read_site(folder)
    print(f"{len(site.senders)} senders, {len(site.receivers)} receivers in {folder}: no fault found.")
    return 0


def _profile(settings: Settings, asked: Namespace) -> int:
    """Learn from samples; write the sender's file when there is none, tell drift when there is a profile."""
    learned = profile(_parsed(asked.samples))
    if not learned.messages:
        raise CommandError("there is no message in these files")
    folder = recall(settings).hl7_site
    kept = folder / "profiles" / f"{asked.name}.json"
    news = drift(msgspec.json.decode(kept.read_bytes(), type=Profile), learned) if kept.is_file() else []
    _write(kept, msgspec.json.format(msgspec.json.encode(learned), indent=1).decode())
    file = folder / "senders" / f"{asked.name}.toml"
    if not file.exists():
        _write(file, sender_file(learned, named))
        print(f"{file}: written, complete it")
    print(f"{kept}: {learned.messages} messages, {len(learned.fields)} fields, {_codes(learned)} codes")
    for line in news:
        print(f"drift: {line}")
    return 0


def _codes(learned: Profile) -> int:
    return sum(map(len, learned.codes.values()))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _parsed(paths: Iterable[str]) -> Iterator[Message]:
    for path, raw in _messages(paths):
        try:
            yield parse(raw, "latin-1")
        except Hl7Error as error:
            print(f"{path}: {error}", file=sys.stderr)


def _messages(paths: Iterable[str]) -> Iterator[tuple[Path, bytes]]:
    """Every message of files and folders, batches cut."""
    for path in _files(paths):
        try:
            yield from ((path, raw) for raw in split(path.read_bytes()).messages)
        except Hl7Error as error:
            print(f"{path}: {error}", file=sys.stderr)


def _files(paths: Iterable[str]) -> Iterator[Path]:
    for path in map(Path, paths):
        if path.is_dir():
            yield from sorted({file for pattern in _FOLDERS for file in path.rglob(pattern)})
        elif path.is_file():
            yield path
        else:
            raise CommandError(f"{path}: there is no such file")


# --- messages


def _send(settings: Settings, asked: Namespace) -> int:
    """Send files to HOST:PORT, or to a receiver of the site kit; 1 when one was not accepted."""
    receiver = _receiver(settings, asked.to)
    well = True
    for path, raw in _messages(asked.files):
        well = _sent(receiver, path, raw) and well
    return 0 if well else 1


def _sent(receiver: Receiver, path: Path, raw: bytes) -> bool:
    try:
        reply = read_reply(parse(ask_once(receiver, raw, parse(raw, "latin-1").control_id), "latin-1"))
    except Unanswered as error:
        print(f"{path}: {error}")
        return False
    problems = "; ".join(f"{each.place or ''} {each.code} {each.text}".strip() for each in reply.errors)
    print(f"{path}: {reply.code} {reply.text} {problems}".rstrip())
    return reply.code in ("AA", "CA")


def _receiver(settings: Settings, to: str) -> Receiver:
    host, _, port = to.rpartition(":")
    if host and port.isascii() and port.isdigit() and 0 < int(port) < 65536:
        return Receiver(host.strip("[]"), int(port), name=to)
    site = read_site(recall(settings).hl7_site)
    found = next((receiver for receiver in site.receivers if receiver.name == to), None)
    if found is None:
        raise CommandError(f"{to!r} is neither HOST:PORT nor a receiver of the site kit")
    return found


def _query(asked: Namespace) -> Query:
    given = {name: getattr(asked, name) for name in ("direction", "sender", "type", "event", "state", "order")}
    return Query(**given, patient=asked.patient, control_id=asked.control_id)


_CONTROLS = dict.fromkeys((*range(10), *range(11, 32), *range(127, 160)), "�")
_COLUMNS = ("ID", "RECEIVED", "DIRECTION", "PEER", "TYPE", "CONTROL ID", "STATE", "REASON")


def _row(entry: Entry) -> tuple[str, ...]:
    at = _moment(entry.received)
    kind = "^".join(filter(None, (entry.type, entry.event)))
    reason = "; ".join(filter(None, (*_flags(entry), entry.reason)))
    shown = at, entry.direction, entry.sender, kind, entry.control_id, entry.state.value, reason
    return str(entry.id), *map(_plain, shown)


def _plain(text: str) -> str:
    """``text`` with nothing in it that a terminal obeys: messages are written by others."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _flags(entry: Entry) -> list[str]:
    flags = ((entry.changed, "control id reused"), (entry.late, "answered when stored"), (entry.edited, "edited"))
    return [words for flag, words in flags if flag]


def _tail(settings: Settings, asked: Namespace) -> int:
    """The newest messages, and with --follow those that come."""
    with _bridge(settings) as bridge:
        found = bridge.journal.search(_query(asked), asked.count)[::-1]
        print(table([_COLUMNS, *map(_row, found), *map(_aside_row, _asides(bridge, asked))]))
        last = found[-1].id if found else 0
        while asked.follow:
            sleep(_FOLLOW_SECONDS)
            for entry in bridge.journal.search(_query(asked), after=last):
                print("  ".join(_row(entry)), flush=True)
                last = entry.id
    return 0


def _asides(bridge: Bridge, asked: Namespace) -> list[Aside]:
    """What is set aside stands below the newest, unless something else is looked for: nothing more is known of it."""
    is_any = _query(asked) == Query() or (asked.state == "received" and _query(asked) == Query(state=asked.state))
    return bridge.journal.aside() if is_any else []


def _aside_row(each: Aside) -> tuple[str, ...]:
    known = each.incoming
    if known is None:
        return each.name, "", "in", "", "", "", "set aside", each.reason
    kind = "^".join(filter(None, (known.type, known.event)))
    shown = _moment(known.received), known.direction, known.sender, kind, known.control_id, "set aside", each.reason
    return each.name, *map(_plain, shown)


def _show(settings: Settings, asked: Namespace) -> int:
    with _bridge(settings) as bridge:
        if asked.id.startswith("aside-"):
            return _show_aside(bridge, asked.id)
        entry = _entry(bridge, int(asked.id) if asked.id.isdecimal() else 0)
        bridge.note(entry, "show")
        seen = inspect(bridge.journal, bridge.repository, bridge.senders(entry.sender), entry.id)
        assert seen is not None
        print("\n".join(_shown(seen)))
    return 0


def _show_aside(bridge: Bridge, name: str) -> int:
    each = next((each for each in bridge.journal.aside() if each.name == name), None)
    if each is None:
        raise CommandError(f"nothing is set aside as {name}")
    print(table([_COLUMNS, _aside_row(each)]))
    print(f"{each.size} bytes as they are stored")
    if each.incoming is not None:
        bridge.note_id(name, "show")
        print("", *map(_plain, each.incoming.raw.decode("utf-8", "replace").split("\r")), sep="\n")
    return 0


def _entry(bridge: Bridge, id: int) -> Entry:
    entry = bridge.journal.read(id)
    if entry is None:
        raise CommandError(f"there is no message {id}")
    return entry


def _shown(seen: Inspection) -> Iterator[str]:
    yield table([_COLUMNS, _row(seen.entry)])
    if seen.fault:
        yield seen.fault
    for line in seen.lines:
        yield ""
        yield _plain(line.text)
        yield from (f"    {each.place}  {each.fate.value}  {each.target or each.reason}" for each in line.fates)
    if seen.made:
        yield "\nmade " + ", ".join(seen.made)
    if seen.entry.ack:
        yield "\nanswered\n" + seen.entry.ack.decode("utf-8", "replace").replace("\r", "\n").translate(_CONTROLS)


def _replay(settings: Settings, asked: Namespace) -> int:
    """Read messages again: by id (edited with --with), or all that the filters find."""
    with _bridge(settings) as bridge:
        work = Worklist(bridge.journal, bridge.repository, bridge.senders, _now)
        ids = asked.ids or [entry.id for entry in bridge.journal.search(_query(asked), asked.count)]
        if asked.with_file and len(ids) != 1:
            raise CommandError("--with replaces the text of one message; name its id alone")
        edited = Path(asked.with_file).read_bytes() if asked.with_file else None
        done = sum(_replayed(bridge, work, id, edited) for id in ids)
    print(f"{done} of {len(ids)} messages are read again")
    return 0 if done == len(ids) else 1


def _replayed(bridge: Bridge, work: Worklist, id: int, edited: bytes | None) -> bool:
    bridge.note(_entry(bridge, id), "edit-and-replay" if edited else "replay")
    return work.replay(id, edited)


def _diff(settings: Settings, asked: Namespace) -> int:
    """What another site kit would make of stored messages, beside what this one makes; nothing is changed."""
    with _bridge(settings) as bridge:
        other = {sender.name: sender for sender in read_site(Path(asked.site)).senders}
        ids = asked.ids or [entry.id for entry in bridge.journal.search(_query(asked), asked.count)]
        changed = 0
        for id in ids:
            entry = _entry(bridge, id)
            bridge.note(entry, "diff")
            raw = bridge.journal.raw(id)
            now, then = _made(raw, bridge.sender(entry.sender)), _made(raw, other.get(entry.sender, DEFAULT))
            lines = list(unified_diff(now, then, f"{id} now", f"{id} then", lineterm=""))
            changed += bool(lines)
            print("\n".join(lines), end="\n" if lines else "")
    print(f"{changed} of {len(ids)} messages would come to something else")
    return 0


def _made(raw: bytes, sender: Sender) -> list[str]:
    """The mapped resources as lines of JSON, or why there are none."""
    try:
        mapped = map_message(parse(raw, sender.charset), sender)
    except Hl7Error as error:
        return [f"{error.code.number} {error}"]
    texts = [msgspec.json.format(msgspec.json.encode(entry.resource), indent=1).decode() for entry in mapped.entries]
    return [line for text in texts for line in text.splitlines()]


def _strangers(settings: Settings, asked: Namespace) -> int:
    """Who was turned away at the door, the newest first."""
    with _bridge(settings) as bridge:
        rows = [(_moment(s.last), s.address, str(s.times), s.reason) for s in bridge.journal.strangers()]
        print(table([("LAST", "ADDRESS", "TIMES", "REASON"), *rows]))
    return 0


# --- the worklist


def _worklist(settings: Settings, asked: Namespace) -> int:
    with _bridge(settings) as bridge:
        items = bridge.journal.worklist(asked.sender, answered=asked.answered)
        head = ("SENDER", "TABLE", "CODE", "TEXT", "FIELD", "COUNT", "MESSAGE", "ANSWER")
        rows = [
            (*map(_plain, (i.sender, i.source, i.code, i.text, i.place)), str(i.count), str(i.message), i.answer or "-")
            for i in items
        ]
        print(table([head, *rows]))
    return 0


def _answer(settings: Settings, asked: Namespace) -> int:
    with _bridge(settings) as bridge:
        for id in bridge.journal.holding(asked.sender, asked.table, asked.code, AT_ONCE):
            bridge.note_id(id, "replay")
        work = Worklist(bridge.journal, bridge.repository, bridge.senders, _now, CLI.who)
        again = work.answer(asked.sender, asked.table, asked.code, Coding(asked.system, asked.target, asked.display))
    more = f", {again.later} more follow while a bridge runs" if again.later else ""
    print(f"{again.now} messages are read again{more}")
    return 0


def _now() -> int:
    return int(time() * 1000)


ACTIONS: dict[str, Callable[[Settings, Namespace], int]] = {
    "check": _check,
    "profile": _profile,
    "send": _send,
    "tail": _tail,
    "show": _show,
    "replay": _replay,
    "diff": _diff,
    "strangers": _strangers,
    "worklist": _worklist,
    "answer": _answer,
}
