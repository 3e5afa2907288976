"""The structure tables: which groups and segments a message has in each version, and the structure of an event.

HL7 v2.1 to v2.8.2, chapters 3 to 17 (abstract message definitions) and table 0354; ``generate`` writes the files.
"""

import gzip
import json
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "data"
VERSIONS = ("2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8", "2.8.1", "2.8.2")
DEFAULT_VERSION = "2.5.1"

# Where table 0354 is silent, or a version has no structure of its own: what to take instead, best first.
_INSTEAD = {
    "ADT_A30": ("ADT_A34", "ADT_A35", "ADT_A36", "ADT_A46", "ADT_A47", "ADT_A48", "ADT_A49"),
    "ADT_A39": ("ADT_A30",),
    "ADT_A43": ("ADT_A44",),
    "ADT_A01": ("ADT_A05", "ADT_A08", "ADT_A13", "ADT_A14", "ADT_A28", "ADT_A31"),
    "ADT_A02": ("ADT_A21", "ADT_A22", "ADT_A23", "ADT_A25", "ADT_A26", "ADT_A27", "ADT_A29", "ADT_A32", "ADT_A33"),
    "ADT_A09": ("ADT_A10", "ADT_A11", "ADT_A15"),
}
_OF_CODE = {
    "ADT": "A01",
    "ORU": "R01",
    "ORM": "O01",
    "OML": "O21",
    "OMP": "O09",
    "RDE": "O11",
    "MDM": "T02",
    "SIU": "S12",
}


def nearest(version: str) -> str:
    """The version whose tables are used for ``version``: itself, else the newest of the same line that is not newer,
    else the newest older one; 2.5.1 when nothing can be made of it."""
    if version in VERSIONS:
        return version
    wanted = _numbers(version)
    if not wanted:
        return DEFAULT_VERSION
    older = [each for each in VERSIONS if _numbers(each) <= wanted]
    return older[-1] if older else VERSIONS[0]


def _numbers(version: str) -> tuple[int, ...]:
    """``2.3.z`` as (2, 3)."""
    numbers: list[int] = []
    for part in version.strip().split(".")[:4]:
        if not (part.isascii() and part.isdigit() and len(part) < 4):
            break
        numbers.append(int(part))
    return tuple(numbers)


@lru_cache(maxsize=1024)
def structure_of(version: str, code: str, event: str, named: str) -> tuple[str, str]:
    """(structure, version whose table has it) of MSH-9 ``code``, ``event`` and ``named`` (MSH-9.3): by the event, then
    as named, then the usual one of the code; ('', version) when the code is unknown. A structure the version does not
    have comes from the nearest version that has it."""
    version = nearest(version)
    of_event = f"{code}_{event}"
    wanted = [_events().get(of_event, ""), of_event, *(own for own, events in _INSTEAD.items() if of_event in events)]
    if code == "ACK":
        wanted = ["ACK"]
    usual = f"{code}_{_OF_CODE[code]}" if code in _OF_CODE else ""
    near = sorted(VERSIONS, key=lambda each: (abs(VERSIONS.index(each) - VERSIONS.index(version)), each))
    for choice in ([*wanted], [named] if named.startswith(code) else [], [usual]):
        for where in near:
            for structure in filter(None, choice):
                if structure in _structures(where):
                    return structure, where
    return "", version


@cache
def _events() -> dict[str, str]:
    return _read("events")


@cache
def _structures(version: str) -> dict[str, list[Any]]:
    return _read(f"structures-{version}")


def children(version: str, structure: str) -> list[Any]:
    """The children of ``structure``: ``[name, least, most]``, groups with a fourth item, choices with the name ''."""
    found: list[Any] = _structures(version)[structure]
    return found


@cache
def fields(version: str) -> dict[str, Any]:
    """``segments``, ``types`` and ``tables`` of ``version``, as ``generate.fields`` describes them."""
    return _read(f"fields-{version}")


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()))
    return found
