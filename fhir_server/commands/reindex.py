"""``hearth reindex``: the search index is compared with the documents and put right, while everything goes on serving.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html). Cut off, it goes on where it stopped when it is called again.
"""

import time
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fhir_server import wiring
from fhir_server.commands import CommandError
from fhir_server.memory import share_one_heap
from fhir_server.settings import Settings
from fhir_server.store import Store
from fhir_server.store.fill import begin, fill
from fhir_server.store.parameter_sql import REMOVED, WHOLE, State
from fhir_server.store.rebuild import BATCH, SLICE, Step, rebuild
from resources.definitions import RESOURCE_TYPES


def run(settings: Settings, type: str, *, anew: bool, size: int, quiet: bool) -> int:
    """Walk over all resources, or those of ``type``, ``size`` at a time (0: as usual); say what was found."""
    if type and type not in RESOURCE_TYPES:
        raise CommandError(f"{type} is no resource type of FHIR R4")
    share_one_heap()
    console = Console(stderr=True)
    started = time.monotonic()
    with wiring.Process(settings) as process:
        step = _walk(process.store, type, rebuild(process.store, type, anew=anew, size=size or SLICE), console, quiet)
    console.print(
        f"{step.examined} resources examined, {step.repaired} put right; {time.monotonic() - started:.1f} s",
        highlight=False,
    )
    return 0


def run_parameter(settings: Settings, url: str, *, anew: bool, size: int, quiet: bool) -> int:
    """Complete the index of the stored search parameter ``url``, from the start when ``anew``; say what was done."""
    share_one_heap()
    console = Console(stderr=True)
    with wiring.Process(settings) as process:
        state = _stored(process.store, url)
        if anew:
            begin(process.store, state.n)
        done, started = state.done, time.monotonic()
        with _bar(console, quiet) as bar:
            task = bar.add_task("reindexing", total=None)
            for step in fill(process.store, state.n, size or BATCH):
                done = step.done
                bar.update(task, completed=step.done, total=step.total)
    console.print(f"{done} resources are in the index; {time.monotonic() - started:.1f} s", highlight=False)
    return 0


def _stored(store: Store, url: str) -> State:
    known = [state for state in store.parameters.states() if state.n != WHOLE and state.status != REMOVED]
    for state in known:
        if state.custom.param.url == url:
            return state
    urls = ", ".join(state.custom.param.url for state in known) or "none"
    raise CommandError(f"{url} is no search parameter in force that is stored here; those are {urls}")


def _bar(console: Console, quiet: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=quiet, transient=True)


def _walk(store: Store, type: str, steps: Iterator[Step], console: Console, quiet: bool) -> Step:
    step = Step(0, 0, done=False)
    with _bar(console, quiet) as bar:
        task = bar.add_task("reindexing", total=_total(store, type))
        for step in steps:
            bar.update(task, completed=step.examined)
    return step


def _total(store: Store, type: str) -> int:
    where, params = ("WHERE type = $1", [type]) if type else ("", [])
    return int(store.session().query(f"SELECT count(*) FROM resource {where}", params)[0][0])
