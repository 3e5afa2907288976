"""What the bridge remembers of a resource beside it: who stated which element as of when.

FHIR has no place for it; kept as JSON in ports.Stamp. Items are named by keyed hashes, nothing of a patient is in it.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from hl7_bridge.mapping.model import AsOf

MENTIONED = AsOf(-1, 0, "")
"""Of what a mention brought along: any statement replaces it, and the first one removes what it does not repeat."""
DEFAULTED = AsOf(-2, 0, "")
"""Of what must be there and was not stated: any statement replaces it."""
OTHERS = "~"
"""As ``tie``: stated by others than the bridge. They speak without ranks, so that time alone decides."""
OTHERS_ADDED = "~+"
"""The same, but they only added items to a list."""
GONE = -1
"""As the place of an item: others removed it."""


def by_others(as_of: AsOf) -> bool:
    return as_of.tie in (OTHERS, OTHERS_ADDED)


def beats(new: AsOf, old: AsOf | None) -> bool:
    """Whether ``new`` replaces what was stated as of ``old``. The same statement does: maps and code tables may have
    learned since, and a message that is read again says it in their words."""
    if old is None:
        return True
    return new.time > old.time if by_others(old) or by_others(new) else new >= old


class Placed(NamedTuple):
    """An item of a set: the statement that named it last, and its place in there."""

    as_of: AsOf
    place: int


@dataclass(slots=True)
class Standing:
    """``whole`` is the newest statement of the whole (RESULT, ORDER), ``elements`` and ``items`` of each of them;
    ``added`` hashes what others added to lists; ``merged`` says into which reference the resource was merged."""

    whole: AsOf | None = None
    elements: dict[str, AsOf] = field(default_factory=dict)
    items: dict[str, dict[str, Placed]] = field(default_factory=dict)
    added: dict[str, list[str]] = field(default_factory=dict)
    merged: tuple[str, AsOf] | None = None

    def dump(self) -> str:
        """As JSON; equal ones are equal text. Each AsOf is written once and numbered."""
        numbers: dict[AsOf, int] = {}

        def number(as_of: AsOf) -> int:
            return numbers.setdefault(as_of, len(numbers))

        found: dict[str, Any] = {
            "w": [] if self.whole is None else [number(self.whole)],
            "e": {name: number(as_of) for name, as_of in sorted(self.elements.items())},
            "i": {
                name: {key: (number(each.as_of), each.place) for key, each in sorted(placed.items())}
                for name, placed in sorted(self.items.items())
            },
            "f": {name: sorted(each) for name, each in sorted(self.added.items()) if each},
            "m": [] if self.merged is None else [self.merged[0], number(self.merged[1])],
        }
        found = {name: value for name, value in found.items() if value}
        return msgspec.json.encode({"a": list(numbers), **found}).decode() if found else "{}"


def load(text: str) -> Standing:
    """The inverse of ``Standing.dump``."""
    found = msgspec.json.decode(text)
    known = [AsOf(*each) for each in found.get("a", ())]
    whole, merged = found.get("w"), found.get("m")
    return Standing(
        known[whole[0]] if whole else None,
        {name: known[n] for name, n in found.get("e", {}).items()},
        {
            name: {key: Placed(known[n], place) for key, (n, place) in placed.items()}
            for name, placed in found.get("i", {}).items()
        },
        found.get("f", {}),
        (merged[0], known[merged[1]]) if merged else None,
    )
