"""How a statement meets a resource: pure, and the same end whatever the order and the repetition.

v2-to-FHIR leaves updating open; the policies are ours (``mapping.model.Policy``).
"""

from collections.abc import Callable
from typing import Any

from hl7_bridge.mapping.model import AsOf, Entry, Policy, Resource
from hl7_bridge.record.elements import canonical, digest, element, is_set, item_key, items, parts, replace, unite_meta
from hl7_bridge.record.standing import (
    DEFAULTED,
    GONE,
    MENTIONED,
    OTHERS,
    OTHERS_ADDED,
    Placed,
    Standing,
    beats,
    by_others,
)

MERGED = frozenset({"link", "extension:https://hearth.health/fhir/replaced-by"})
"""Elements that only merges change."""


class Statement:
    """``entry`` stated of ``resource``, whose references are resolved; ``secret`` keys the hashes of items."""

    __slots__ = ("as_of", "defaults", "nulls", "parts", "resource", "secret", "type")

    def __init__(self, entry: Entry, resource: Resource, secret: bytes = b"") -> None:
        self.resource, self.as_of, self.secret = resource, entry.as_of, secret
        self.type: str = resource["resourceType"]
        defaults = {element(self.type, name) for name in entry.defaults}
        own = parts(resource)
        for name in MERGED & own.keys():
            del own[name]
        self.nulls = frozenset(element(self.type, name) for name in entry.nulls) - own.keys() - MERGED
        self.defaults = {name: own.pop(name) for name in defaults & own.keys()}
        self.parts = own


def state(entry: Entry, said: Statement, resource: Resource, standing: Standing) -> None:
    """Change ``resource`` and ``standing``, a resource that is there, as the policy of ``entry`` asks."""
    how = _POLICIES.get(entry.policy)
    if entry.policy is Policy.MENTION:
        for name in sorted(entry.certain):
            state_element(name, said.parts[name], said.as_of, resource, standing)
    if how is not None:
        unite_meta(resource, said.resource)
        how(said, resource, standing)


def begin(entry: Entry, said: Statement, resource: Resource, standing: Standing) -> None:
    """Change ``resource``, which is new and empty, and ``standing``: what ``state`` comes to where nothing is yet."""
    unite_meta(resource, said.resource)
    if entry.policy is Policy.MENTION:
        said.as_of = MENTIONED
    if entry.policy in _WHOLES:
        standing.whole = said.as_of
    else:
        standing.elements.update({name: said.as_of for name in said.nulls if not is_set(said.type, name)})
    for name, part in said.parts.items():
        if is_set(said.type, name):
            _unite(said, resource, standing, name)
        else:
            standing.elements[name] = said.as_of
            if ":" in name:
                replace(resource, name, part)
            else:
                resource.update(part)
    standing.elements.update(dict.fromkeys(entry.certain, entry.as_of))
    _fill(said, resource, standing)


def _register(said: Statement, resource: Resource, standing: Standing) -> None:
    """Element by element, the newest statement of each."""
    if said.as_of != MENTIONED:
        forget_mentioned(resource, standing)
    for name, part in said.parts.items():
        if is_set(said.type, name):
            _unite(said, resource, standing, name)
        else:
            state_element(name, part, said.as_of, resource, standing)
    for name in said.nulls:
        if not is_set(said.type, name):
            state_element(name, None, said.as_of, resource, standing)
    _fill(said, resource, standing)


def _fill(said: Statement, resource: Resource, standing: Standing) -> None:
    """What must be there, where nothing is."""
    there = parts(resource) if said.defaults else {}
    for name, part in said.defaults.items():
        if name not in there:
            replace(resource, name, part)
            standing.elements.setdefault(name, DEFAULTED)


def state_element(name: str, part: dict[str, Any] | None, as_of: AsOf, resource: Resource, standing: Standing) -> bool:
    """Let element ``name`` be ``part`` unless something newer was stated of it; whether it was."""
    if not beats(as_of, standing.elements.get(name)):
        return False
    standing.elements[name] = as_of
    standing.added.pop(name, None)
    replace(resource, name, part)
    return True


def forget_mentioned(resource: Resource, standing: Standing) -> None:
    """Drop what mentions brought along: from now on there are statements, and no mention would change those."""
    for name in [name for name, as_of in standing.elements.items() if as_of == MENTIONED]:
        del standing.elements[name]
        replace(resource, name, None)


def _whole(said: Statement, resource: Resource, standing: Standing) -> None:
    """All that the bridge ever stated, by the newest statement; what others stated later or added stays."""
    for name in said.parts:
        if is_set(said.type, name):
            _unite(said, resource, standing, name)
    if standing.whole is not None and said.as_of < standing.whole:
        _refine(said, resource, standing)
        return
    standing.whole = said.as_of
    for name in sorted((said.parts.keys() | standing.elements.keys()) - said.defaults.keys()):
        if not is_set(said.type, name):
            _replace_own(said, name, resource, standing)
    _fill(said, resource, standing)


def _refine(said: Statement, resource: Resource, standing: Standing) -> None:
    """An older statement of the whole still says what newer ones only had a default for."""
    for name, part in said.parts.items():
        known = standing.elements.get(name)
        if known is not None and known != standing.whole and not by_others(known):
            state_element(name, part, said.as_of, resource, standing)


def _replace_own(said: Statement, name: str, resource: Resource, standing: Standing) -> None:
    stated = standing.elements.get(name)
    if stated is not None and stated.tie == OTHERS and (name not in said.parts or stated.time >= said.as_of.time):
        return
    if stated is not None and not by_others(stated) and stated > said.as_of:
        return  # a newer message said this element alone
    part = dict(said.parts.get(name, {}))
    added = set(standing.added.get(name, ()))
    if added:
        known = {canonical(item) for item in part.get(name, ())}
        foreign = [i for i in items(resource, name) if digest(canonical(i), said.secret) in added]
        part[name] = [*part.get(name, []), *(i for i in foreign if canonical(i) not in known)]
    replace(resource, name, part)
    if name in said.parts:
        standing.elements[name] = said.as_of
    else:
        standing.elements.pop(name, None)


def _unite(said: Statement, resource: Resource, standing: Standing, name: str) -> None:
    """Each item by its newest statement; the newest statement's items come first, in its order."""
    placed = standing.items.setdefault(name, {})
    now = {digest(item_key(item), said.secret): item for item in items(resource, name)}
    changed = False
    for place, item in enumerate(items(said.resource, name)):
        key = digest(item_key(item), said.secret)
        old = placed.get(key)
        if beats(said.as_of, old.as_of if old else None):
            placed[key], now[key], changed = Placed(said.as_of, place), item, True
    if changed:
        ordered = _ordered(now, placed)
        resource[name] = ordered if isinstance(said.resource[name], list) else ordered[0]


def _ordered(now: dict[str, Any], placed: dict[str, Placed]) -> list[Any]:
    def order(key: str) -> tuple[int, int, int, str, int, str]:
        if key not in placed:  # others added it
            return (1, 0, 0, "", 0, "")
        (rank, time, tie), place = placed[key]
        return (0, -rank, -time, tie, place, key)

    return [now[key] for key in sorted(now, key=order)]


_WHOLES = (Policy.RESULT, Policy.ORDER)
_POLICIES: dict[Policy, Callable[[Statement, Resource, Standing], None]] = {
    Policy.REGISTER: _register,
    Policy.RESULT: _whole,
    Policy.ORDER: _whole,
}


# --- what others did ----------------------------------------------------------------------------------------------


def note_others(old: Resource | None, new: Resource, updated: int, standing: Standing, secret: bytes = b"") -> None:
    """Stamp in ``standing`` what others changed between two versions, as of ``updated`` (ms); ``old`` is None when
    the bridge never wrote it."""
    before, after = parts(old) if old else {}, parts(new)
    for name in before.keys() | after.keys():
        if name in MERGED or canonical(before.get(name)) == canonical(after.get(name)):
            continue
        if is_set(new["resourceType"], name):
            _note_items(name, old or {}, new, updated, standing, secret)
        else:
            _note_element(name, old, new, updated, standing, secret)


def _note_element(
    name: str, old: Resource | None, new: Resource, updated: int, standing: Standing, secret: bytes
) -> None:
    lists = [each.get(name, []) for each in (old or {}, new)]
    if old is not None and all(isinstance(each, list) for each in lists):
        was, now = ({canonical(item) for item in each} for each in lists)
        if now > was:
            hashes = {digest(item, secret) for item in now - was}
            standing.added[name] = sorted(hashes | set(standing.added.get(name, ())))
            standing.elements[name] = AsOf(0, updated, OTHERS_ADDED)
            return
    standing.elements[name] = AsOf(0, updated, OTHERS)


def _note_items(name: str, old: Resource, new: Resource, updated: int, standing: Standing, secret: bytes) -> None:
    was = {digest(item_key(item), secret): canonical(item) for item in items(old, name)}
    now = {digest(item_key(item), secret): canonical(item) for item in items(new, name)}
    placed = standing.items.setdefault(name, {})
    for key in was.keys() | now.keys():
        if was.get(key) == now.get(key):
            continue
        place = placed[key].place if key in placed else 0
        placed[key] = Placed(AsOf(0, updated, OTHERS), place if key in now else GONE)
