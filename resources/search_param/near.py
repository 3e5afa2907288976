"""The special parameter ``near``: locations within a distance of a point.

FHIR R4 Location search, near (https://hl7.org/fhir/R4/location.html#positional). A position stands on one list for each
size of a grid of degrees; a search reads the cells that its circle touches and measures the distance of what they hold.
"""

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from resources.search_param.escapes import plain, split
from resources.search_param.parameter import Kind, Parameter
from resources.search_param.sink import Factory, Indexer, Sink
from resources.search_param.terms import Checked, Key, Or, Post, Term
from resources.search_param.ucum import conversion

FORM = "cell"
SIZES = (0.01, 0.1, 1.0, 10.0)
"""Sides of a cell in degrees, the finest first."""
MOST_CELLS = 60
"""Cells that one search reads; a wider circle reads coarser ones, the widest every position."""
EVERYWHERE = "all"
DEFAULT_DISTANCE, DEFAULT_UNIT = 50.0, "km"
RADIUS = 6_371_008.8
"""Mean radius of the earth in metres."""
HALF_WAY_ROUND = math.pi * RADIUS
_EXPECTED = (
    "latitude|longitude|distance|units, such as 42.256|-83.694|11.2|km: degrees from -90 to 90 and -180 to 180, a "
    "distance of 0 or more, a UCUM unit of length"
)


class Within(msgspec.Struct, frozen=True, gc=False):
    """Whether a Location lies within ``metres`` of a point in degrees."""

    latitude: float
    longitude: float
    metres: float

    def possible(self, doc: bytes) -> bool:
        return b'"position"' in doc

    def fits(self, resource: Mapping[str, Any]) -> bool:
        place = _position(resource.get("position"))
        return place is not None and distance((self.latitude, self.longitude), place) <= self.metres


def distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Metres between two points (latitude, longitude in degrees) along a great circle of a sphere."""
    a, b = math.radians(one[0]), math.radians(other[0])
    across = math.radians(other[1] - one[1])
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(across / 2) ** 2
    return 2 * RADIUS * math.asin(math.sqrt(min(1.0, half)))


def _position(position: Any) -> tuple[float, float] | None:
    if not isinstance(position, Mapping) or "latitude" not in position or "longitude" not in position:
        return None
    place = float(position["latitude"]), float(position["longitude"])
    return place if _on_earth(*place) else None


def _on_earth(latitude: float, longitude: float) -> bool:
    return -90 <= latitude <= 90 and -180 <= longitude <= 180


def _cells(type: str, branch: str) -> Indexer:
    def index(value: Any, out: Sink) -> None:
        place = _position(value)
        if place is not None:
            out.posts.append(Key(type, branch, FORM, EVERYWHERE))
            out.posts += [Key(type, branch, FORM, _cell(size, *_square(size, *place))) for size in SIZES]

    return index


def _square(size: float, latitude: float, longitude: float) -> tuple[int, int]:
    """Row and column of the cell of a point; 180 degrees east is 180 degrees west."""
    return math.floor((latitude + 90) / size), math.floor((longitude + 180) / size) % _columns(size)


def _columns(size: float) -> int:
    return round(360 / size)


def _cell(size: float, row: int, column: int) -> str:
    return f"{size}:{row}:{column}"


def term(parameter: Parameter, modifier: str, value: str) -> Term:
    """Locations within the distance of the point. Raises BadSearch."""
    circle = _circle(parameter, value)
    names = list(_touched(circle)) or [EVERYWHERE]
    keys = (Key(parameter.type, branch.text, FORM, name) for branch in parameter.branches for name in names)
    return Checked(parameter.type, Or(tuple(Post(key) for key in keys)), circle)


def _circle(parameter: Parameter, value: str) -> Within:
    parts = [plain(part) for part in split(value, "|")]
    if not 2 <= len(parts) <= 4:
        parameter.refuse(value, _EXPECTED)
    numbers = [_number(part) for part in parts[:3] if part]
    factor = conversion(parts[3] if len(parts) == 4 and parts[3] else DEFAULT_UNIT, "m")
    if not parts[0] or not parts[1] or not all(map(math.isfinite, numbers)) or not factor or factor[1]:
        parameter.refuse(value, _EXPECTED)
    latitude, longitude, far = [*numbers, DEFAULT_DISTANCE][:3]
    if not _on_earth(latitude, longitude) or far < 0:
        parameter.refuse(value, _EXPECTED)
    return Within(latitude, longitude, min(far * float(factor[0]), HALF_WAY_ROUND))


def _number(text: str) -> float:
    try:
        return float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        return math.nan


def _touched(circle: Within) -> Iterator[str]:
    """The cells of the finest size of which a few cover the circle; none when all of them are too many."""
    for size in SIZES:
        rows, columns = _box(circle, size)
        if len(rows) * len(columns) <= MOST_CELLS:
            return (_cell(size, row, column % _columns(size)) for row in rows for column in columns)
    return iter(())


def _box(circle: Within, size: float) -> tuple[range, range]:
    """Rows and columns of the box around a circle, a little larger; columns go on beyond 180 degrees."""
    up = math.degrees(circle.metres / RADIUS) * 1.000001 + 1e-9
    low, high = circle.latitude - up, circle.latitude + up
    rows = range(math.floor((max(low, -90) + 90) / size), math.floor((min(high, 90) + 90) / size) + 1)
    if low <= -90 or high >= 90:
        return rows, range(_columns(size))
    across = math.degrees(math.asin(min(1.0, math.sin(math.radians(up)) / math.cos(math.radians(circle.latitude)))))
    west, east = (math.floor((circle.longitude + side + 180) / size) for side in (-across - 1e-9, across + 1e-9))
    return rows, range(west, min(east + 1, west + _columns(size)))


LEAVES: Mapping[str, Factory] = MappingProxyType({"Location.position": _cells})
KIND = Kind(LEAVES, frozenset(), term)
