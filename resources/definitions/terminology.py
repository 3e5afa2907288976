"""The code systems, value sets and concept maps that FHIR R4 publishes, as resources without their prose.

FHIR R4 terminology (https://hl7.org/fhir/R4/terminologies-systems.html, terminologies-valuesets.html). The table is
written by ``make definitions``; a resource is decoded when it is first asked for. What is returned must not be changed.
"""

import gzip
from collections.abc import Collection
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import msgspec

TYPES = ("CodeSystem", "ValueSet", "ConceptMap")
_FILE = Path(__file__).with_name("terminology.json.gz")


@cache
def _table() -> dict[str, dict[str, msgspec.Raw]]:
    return msgspec.json.decode(gzip.decompress(_FILE.read_bytes()), type=dict[str, dict[str, msgspec.Raw]])


def published_urls(type: str) -> Collection[str]:
    """The canonical URLs of what is published of a type of ``TYPES``."""
    return _table()[type].keys()


@lru_cache(256)
def published(type: str, url: str) -> dict[str, Any] | None:
    """The published resource of ``type`` with this canonical URL (without version)."""
    raw = _table()[type].get(url)
    return None if raw is None else msgspec.json.decode(raw)
