"""Preconditions of a write against the current version.

FHIR R4 http.html#concurrency (If-Match) and #ccreate (If-None-Match: *).
"""

from fhir_server.store import Stored
from resources.errors import PreconditionFailed
from resources.repository import ANY_VERSION, Delete, Patch, Put


def refuse_stale(command: Put | Patch | Delete, previous: Stored | None) -> None:
    """If-Match and If-None-Match: * against the current version. Raises PreconditionFailed."""
    current = previous.version if previous and not previous.deleted else None
    if command.if_match is not None and not _meets(command.if_match, current):
        found = f'the current version is W/"{current}"' if current else "there is no current version"
        asked = f'W/"{command.if_match}"' if command.if_match != ANY_VERSION else "any version"
        raise PreconditionFailed(f"If-Match asks for {asked}, but {found}; read the resource anew.")
    if isinstance(command, Put) and command.if_none_match and current is not None:
        raise PreconditionFailed(
            f'If-None-Match: * asks for a create, but {command.type}/{command.id} exists as W/"{current}".'
        )


def _meets(if_match: int, current: int | None) -> bool:
    return current is not None if if_match == ANY_VERSION else if_match == current
