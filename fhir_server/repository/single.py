"""One command on one resource: optimistic, one statement, tried again when another write came first.

FHIR R4 http.html#create, #update, #patch, #delete and #concurrency.
"""

import random
import time

from fhir_server.repository.faults import fault
from fhir_server.repository.guard import Guard
from fhir_server.repository.records import write_record
from fhir_server.repository.services import Services
from fhir_server.repository.stale import refuse_stale
from fhir_server.repository.versions import deletion, has_conditional_references, written
from fhir_server.store import LostRace, OldRegistry, Stored, StoreError, Write
from resources import json_codec
from resources.errors import FhirError, Gone, NotFound
from resources.repository import Caller, Create, Delete, Outcome, Patch, Put, Version
from resources.validation import check

ATTEMPTS = 10
"""How often a write that lost a race is prepared anew before the caller is told (409)."""
PAUSE = 0.005
"""Seconds by which the longest pause before another try grows."""

Single = Create | Put | Patch | Delete


def commit_one(services: Services, caller: Caller, command: Single, guard: Guard) -> Outcome | None:
    """Do ``command``, which names its resource; None, and nothing done, when conditional references must be resolved.

    Raises FhirError as Repository.commit does.
    """
    if isinstance(command, Create | Put):
        check(command.resource)
    for attempt in range(1, ATTEMPTS + 1):
        with services.store.parameters.pinned():
            write = _prepared(services, caller, command, guard)
            if write is None:
                return Outcome(204, None, changed=False)
            if has_conditional_references(write):
                return None
            guard.made([(command, write)], [""])
            try:
                guard.references([write])
                return _stored(services, caller, write)
            except LostRace as error:
                if attempt == ATTEMPTS:
                    raise fault(error, [write], [""]) from None
                refresh(services, error)
            except StoreError as error:
                raise fault(guard.tell(error), [write], [""]) from None
        time.sleep(random.uniform(0, PAUSE * (attempt - 1)))  # at once the first time
    raise AssertionError("unreachable")


def refresh(services: Services, error: LostRace) -> None:
    """Before another attempt: what was lost to other search parameters is read with those."""
    if isinstance(error, OldRegistry):
        services.store.parameters.forget()


def _stored(services: Services, caller: Caller, write: Write) -> Outcome:
    with services.audited([write_record(caller, write)]) as rows:
        services.store.session().write(write, rows, (), services.integrity)
    return outcome(write)


def outcome(write: Write) -> Outcome:
    """201 for what did not exist before, 200 for a change, 204 for a deletion."""
    version = Version(write.type, write.id, write.version, write.updated, write.doc, write.op)
    if write.op == "DELETE":
        return Outcome(204, version)
    existed = write.previous is not None and not write.previous.deleted
    return Outcome(200 if existed else 201, version)


def _prepared(services: Services, caller: Caller, command: Single, guard: Guard) -> Write | None:
    """The write of ``command`` against the current version, None when there is nothing to do."""
    if isinstance(command, Create):
        return written(command.resource, "POST", command.id, None, services.base, caller.tenant)
    found = services.store.session().read(command.type, command.id, caller.tenant)
    previous = guard.previous(command, command.id, found)
    return next_version(services, caller, command, command.id, previous)


def next_version(
    services: Services, caller: Caller, command: Put | Patch | Delete, id: str, previous: Stored | None
) -> Write | None:
    """The write that ``command`` makes of ``previous``; None for a delete of what is not there.

    Raises PreconditionFailed, NotFound, Gone, and whatever the patch and the validation say.
    """
    refuse_stale(command, previous)
    if isinstance(command, Delete):
        return deletion(previous, caller.tenant) if previous and not previous.deleted else None
    if isinstance(command, Put):
        return written(command.resource, "PUT", id, previous, services.base, caller.tenant)
    patched = command.apply(json_codec.decode_stored(_existing(command.type, id, previous).doc))
    _refuse_other_identity(patched, command.type, id)
    check(patched)
    return written(patched, "PATCH", id, previous, services.base, caller.tenant)


def _existing(type: str, id: str, previous: Stored | None) -> Stored:
    if previous is None:
        raise NotFound(f"There is no {type}/{id}.")
    if previous.deleted:
        raise Gone(f"{type}/{id} was deleted.")
    return previous


def _refuse_other_identity(patched: dict[str, object], type: str, id: str) -> None:
    if patched.get("resourceType") != type or patched.get("id", id) != id:
        raise FhirError("A patch must not change resourceType or id.", expression=f"{type}.id")
