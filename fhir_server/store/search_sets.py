"""Sets of resources as the tables hold them: terms of a query with hashes, dictionary and references resolved.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html). A resource is named by its order key ``o`` (clinical date and row
number, unique), so that every set is a set of ``o`` and all sets share one order.
"""

from typing import Any

import msgspec
from msgspec.structs import replace

LOWEST, HIGHEST = -1, 2**63 - 1
"""Below and above all order keys."""
UNKNOWN_SIZE = 1_000_000_000


class Span(msgspec.Struct, frozen=True, gc=False):
    """Order keys in [lo, hi): what a cursor and a clinical date leave of a list."""

    lo: int = LOWEST
    hi: int = HIGHEST

    def meet(self, lo: int, hi: int) -> "Span":
        return Span(max(self.lo, lo), min(self.hi, hi))


class Lists(msgspec.Struct, frozen=True, gc=False):
    """The union of posting lists; ``size`` estimates its length.

    ``subjects`` may say the same by hashes of the main patient reference, a quicker test when the lists are many.
    ``whole``: the list of all resources of a type, on which those of every other index of that type stand.
    """

    hashes: tuple[int, ...]
    size: int
    subjects: tuple[int, ...] = ()
    whole: bool = False


class Window(msgspec.Struct, frozen=True, gc=False):
    """Precise clinical date (bit 25 clear) with ``o`` in [lo, hi)."""

    lo: int
    hi: int


class Dated(msgspec.Struct, frozen=True, gc=False):
    """A date search on the clinical parameter: windows for precise dates, ``other`` holds imprecise ones only.

    Members of ``other`` have ``o`` below ``before``, but for those in ``endless`` (periods without a start).
    """

    precise: "Set"
    other: "Set"
    before: int = HIGHEST
    endless: "Set | None" = None


class Imprecise(msgspec.Struct, frozen=True, gc=False):
    """Resources whose clinical date is imprecise or absent (bit 25 set)."""


class Interval(msgspec.Struct, frozen=True, gc=False):
    """An interval under one of ``hashes`` with lo in [lo_from, lo_to) and hi in [hi_from, hi_to)."""

    hashes: tuple[int, ...]
    lo_from: int
    lo_to: int
    hi_from: int
    hi_to: int
    size: int = UNKNOWN_SIZE


class Text(msgspec.Struct, frozen=True, gc=False):
    """A normalised string under one of ``hashes``; ``how`` as in `resources.search_param.terms.Str`."""

    hashes: tuple[int, ...]
    norm: str
    how: str
    size: int = UNKNOWN_SIZE


class Instance(msgspec.Struct, frozen=True, gc=False):
    """The resources of ``type`` with these logical ids."""

    type: str
    ids: tuple[str, ...]


class Changed(msgspec.Struct, frozen=True, gc=False):
    """Resources of ``type`` last updated at or after (``ge``) or before (``lt``) ``instant``, in ms since 1970."""

    type: str
    op: str
    instant: int
    size: int = UNKNOWN_SIZE


class Subjects(msgspec.Struct, frozen=True, gc=False):
    """The main patient reference is one of these hashes; for chains over many patients."""

    hashes: tuple[int, ...]


class Patients(msgspec.Struct, frozen=True, gc=False):
    """The patients that the members of ``about``, resources of ``type``, have as their main patient.

    ``size`` counts those members: patients are no more.
    """

    type: str
    about: "Set"
    size: int


class Chosen(msgspec.Struct, frozen=True, gc=False):
    """These resources, found by an earlier query."""

    orders: tuple[int, ...]


class Both(msgspec.Struct, frozen=True, gc=False):
    parts: tuple["Set", ...]


class Either(msgspec.Struct, frozen=True, gc=False):
    parts: tuple["Set", ...]


class Except(msgspec.Struct, frozen=True, gc=False):
    """The complement; it always stands beside a positive set inside Both."""

    part: "Set"


Set = (
    Lists
    | Window
    | Dated
    | Imprecise
    | Interval
    | Text
    | Instance
    | Changed
    | Subjects
    | Patients
    | Chosen
    | Both
    | Either
    | Except
)

NOTHING = Chosen(())


def size(part: Set) -> int:
    """How many resources a set may hold at most, as far as is known; for choosing what to walk."""
    match part:
        case Lists() | Interval() | Text() | Changed() | Patients():
            return part.size
        case Instance():
            return len(part.ids)
        case Chosen():
            return len(part.orders)
        case Both():
            return min((size(p) for p in part.parts), default=0)
        case Either():
            return min(sum(size(p) for p in part.parts), UNKNOWN_SIZE)
        case _:
            return UNKNOWN_SIZE


def walkable(part: Set) -> bool:
    """Whether a set can be listed by itself; the others only say yes or no to a resource."""
    match part:
        case Lists() | Interval() | Text() | Changed() | Instance() | Patients() | Chosen():
            return True
        case Both():
            return any(walkable(p) for p in part.parts)
        case Either():
            return all(walkable(p) for p in part.parts)
        case _:
            return False


def both(*parts: Set) -> Set:
    """Intersection, flattened; one empty part makes it empty."""
    flat: list[Set] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Both) else (part,))
    if any(_empty(p) for p in flat):
        return NOTHING
    if len(flat) > 1:
        flat = _without_wider(list(dict.fromkeys(flat)))
    return flat[0] if len(flat) == 1 else Both(tuple(flat))


def _without_wider(parts: list[Set]) -> list[Set]:
    """Without those that hold all of another: what a caller may see often holds what they ask for."""
    narrow = [p for p in parts if isinstance(p, Lists | Instance)]
    return [p for p in parts if not any(other is not p and _within(other, p) for other in narrow)] if narrow else parts


def _within(part: Set, other: Set) -> bool:
    """Whether all of ``part`` is surely in ``other``."""
    if isinstance(other, Either):
        return any(_within(part, one) for one in other.parts)
    if isinstance(part, Lists) and isinstance(other, Lists):
        return set(part.hashes) < set(other.hashes)
    return (
        isinstance(part, Instance)
        and isinstance(other, Instance)
        and part.type == other.type
        and set(part.ids) < set(other.ids)
    )


def either(*parts: Set) -> Set:
    """Union, flattened; parts that ask the same of different lists are joined into one."""
    flat: list[Set] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Either) else (part,))
    alike: dict[Any, list[Set]] = {}
    for part in flat:
        if not _empty(part):
            alike.setdefault(_question(part), []).append(part)
    found = [_join(some) for some in alike.values()]
    if not found:
        return NOTHING
    return found[0] if len(found) == 1 else Either(tuple(found))


def _question(part: Set) -> Any:
    """What a set asks, whatever lists it asks it of; equal for sets that can be joined."""
    match part:
        case Lists():
            return Lists
        case Interval():
            return (Interval, part.lo_from, part.lo_to, part.hi_from, part.hi_to)
        case Text():
            return (Text, part.norm, part.how)
        case Instance():
            return (Instance, part.type)
    return part


def _join(parts: list[Set]) -> Set:
    first = parts[0]
    if len(parts) == 1:
        return first
    match first:
        case Lists() | Interval() | Text():
            hashes = dict.fromkeys(h for p in parts if isinstance(p, Lists | Interval | Text) for h in p.hashes)
            changed = replace(first, hashes=tuple(hashes), size=_summed([size(p) for p in parts]))
            return replace(changed, subjects=(), whole=False) if isinstance(changed, Lists) else changed
        case Instance():
            return replace(first, ids=tuple(dict.fromkeys(i for p in parts if isinstance(p, Instance) for i in p.ids)))
    return first


def _summed(sizes: list[int]) -> int:
    """What need not be counted is not to be counted together either."""
    return min(sum(sizes), max(UNKNOWN_SIZE - 1, *sizes))


def _empty(part: Set) -> bool:
    return part == NOTHING or (isinstance(part, Lists) and not part.hashes)
