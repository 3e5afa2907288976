"""Runs workloads on a server: ``python -m bench.published.run --size 100k --database postgresql``, or ``make bench``.

The API has a core of its own; the database and the clients share the other. So rates depend on the clients too: the
columns of CPU do not.
"""

import argparse
import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import machine
from bench.api_client import Api
from bench.clinical import MAKERS
from bench.published import bundle_import, crud_loop, ingest, mixed_crud, parameters, queries
from bench.published.load import Running, Workload
from bench.published.record import DATABASES, KEPT, Sample, fresh_copy, sample
from bench.published.results import HEAD, Result, Run, Spent, keep, result
from bench.scaled import Record
from bench.server import REST_CORE, Server, running
from deploy.postgres_cluster import NoPostgres

SIZES = {"10k": 10_000, "100k": 100_000, "1m": 1_000_000}
SHARES = {"ci": 0.05, "full": 1.0}
# What only reads comes first, so that it finds the record as it was loaded.
WORKLOADS = tuple(module.WORKLOAD for module in (parameters, queries, mixed_crud, crud_loop, bundle_import, ingest))


def measured(of: Record, database: str, share: float, chosen: Sequence[Workload] = WORKLOADS) -> Iterator[Result]:
    """Each workload's result, one after the other on one server."""
    drawn = sample(of)
    with _on_core(REST_CORE), running(of.folder, of.url, "--log-level", "warning") as server:
        for workload in chosen:
            yield _measured(workload, server, drawn, Run(database, of.size, share, drawn.source))


def _measured(workload: Workload, server: Server, drawn: Sample, run: Run) -> Result:
    there = _counts(server, drawn)
    load = Running(workload, drawn, server.port, run.share)
    with asyncio.Runner() as runner:
        warm = runner.run(load.warm_up())
        before, started = _cpu(server), time.perf_counter()
        tally = runner.run(load.measure())
        wall, after = time.perf_counter() - started, _cpu(server)
        load.close()
    tally.add_faults(warm)
    for fault in _differences(there + warm.stored + tally.stored, _counts(server, drawn)):
        tally.fault(fault)
    spent = Spent(wall, after[0] - before[0], after[1] - before[1] if server.database_pids else None)
    return result(workload, run, tally, spent, machine.flask_hello(500))


def _counts(server: Server, drawn: Sample) -> Counter[str]:
    """How many resources there are of each type that any workload stores."""
    api = Api(server.port)
    types = {template.type for bundle in drawn.templates for template in bundle} | set(MAKERS)
    return Counter({type: api.count(type) for type in sorted(types)})


def _differences(told: Counter[str], there: Counter[str]) -> list[str]:
    """Where what the answers told is not what is there."""
    return [f"{told[type]} of {type} by the answers, but {there[type]}" for type in there if told[type] != there[type]]


def _cpu(server: Server) -> tuple[float, float]:
    return server.cost().cpu, server.database_cost().cpu


@contextmanager
def _on_core(core: str) -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {int(core)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="10k", help=f"one or more of {', '.join(SIZES)}, with commas")
    parser.add_argument("--database", default="", help=f"{' or '.join(DATABASES)}; both when none is named")
    parser.add_argument("--only", default="", help="W1 to W6, with commas")
    parser.add_argument("--profile", choices=SHARES, default="full", help="ci: a twentieth of the requests")
    parser.add_argument("--keep", type=Path, help=f"folder of the records, else {KEPT}")
    arguments = parser.parse_args()
    databases = _named(parser, "--database", arguments.database, DATABASES)
    sizes = [SIZES[name] for name in _named(parser, "--size", arguments.size.lower(), tuple(SIZES))]
    names = _named(parser, "--only", arguments.only.upper(), tuple(sorted(w.name for w in WORKLOADS)))
    chosen = [workload for workload in WORKLOADS if workload.name in names]
    share, folder = SHARES[arguments.profile], arguments.keep or KEPT
    try:
        return max(_run(name, size, folder, share, chosen) for size in sizes for name in databases)
    except NoPostgres as reason:
        print(f"no PostgreSQL: {reason}; DB=sqlite measures without", file=sys.stderr)
        return 1


def _named(parser: argparse.ArgumentParser, option: str, text: str, known: Sequence[str]) -> list[str]:
    """The names that a list with commas holds, all when it is empty."""
    names = text.replace(",", " ").split()
    if unknown := [name for name in names if name not in known]:
        parser.error(f"{option}: {', '.join(unknown)} is none of {', '.join(known)}")
    return names or list(known)


def _run(database: str, size: int, folder: Path, share: float, chosen: Sequence[Workload]) -> int:
    """Exit status: 1 when an answer was wrong."""
    status = 0
    print(f"\n{database}, {size} resources\n{HEAD}", flush=True)
    with fresh_copy(database, size, folder, _progress()) as of:
        for found in measured(of, database, share, chosen):
            print("\n    ".join((str(found), *found.faults)), flush=True)
            keep([found])
            status |= bool(found.errors)
    print(machine.line())
    return status


def _progress() -> Callable[[str], None]:
    """Tells every half minute how far loading is."""
    last = time.monotonic()

    def say(text: str) -> None:
        nonlocal last
        if time.monotonic() - last >= 30:
            last = time.monotonic()
            print(f"    {time.strftime('%H:%M:%S')} {text} are loaded", flush=True)

    return say


if __name__ == "__main__":
    sys.exit(main())
