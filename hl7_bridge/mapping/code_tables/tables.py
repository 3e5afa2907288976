"""The code tables by name: official rows first, then ours; each row a source code and the coding it becomes.

v2-to-FHIR implementation guide, vocabulary maps (compiled by ``hl7_bridge.mapping.generate_codes``).
"""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hl7_bridge.mapping.code_tables.own import OWN
from hl7_bridge.site.model import Coding

_OFFICIAL = Path(__file__).parent / "official.json.gz"


@dataclass(frozen=True, slots=True)
class CodeTable:
    """``codes`` by source code; ``number`` of the HL7 table (``0001``); ``own`` the codes that are our additions."""

    name: str
    number: str
    codes: Mapping[str, Coding]
    own: frozenset[str] = frozenset()

    @property
    def system(self) -> str:
        """The code system of the source codes."""
        return v2_system(self.number) if self.number else ""


def v2_system(number: str) -> str:
    """The URI of HL7 table ``number``."""
    return "http://terminology.hl7.org/CodeSystem/v2-" + number


@cache
def _official() -> dict[str, Any]:
    with gzip.open(_OFFICIAL, "rt", encoding="utf-8") as file:
        loaded: dict[str, Any] = json.load(file)
    return loaded


def source_hash() -> str:
    """SHA-256 over the official files that the compiled tables were made of."""
    return str(_official()["sha256"])


@cache
def table(name: str) -> CodeTable:
    """One table. Raises KeyError for a name that neither the official map nor ours has."""
    official = _official()["tables"].get(name)
    ours = OWN.get(name)
    if official is None and ours is None:
        raise KeyError(name)
    codes = {row[0]: Coding(row[2], row[1], row[3]) for row in official["rows"]} if official else {}
    added = ours.codes if ours else {}
    number = (official or {}).get("table") or (ours.number if ours else "")
    return CodeTable(name, number, {**codes, **added}, frozenset(added))


def names() -> list[str]:
    """All tables there are."""
    return sorted({*_official()["tables"], *OWN})
