"""``hearth load``: Bundles and NDJSON into the record, through the repository like everybody else.

A transaction Bundle is one commit; a batch or a collection is one commit for each resource. NDJSON keeps its ids (PUT),
and its references are checked once at the end, because bulk files point forwards.
"""

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fhir_server import wiring
from fhir_server.commands.sources import Source, lines, resource, sources
from fhir_server.interactions.bundle_commands import command_of
from fhir_server.interactions.bundle_entries import parse_entry, raw_entries, refuse_duplicates
from fhir_server.memory import share_one_heap
from fhir_server.preparation import prepare
from fhir_server.settings import Settings
from fhir_server.store import Integrity
from resources import json_codec
from resources.errors import BusinessRule, FhirError, Invalid
from resources.literal_reference import local
from resources.repository import WHOLE_RECORD, Caller, Command, Put, Repository
from resources.search_param import references

_CALLER = Caller("cli", client="hearth load", grants=WHOLE_RECORD)
_CHUNK = 500
_SHOWN = 10
_QUOTED = re.compile(r"'([^']*)'")


@dataclass
class Tally:
    """What came of a load: resources by type, what failed and where, how many stand without their targets."""

    stored: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    dangling: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        return 1 if self.failed or self.dangling else 0


def run(settings: Settings, paths: Sequence[str], *, quiet: bool) -> int:
    """Load ``paths`` and print a summary; 0 when everything was stored and every reference has its target."""
    share_one_heap()
    console = Console(stderr=True)
    files = sources(paths)
    prepare(settings)
    started = time.monotonic()
    with wiring.Process(settings) as process, _bar(console, quiet) as bar:
        loader = Loader(process, settings.base_url)
        task = bar.add_task("loading", total=len(files))
        for source in files:
            loader.load(source)
            bar.update(task, advance=1, description=source.path.name[:40])
        loader.check_references()
    _summary(console, loader.tally, time.monotonic() - started)
    return loader.tally.status


class Loader:
    """Loads sources one after the other; ``tally`` grows as it goes."""

    def __init__(self, process: "wiring.Process", base: str) -> None:
        self.tally = Tally()
        self._base = base
        self._process = process
        self._strict: Repository = process.repository(_CALLER)
        self._free: Repository = process.repository(_CALLER, Integrity(False, False))
        self._pointed: dict[tuple[str, str], str] = {}

    def load(self, source: Source) -> None:
        """Load one file; what fails is told in ``tally.failed`` and the rest goes on."""
        try:
            if source.format == "ndjson":
                self._load_lines(source)
            else:
                self._load_resource(source, resource(source))
        except (FhirError, OSError, EOFError) as error:
            self._fail(source, error)

    def check_references(self) -> None:
        """Whether what NDJSON resources refer to exists, now that all is loaded."""
        wanted = list(self._pointed)
        session = self._process.store.session()
        for start in range(0, len(wanted), 10_000):
            part = wanted[start : start + 10_000]
            absent = set(part) - session.exists_many(part)
            self.tally.dangling += [
                f"{self._pointed[key]} refers to {key[0]}/{key[1]}, which does not exist" for key in sorted(absent)
            ]

    def _load_resource(self, source: Source, found: dict[str, Any]) -> None:
        if found.get("resourceType") != "Bundle":
            self._commit(self._strict, [_kept(found)])
        elif found.get("type") == "transaction":
            self._commit(self._strict, self._commands(found), bundled=True)
        else:
            self._load_each(source, found)

    def _commands(self, bundle: dict[str, Any]) -> list[Command]:
        entries = [parse_entry(n, raw, self._base) for n, raw in enumerate(raw_entries(bundle))]
        refuse_duplicates(entries)
        commands = [command_of(entry) for entry in entries]
        if None in commands:
            raise Invalid("entry holds an operation or a history, which a transaction cannot hold.").within(
                entries[commands.index(None)].place
            )
        return [command for command in commands if command]

    def _load_each(self, source: Source, bundle: dict[str, Any]) -> None:
        for number, raw in enumerate(raw_entries(bundle)):
            try:
                command = (
                    command_of(parse_entry(number, raw, self._base))
                    if bundle.get("type") == "batch"
                    else _kept(raw["resource"])
                )
                if command:
                    self._commit(self._strict, [command])
            except FhirError as error:
                self._fail(source, error, f"Bundle.entry[{number}]")

    def _load_lines(self, source: Source) -> None:
        numbered = lines(source)
        while chunk := list(islice(numbered, _CHUNK)):
            good = [(number, found) for number, found in chunk if not isinstance(found, FhirError)]
            for number, error in chunk:
                if isinstance(error, FhirError):
                    self._fail(source, error, f"line {number}")
            self._load_chunk(source, good)

    def _load_chunk(self, source: Source, chunk: list[tuple[int, dict[str, Any]]]) -> None:
        """A chunk in one commit; when one of its lines is refused, line by line, so that only that one is missing."""
        try:
            self._put(chunk)
        except FhirError:
            for line in chunk:
                try:
                    self._put([line])
                except FhirError as error:
                    self._fail(source, error, f"line {line[0]}")

    def _put(self, chunk: list[tuple[int, dict[str, Any]]]) -> None:
        # The same id twice in a file means that the later line wins, as PUT after PUT would.
        latest = {(found.get("resourceType"), found.get("id")): found for _, found in chunk}
        self._commit(self._free, [_kept(found) for found in latest.values()])
        for found in latest.values():
            self._remember(found)

    def _remember(self, found: dict[str, Any]) -> None:
        for text in references(found["resourceType"], json_codec.encode(found)):
            target = local(text)
            if target is not None:
                self._pointed.setdefault(target, f"{found['resourceType']}/{found['id']}")

    def _commit(self, repository: Repository, commands: Sequence[Command], bundled: bool = False) -> None:
        for outcome in repository.commit(commands, bundled=bundled) if commands else ():
            if outcome.version is not None and outcome.changed:
                self.tally.stored[outcome.version.type] += 1

    def _fail(self, source: Source, error: Exception, place: str = "") -> None:
        issues = varied([issue.text for issue in error.issues]) if isinstance(error, FhirError) else [str(error)]
        shown = "\n    ".join(issues[:_SHOWN]) + (
            f"\n    and {len(issues) - _SHOWN} more" if len(issues) > _SHOWN else ""
        )
        self.tally.failed.append(f"{source.path.name}{f' {place}' if place else ''}: {shown}")


def varied(issues: list[str]) -> list[str]:
    """``issues`` with those that name something new first: a hundred resources may miss the same Practitioner."""
    named: set[tuple[str, ...]] = set()
    new: list[str] = []
    again: list[str] = []
    for text in issues:
        names = tuple(_QUOTED.findall(text)) or (text,)
        (again if names in named else new).append(text)
        named.add(names)
    return new + again


def _kept(found: dict[str, Any]) -> Put:
    """A PUT that keeps the resource's id."""
    if not found.get("id") or not found.get("resourceType"):
        raise BusinessRule("The resource has no id (or no resourceType); outside a transaction Bundle each needs both.")
    return Put(found, found["resourceType"], found["id"])


def _bar(console: Console, quiet: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=quiet, transient=True)


def _summary(console: Console, tally: Tally, seconds: float) -> None:
    total = sum(tally.stored.values())
    kinds = ", ".join(f"{type} {count}" for type, count in tally.stored.most_common())
    console.print(
        f"{total} resources stored in {seconds:.1f} s ({total / max(seconds, 1e-9):.0f}/s): {kinds or 'none'}",
        highlight=False,
    )
    for title, problems in (("not loaded", tally.failed), ("without target", tally.dangling)):
        console.print(f"{len(problems)} {title}" + (":" if problems else ""), highlight=False)
        for line in _first(problems):
            # Identifiers are copied from here: no line is broken inside one.
            console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)


def _first(problems: list[str]) -> Iterator[str]:
    yield from problems[:50]
    if len(problems) > 50:
        yield f"and {len(problems) - 50} more"
