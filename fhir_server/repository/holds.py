"""What a commit of several commands holds while it runs, so that its end is that of some serial order.

FHIR R4 http.html#trules and #transaction-integrity. Held alone: criteria that select, identifiers brought along and
resources written; held together with others: resources read, and the types written, which whoever selects from them by
other criteria than identifiers holds alone. What is known beforehand is waited for in sorted order; what only shows on
the way is tried without waiting, and a refusal starts the commit anew with everything it came to know.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from fhir_server.repository.criteria import carried, criteria_of, lock_parts, type_of
from fhir_server.store import Hasher, LostRace, Session, Stored
from resources.repository import Command, Create, Find, Put, Read

Part = tuple[str, ...]


class Holds:
    """The lock keys of one commit of ``commands``; they grow from attempt to attempt."""

    def __init__(self, hasher: Hasher, tenant: int, commands: Sequence[Command]) -> None:
        self._hasher, self._tenant = hasher, tenant
        self._alone: set[int] = set()
        self._shared: set[int] = set()
        for command in commands:
            if isinstance(command, Read):
                self._shared.add(self._key(_resource(command.type, command.id)))
            else:
                self._alone.update(map(self._key, set(_known(command))))
        if len(commands) > 1:
            self._shared.update(self._key(_type(type_of(c))) for c in commands if not isinstance(c, Read | Find))

    def take(self, session: Session) -> None:
        """Wait for all; first of all in the transaction."""
        session.lock(self._alone, self._shared - self._alone)

    def criteria(self, session: Session, type: str, criteria: str) -> None:
        """Before a conditional reference is looked up. Raises LostRace when others hold its criteria."""
        self._try(session, (), lock_parts(type, criteria))

    def found(
        self, session: Session, written: Iterable[Stored], read: Iterable[Stored], carrying: Iterable[dict[str, Any]]
    ) -> None:
        """Hold what criteria led to, and the identifiers that patched resources are ``carrying``.

        Raises LostRace when others hold one of them, or changed it before it was held.
        """
        written, read = list(written), list(read)
        alone = [_resource(each.type, each.id) for each in written]
        alone += [part for resource in carrying for part in carried(resource)]
        self._try(session, alone, [_resource(each.type, each.id) for each in read])
        _refuse_changed(session, self._tenant, [*written, *read])

    def _try(self, session: Session, alone: Iterable[Part], shared: Iterable[Part]) -> None:
        more = set(map(self._key, alone)) - self._alone
        common = set(map(self._key, shared)) - self._alone - self._shared - more
        self._alone |= more
        self._shared |= common
        if (more or common) and not session.try_lock(more, common):
            raise LostRace([])

    def _key(self, part: Part) -> int:
        return self._hasher.lock(self._tenant, *part)


def _known(command: Command) -> Iterable[Part]:
    criteria = criteria_of(command)
    if isinstance(command, Find):
        yield _type(command.request.type)
    elif criteria is not None:
        yield from lock_parts(type_of(command), criteria)
    elif not isinstance(command, Create | Read):
        yield _resource(command.type, command.id)
    if isinstance(command, Create | Put):
        yield from carried(command.resource)


def _refuse_changed(session: Session, tenant: int, known: Sequence[Stored]) -> None:
    now = session.read_many([(each.type, each.id) for each in known], tenant)
    changed = [(one.type, one.id) for one in known if now[one.type, one.id].version != one.version]
    if changed:
        raise LostRace(changed)


def _resource(type: str, id: str) -> Part:
    return (type, "id", id)


def _type(type: str) -> Part:
    return (type, "criteria")
