"""What the bridge tells its watchers: counts by sender and outcome, never a patient's data.

The wiring turns it into metrics; without one nothing is counted.
"""

from typing import Protocol


class Telemetry(Protocol):
    """Calls may come from any thread."""

    def received(self, sender: str, type: str, verdict: str) -> None:
        """A message came. ``verdict``: taken, duplicate, refused, stranger, unreadable."""
        ...

    def answered(self, sender: str, code: str, seconds: float) -> None:
        """MSA-1 and the time from the last byte to the answer."""
        ...

    def ended(self, sender: str, state: str, seconds: float) -> None:
        """A message came to its end; ``state`` of ports.State or ``postponed``, ``seconds`` since it was received."""
        ...


class Silent:
    """Nobody watches."""

    def received(self, sender: str, type: str, verdict: str) -> None: ...

    def answered(self, sender: str, code: str, seconds: float) -> None: ...

    def ended(self, sender: str, state: str, seconds: float) -> None: ...
