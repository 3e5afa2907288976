"""Results over time as plots: what was measured several times in one unit, with its reference range.

FHIR R4 Observation (https://hl7.org/fhir/R4/observation.html). Values of different units never share a plot, and what
is no plain number (``<5``, a text) is in the table beside it alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from fhir_server.pages.chart.observed import Key, Result, abnormal, is_result, key_of, measured_at, results
from fhir_server.pages.chart.words import codes, concept, day, moment, quantity, unit_of

Json = dict[str, Any]

WIDTH, HEIGHT = 320.0, 120.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 8.0, 8.0, 10.0, 10.0
_LARGEST = 1e100
_MOST = 60
"""Points of a plot: the newest."""


@dataclass(frozen=True)
class Point:
    """``at`` in ms since 1970 UTC; ``shown`` is the value as it was written, with its unit."""

    at: int
    value: float
    shown: str
    abnormal: bool


@dataclass(frozen=True)
class Line:
    """In the order of time. ``low`` and ``high`` are the reference range of its newest point where it has one."""

    label: str
    unit: str
    points: Sequence[Point]
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Dot:
    """Where a point is drawn."""

    x: float
    y: float
    shown: str
    day: str
    abnormal: bool


@dataclass(frozen=True)
class Drawn:
    """A line as it is drawn in a box of WIDTH to HEIGHT; ``band`` is top and height of its reference range."""

    label: str
    path: str
    dots: Sequence[Dot]
    band: tuple[float, float] | None


@dataclass(frozen=True)
class Plot:
    """``told`` says the plot in words; ``lowest`` and ``highest`` are the ends of its axis, ``first`` and ``last``
    those of its time."""

    told: str
    lowest: str
    highest: str
    first: str
    last: str
    lines: Sequence[Drawn]


@dataclass(frozen=True)
class Course:
    """``earlier`` values, the newest first, and ``hidden`` ones that are older still; ``plot`` of what can be drawn."""

    plot: Plot | None
    earlier: Sequence[Result]
    hidden: int


def courses(found: Iterable[Json], zone: tzinfo) -> dict[Key, Course]:
    """Of each code that was measured more than once, by its key; ``found`` the newest first."""
    by_code: dict[Key, list[Json]] = defaultdict(list)
    for one in found:
        if is_result(one):
            by_code[key_of(one)].append(one)
    return {key: _course(ones, zone) for key, ones in by_code.items() if len(ones) > 1}


def _course(ones: Sequence[Json], zone: tzinfo) -> Course:
    earlier = results(ones, zone)[1:]
    return Course(plot(lines(ones), zone), earlier[:_MOST], max(0, len(earlier) - _MOST))


def lines(found: Iterable[Json]) -> list[Line]:
    """Of Observations of one code: a line for its value, or one for each component, in the unit of the newest."""
    parts: dict[str, list[tuple[int, Json]]] = defaultdict(list)
    for one in found:
        at = moment(measured_at(one))
        for label, part in _parts(one):
            if at is not None and _number(part) is not None:
                parts[label].append((int(at.timestamp() * 1000), part))
    made = [_line(label, sorted(rows, key=lambda row: row[0])) for label, rows in parts.items()]
    return [one for one in made if len(one.points) > 1]


def _parts(one: Json) -> Iterable[tuple[str, Json]]:
    yield "", one
    for component in one.get("component", ()):
        yield concept(component.get("code")), component


def _number(part: Json) -> float | None:
    """None also for ``<5``, as nobody knows where that is, and for what no plot has room for."""
    found = part.get("valueQuantity", {})
    if "value" in found and "comparator" not in found:
        return _drawable(found)
    return float(part["valueInteger"]) if "valueInteger" in part else None


def _unit(part: Json) -> tuple[str, str]:
    found = part.get("valueQuantity", {})
    return found.get("system", ""), found.get("code") or found.get("unit", "")


def _line(label: str, rows: Sequence[tuple[int, Json]]) -> Line:
    newest = rows[-1][1]
    same = [(at, part) for at, part in rows if _unit(part) == _unit(newest)][-_MOST:]
    points = [
        Point(at, _number(part) or 0.0, quantity(part.get("valueQuantity", {"value": part.get("valueInteger")})),
              abnormal(part))
        for at, part in same
    ]  # fmt: skip
    low, high = _range(newest)
    return Line(label, unit_of(newest.get("valueQuantity", {})), points, low, high)


def _range(part: Json) -> tuple[float | None, float | None]:
    """The normal range where there is only one, in the unit of the value."""
    found = [one for one in part.get("referenceRange", ()) if not one.get("appliesTo") and not one.get("age")]
    usual = [one for one in found if not one.get("type") or any(c == "normal" for _, c in codes(one["type"]))]
    if len(usual) != 1:
        return None, None
    own = part.get("valueQuantity", {})
    ends = [usual[0].get(end, {}) for end in ("low", "high")]
    units = {one.get("code") or one.get("unit") for one in ends if one.get("code") or one.get("unit")}
    if units - {own.get("code"), own.get("unit")}:
        return None, None
    low, high = (_drawable(one) for one in ends)
    return low, high


def _drawable(quantity: Json) -> float | None:
    """FHIR's decimals may be larger than any float."""
    value = float(quantity.get("value", "inf"))
    return value if abs(value) < _LARGEST else None


# --- how it is drawn


def plot(found: Sequence[Line], zone: tzinfo) -> Plot | None:
    """The lines that share the unit of the first, over one another; None when there are none."""
    if not found:
        return None
    same = [one for one in found if one.unit == found[0].unit]
    points = [point for line in same for point in line.points]
    ends = [end for line in same for end in (line.low, line.high) if end is not None]
    times, values = [point.at for point in points], [*(point.value for point in points), *ends]
    scale = _Scale(min(times), max(times), min(values), max(values))
    written = {end: f"{end:g} {same[0].unit}" for end in ends} | {point.value: point.shown for point in points}
    return Plot(
        told="; ".join(_told(line, zone) for line in same),
        lowest=written[scale.low],
        highest=written[scale.high],
        first=_day(scale.first, zone),
        last=_day(scale.last, zone),
        lines=[_drawn(line, scale, zone) for line in same],
    )


@dataclass(frozen=True)
class _Scale:
    first: int
    last: int
    low: float
    high: float

    def x(self, at: int) -> float:
        part = (at - self.first) / (self.last - self.first) if self.last > self.first else 0.5
        return round(_LEFT + part * (WIDTH - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(HEIGHT - _BOTTOM - part * (HEIGHT - _TOP - _BOTTOM), 1)


def _drawn(line: Line, scale: _Scale, zone: tzinfo) -> Drawn:
    dots = [
        Dot(scale.x(one.at), scale.y(one.value), one.shown, _day(one.at, zone), one.abnormal) for one in line.points
    ]
    return Drawn(line.label, " ".join(f"{dot.x},{dot.y}" for dot in dots), dots, _band(line, scale))


def _band(line: Line, scale: _Scale) -> tuple[float, float] | None:
    """A range that is open at one end goes on to the edge."""
    if line.low is None and line.high is None:
        return None
    top = scale.y(line.high) if line.high is not None else 0.0
    bottom = scale.y(line.low) if line.low is not None else HEIGHT
    return top, round(bottom - top, 1)


def _told(line: Line, zone: tzinfo) -> str:
    lowest, highest = min(line.points, key=lambda one: one.value), max(line.points, key=lambda one: one.value)
    begin, end = (_day(line.points[n].at, zone) for n in (0, -1))
    name = f"{line.label}: " if line.label else ""
    return (
        f"{name}{len(line.points)} values from {begin} to {end}, lowest {lowest.shown}, highest {highest.shown}, "
        f"last {line.points[-1].shown}"
    )


def _day(at: int, zone: tzinfo) -> str:
    return day(datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).date())
