"""A bar: a goal that a command measures. Rows of bars are walked by ``bench/bars.py``."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Profile:
    """How much is measured: ``scale`` is 1 for the full size and a twentieth in CI; ``postgresql`` its URL or ''."""

    name: str
    scale: float
    postgresql: str

    def size(self, full: int, least: int = 1) -> int:
        """``full`` scaled, but not below ``least``."""
        return max(least, round(full * self.scale))

    @property
    def databases(self) -> dict[str, str]:
        """What to run on: ``{"sqlite": "sqlite", "postgresql": URL}``, PostgreSQL only when there is one."""
        return {"sqlite": "sqlite"} | ({"postgresql": self.postgresql} if self.postgresql else {})


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, in words short enough for a table; ``met`` says whether the goal was, ``notes`` the rest."""

    text: str
    met: bool
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Bar:
    """``goal`` in words; ``measure`` may raise Skipped. A missed ``timing`` bar (CPU, seconds, memory of a worker) is
    told but fails no build: it measures the machine as well, and that is not always quiet. Beside an ``alone`` one
    nothing runs, for its goal has a bound in seconds or MB."""

    name: str
    goal: str
    measure: Callable[[Profile], Figure]
    timing: bool = False
    alone: bool = False


class Skipped(Exception):
    """The bar cannot be measured here; the text says what is missing."""
