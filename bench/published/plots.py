"""Plots of the results as SVG: throughput, latency and CPU by the size of the record, a field for each workload.

Drawn from the same figures they are the same bytes, so that a change in them is a change of figures.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from bench.published.results import Result

# Told apart by those who see no red or green, too; the lighter one is the database's part of PostgreSQL's bars.
COLOURS = {"postgresql": "#0072B2", "sqlite": "#D55E00"}
LIGHT = "#8CC5E3"
LABELS = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}
INK, FAINT = "#24292f", "#d0d7de"
COLUMNS = 3
BAR = 0.36
"""Width of a bar; sizes are 1 apart."""

matplotlib.rcParams.update(
    {
        "svg.hashsalt": "hearth",
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
        "font.size": 9,
        "text.color": INK,
        "axes.edgecolor": FAINT,
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "grid.color": "#eaeef2",
        "xtick.color": INK,
        "ytick.color": INK,
    }
)

Series = dict[str, list[Result]]
"""The results of a workload by database, in the order of their sizes."""


def write(results: Sequence[Result], folder: Path) -> list[Path]:
    """Every plot of ``results``; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    sizes = sorted({result.size for result in results})
    return [_plot(results, sizes, folder / f"{name}.svg", *row) for name, row in PLOTS.items()]


def size_name(size: int) -> str:
    """10 k, 1 M."""
    return f"{size // 1_000_000} M" if size >= 1_000_000 else f"{size // 1_000} k"


def number(value: float) -> str:
    """Three figures at most, as people write them."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}".removesuffix(".0") if value >= 10 else f"{value:.2g}"


def _plot(
    results: Sequence[Result],
    sizes: Sequence[int],
    path: Path,
    title: str,
    field: Callable[[Axes, Series, Sequence[int]], None],
    legend: Callable[[], list[Line2D | Patch]],
) -> Path:
    names = sorted({result.workload for result in results})
    rows = -(-len(names) // COLUMNS)
    figure = Figure(figsize=(10, 0.9 + 2.7 * rows), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1))
    figure.suptitle(title, x=0.012, ha="left", fontsize=12, fontweight="bold")
    for axes, name in zip(figure.subplots(rows, COLUMNS, squeeze=False).flat, names, strict=False):
        of = [result for result in results if result.workload == name]
        field(axes, {db: [r for r in of if r.database_name == db] for db in COLOURS}, sizes)
        _dress(axes, of[0], sizes)
    for axes in figure.axes[len(names) :]:
        axes.set_axis_off()
    handles = legend()
    figure.legend(handles=handles, loc="outside lower left", ncols=len(handles), frameon=False)
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    return path


def _dress(axes: Axes, of: Result, sizes: Sequence[int]) -> None:
    axes.set_title(f"{of.workload} {of.title}", loc="left", fontsize=10)
    axes.set_xticks(range(len(sizes)), [size_name(size) for size in sizes])
    axes.set_xlim(-0.6, len(sizes) - 0.4)
    axes.tick_params(length=0)


def _places(series: Sequence[Result], sizes: Sequence[int]) -> list[int]:
    return [sizes.index(result.size) for result in series]


# --- Fields


def _throughput(axes: Axes, series: Series, sizes: Sequence[int]) -> None:
    for shift, (database, results) in zip((-BAR / 2, BAR / 2), series.items(), strict=True):
        places = [place + shift for place in _places(results, sizes)]
        bars = axes.bar(places, [r.rate for r in results], BAR * 0.94, color=COLOURS[database])
        axes.bar_label(bars, [number(r.rate) for r in results], fontsize=7.5, padding=2)
    _from_zero(axes, next(r.unit for results in series.values() for r in results) + " per second")


def _cpu(axes: Axes, series: Series, sizes: Sequence[int]) -> None:
    for shift, (database, results) in zip((-BAR / 2, BAR / 2), series.items(), strict=True):
        places = [place + shift for place in _places(results, sizes)]
        server, rest = [r.server for r in results], [r.database or 0.0 for r in results]
        axes.bar(places, server, BAR * 0.94, color=COLOURS[database])
        top = axes.bar(places, rest, BAR * 0.94, bottom=server, color=LIGHT)
        whole = [number(a + b) for a, b in zip(server, rest, strict=True)]
        axes.bar_label(top, whole, fontsize=7.5, padding=2)
    unit = next(r.unit for results in series.values() for r in results)
    _from_zero(axes, f"ms for each {unit.removesuffix('s')}")


def _from_zero(axes: Axes, label: str) -> None:
    axes.set_ylim(0, axes.dataLim.y1 * 1.14)  # room for the figures above the bars
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.set_ylabel(label, fontsize=8)


def _latency(axes: Axes, series: Series, sizes: Sequence[int]) -> None:
    for shift, (database, results) in zip((-BAR / 2, BAR / 2), series.items(), strict=True):
        colour = COLOURS[database]
        places = [place + shift for place in _places(results, sizes)]
        axes.vlines(places, [r.p50 for r in results], [r.p99 for r in results], color=colour, linewidth=2.5, alpha=0.45)
        for share, marker in _MARKERS.items():
            axes.plot(places, [getattr(r, share) for r in results], marker, color=colour, markersize=5.5)
        for place, found in zip(places, results, strict=True):
            _tell(axes, place, found.p50, -4, "top")
            _tell(axes, place, found.p99, 4, "bottom")
    _logarithmic(axes)


_MARKERS = {"p50": "o", "p95": "_", "p99": "^"}


def _tell(axes: Axes, x: float, y: float, offset: int, side: str) -> None:
    axes.annotate(_time(y), (x, y), (0, offset), textcoords="offset points", ha="center", va=side, fontsize=7.5)


def _logarithmic(axes: Axes) -> None:
    axes.set_yscale("log")
    low, high = axes.dataLim.intervaly
    axes.set_ylim(low / 1.6, high * 1.6)  # room for the figures beside the marks
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _time(value)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(which="minor", length=0)
    axes.set_ylabel("milliseconds, logarithmic", fontsize=8)


def _time(milliseconds: float) -> str:
    return number(milliseconds) if milliseconds < 1000 else f"{milliseconds / 1000:.2g} s"


# --- Legends


def _patches() -> list[Line2D | Patch]:
    return [Patch(color=colour, label=LABELS[database]) for database, colour in COLOURS.items()]


def _parts() -> list[Line2D | Patch]:
    words = {
        COLOURS["postgresql"]: "Hearth on PostgreSQL",
        LIGHT: "PostgreSQL itself",
        COLOURS["sqlite"]: "Hearth on SQLite",
    }
    return [Patch(color=colour, label=label) for colour, label in words.items()]


def _points() -> list[Line2D | Patch]:
    shares = [Line2D([], [], color=INK, marker=m, linestyle="", label=share) for share, m in _MARKERS.items()]
    return [*_patches(), *shares]


PLOTS = {
    "throughput": ("Throughput by resources in the record: more is better", _throughput, _patches),
    "latency": ("Latency of a request by resources in the record: less is better", _latency, _points),
    "cpu": ("CPU time by resources in the record: less is better", _cpu, _parts),
}
"""File: title, what draws a field, what its legend says."""
