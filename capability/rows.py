"""The row types that declare what the server does; statements and dispatch are computed from the rows that serve.

FHIR R4 CapabilityStatement.rest (https://hl7.org/fhir/R4/capabilitystatement.html).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Interaction:
    """One RESTful interaction: ``code`` as in restful-interaction, where it applies, its HTTP method and handler.

    ``level`` is instance, type or system; ``path`` a template below the base, such as ``{type}/{id}``.
    """

    code: str
    level: str
    method: str
    path: str
    handler: Callable[..., Any]
    documentation: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: ``name`` without ``$``, its definition URL, levels it runs at, types it is for (empty: all).

    ``affects_state`` False allows GET.
    """

    name: str
    definition: str
    levels: frozenset[str]
    types: frozenset[str]
    handler: Callable[..., Any]
    documentation: str
    affects_state: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: given on the command line or as ``HEARTH_<NAME>``; ``parse`` turns the text into the value."""

    name: str
    default: Any
    documentation: str
    parse: Callable[[str], Any] = str


class Migration(NamedTuple):
    """One step of a package's schema: ``apply`` takes the SQLAlchemy connection whose transaction also records
    ``version``."""

    version: int
    name: str
    apply: Callable[[Any], None]
