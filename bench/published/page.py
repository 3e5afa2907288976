"""Writes the section of the workloads in docs/benchmarks.md, and its plots, from the results of ``make bench``.

``make bench-docs``.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.machine import GOALS_SET_AT
from bench.published.plots import number, size_name, write
from bench.published.results import FOLDER, Result, latest

DOCS = Path(__file__).resolve().parents[2] / "docs"
BEGIN, END = "<!-- workloads: written by make bench-docs -->", "<!-- end of workloads -->"
_HEAD = (
    "| workload | resources | PostgreSQL: rate | server + database CPU, ms | p50 / p95 / p99, ms "
    "| SQLite: rate | CPU, ms | p50 / p95 / p99, ms |",
    "|---|---|---|---|---|---|---|---|",
)


def section(results: Sequence[Result]) -> str:
    """The table and what it needs to be understood."""
    return "\n".join((*_about(results), "", *_HEAD, *_rows(results), "", *_pictures(), ""))


def _about(results: Sequence[Result]) -> Iterator[str]:
    machine = [result.machine for result in results]
    days, revisions, sources = (
        ", ".join(sorted({getattr(result, name) for result in results})) for name in ("measured", "revision", "source")
    )
    connections = ", ".join(
        f"{name} {count}" for name, count in sorted({r.workload: r.connections for r in results}.items())
    )
    yield (
        f"Measured {days} at {revisions} on {sources}; a Flask hello took {min(machine):.0f} to {max(machine):.0f} µs "
        f"of CPU ({GOALS_SET_AT:.0f} when the goals were set). Errors: {sum(result.errors for result in results)}."
    )
    yield f"Connections: {connections}. CPU is for each request, in W2 for each resource, in W6 for each bundle."


def _rows(results: Sequence[Result]) -> Iterator[str]:
    found = {(r.workload, r.size, r.database_name): r for r in results}
    for name, size in sorted({(r.workload, r.size) for r in results}):
        both = [found.get((name, size, database)) for database in ("postgresql", "sqlite")]
        title = next(r.title for r in both if r)
        cells = [cell for result in both for cell in (_cells(result) if result else ("", "", ""))]
        yield f"| {name} {title} | {size_name(size)} | {' | '.join(cells)} |"


def _cells(of: Result) -> tuple[str, str, str]:
    cpu = number(of.server) if of.database is None else f"{number(of.server)} + {number(of.database)}"
    latency = " / ".join(number(value) for value in (of.p50, of.p95, of.p99))
    return f"{number(of.rate)} {of.unit}/s", cpu, latency


def _pictures() -> Iterator[str]:
    for name, words in (
        ("throughput", "Throughput of each workload by size of the record on PostgreSQL and SQLite"),
        ("latency", "Latency of each workload by size: p50, p95 and p99 on PostgreSQL and SQLite"),
        ("cpu", "CPU time of each workload by size, of Hearth and of the database"),
    ):
        yield f"![{words}](plots/{name}.svg)\n"


def replaced(page: str, text: str) -> str:
    """``page`` with ``text`` between the marks. Raises ValueError without them."""
    head, rest = page.split(BEGIN)
    _, tail = rest.split(END)
    return f"{head}{BEGIN}\n{text}{END}{tail}"


def main() -> int:
    results = latest()
    if not results:
        print(f"no full run in {FOLDER}: make bench SIZE=10k,100k,1m makes them", file=sys.stderr)
        return 1
    page = DOCS / "benchmarks.md"
    page.write_text(replaced(page.read_text("utf-8"), section(results)), "utf-8")
    for path in (page, *write(results, DOCS / "plots")):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
