"""What a workload came to: one line of JSON for each run, read again for the table and the plots."""

import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from bench.published.load import Tally, Workload

FOLDER = Path(__file__).resolve().parents[2] / "var" / "bench-results"
HEAD = (
    f"{'':<28}{'requests':>9}{'per s':>9}{'':<10}{'server ms':>10}{'database ms':>12}"
    f"{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'errors':>7}"
)


class Result(msgspec.Struct, frozen=True):
    """``server`` and ``database`` are CPU milliseconds of their processes for each ``unit``; on SQLite there are no
    others, and ``database`` is None. ``p50`` to ``p99`` are milliseconds of a request, ``shapes`` p50 and p99 by shape.

    ``source`` says what the record was made from, ``machine`` is what a Flask hello costs in the same minutes,
    in microseconds of CPU.
    """

    workload: str
    title: str
    database_name: str
    size: int
    share: float
    connections: int
    requests: int
    seconds: float
    unit: str
    units: int
    server: float
    database: float | None
    p50: float
    p95: float
    p99: float
    shapes: dict[str, tuple[float, float]]
    errors: int
    faults: list[str]
    source: str
    machine: float
    measured: str
    revision: str

    @property
    def rate(self) -> float:
        return self.units / self.seconds

    def __str__(self) -> str:
        database = "" if self.database is None else f"{self.database:.2f}"
        return (
            f"{self.workload} {self.title:<25}{self.requests:>9}{self.rate:>9.1f} {self.unit:<9}{self.server:>10.2f}"
            f"{database:>12}{self.p50:>9.1f}{self.p95:>9.1f}{self.p99:>9.1f}{self.errors:>7}"
        )


class Spent(msgspec.Struct, frozen=True):
    """Seconds of the clock, and of CPU of the server and of the database's own processes (None when it has none)."""

    wall: float
    server: float
    database: float | None


class Run(msgspec.Struct, frozen=True):
    """Where a workload ran: ``share`` of its iterations at full size, on a record of ``size`` made from ``source``."""

    database: str
    size: int
    share: float
    source: str


def result(workload: Workload, run: Run, tally: Tally, spent: Spent, machine: float) -> Result:
    units, times = max(tally.units, 1), sorted(s for seconds in tally.seconds.values() for s in seconds)
    return Result(
        workload=workload.name,
        title=workload.title,
        database_name=run.database,
        size=run.size,
        share=run.share,
        connections=workload.connections,
        requests=len(times),
        seconds=spent.wall,
        unit=workload.unit,
        units=tally.units,
        server=spent.server * 1000 / units,
        database=None if spent.database is None else spent.database * 1000 / units,
        p50=part(times, 0.5),
        p95=part(times, 0.95),
        p99=part(times, 0.99),
        shapes={shape: (part(s, 0.5), part(s, 0.99)) for shape, s in sorted(tally.seconds.items())},
        errors=tally.errors,
        faults=tally.faults,
        source=run.source,
        machine=machine,
        measured=time.strftime("%Y-%m-%d"),
        revision=_revision(),
    )


def part(seconds: Sequence[float], share: float) -> float:
    """Milliseconds within which this share of the answers came."""
    ordered = sorted(seconds)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000 if ordered else 0.0


def _revision() -> str:
    command = ["git", "-C", str(FOLDER.parents[1]), "rev-parse", "--short", "HEAD"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    return told.stdout.strip()


# --- The folder of results


def keep(results: Iterable[Result], folder: Path = FOLDER) -> None:
    """Append to the lines of their database and size."""
    folder.mkdir(parents=True, exist_ok=True)
    for found in results:
        with (folder / f"{found.database_name}_{found.size}.jsonl").open("ab") as lines:
            lines.write(msgspec.json.encode(found) + b"\n")


def latest(folder: Path = FOLDER) -> list[Result]:
    """The last full run of each workload on each database and size, by workload, size and database."""
    found: dict[tuple[str, int, str], Result] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            result = msgspec.json.decode(line, type=Result)
            if result.share == 1 and not result.errors:
                found[result.workload, result.size, result.database_name] = result
    return [found[key] for key in sorted(found)]
