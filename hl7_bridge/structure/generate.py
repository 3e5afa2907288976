"""Write the structure tables beside this file: ``python -m hl7_bridge.structure.generate [maps]``.

Sources: hl7apy 1.3.5 (MIT; structures, fields, data types and tables of HL7 v2.1 to v2.8.2) and table 0354 of the
v2-to-FHIR implementation guide (CC0), read from the folder ``maps``; without it the events stay as they are.
Facts only: names, cardinalities, codes.
"""

import csv
import gzip
import importlib
import json
import sys
from pathlib import Path
from typing import Any

from hl7_bridge.structure.tables import FOLDER, VERSIONS

Node = list[Any]


def main(arguments: list[str]) -> None:
    """Generate all versions; the folder of the implementation guide's tables may be named in ``arguments``."""
    for version in VERSIONS:
        _write(f"structures-{version}", structures(version))
        _write(f"fields-{version}", fields(version))
    if arguments:
        found = sorted(Path(arguments[0]).rglob("*MessageStructure*.csv"))
        _write("events", events(found[0].read_text(encoding="utf-8-sig")))


def _write(name: str, table: dict[str, Any]) -> None:
    text = json.dumps(table, separators=(",", ":"), sort_keys=True).encode()
    data = gzip.compress(text, mtime=0)
    (FOLDER / f"{name}.json.gz").write_bytes(data)
    print(f"{name}: {len(table)} rows, {len(data)} bytes")


def _library(version: str, part: str) -> Any:
    return importlib.import_module(f"hl7apy.v{version.replace('.', '_')}.{part}")


def structures(version: str) -> dict[str, list[Node]]:
    """By structure: its children ``[name, least, most]``, groups with a fourth item, a choice with the name ''."""
    messages = _library(version, "messages").MESSAGES
    return {name: _children(definition, f"{name}_") for name, definition in messages.items()}


def _children(definition: Any, prefix: str) -> list[Node]:
    return [_child(each, prefix) for each in definition[1]]


def _child(child: Any, prefix: str) -> Node:
    name, definition, (least, most), kind = child
    if kind == "SEG":
        return [name, least, most]
    inner = _children(definition, prefix)
    own = "" if definition[0] == "choice" else _NAMES.get(name.removeprefix(prefix), name.removeprefix(prefix))
    return [own, least, most, inner]


# Groups of 2.5.1 that the source names by their segments: their names in 2.5 and 2.6.
_NAMES = {
    "OBXTCDSIDNTE_SUPPGRP": "RESULT",
    "OBXNTE_SUPPGRP": "OBSERVATION",
    "PIDPD1NTE_SUPPGRP": "PATIENT",
    "PIDNTE_SUPPGRP": "PATIENT",
    "PV1PV2_SUPPGRP": "VISIT",
    "TQ1TQ2_SUPPGRP": "TIMING_QTY",
    "SPMOBXSACINVOBRORCNTETQ1TQ2OBXTCDSIDNTECTI_SUPPGRP": "SPECIMEN",
    "SPMOBXSACINV_SUPPGRP": "SPECIMEN",
    "EVNPIDPV1TXAOBX_SUPPGRP": "RESULT",
    "ORCOBRNTETQ1TQ2CTDOBXNTECTI_SUPPGRP": "ORDER",
    "PIDNTEORCOBRNTETQ1TQ2CTDOBXNTECTI_SUPPGRP": "RESPONSE",
}


def fields(version: str) -> dict[str, Any]:
    """``segments``: by name, per field [data type, least, most, table]; ``types``: by name, per component [data type,
    least, table]; ``tables``: codes by number."""
    segments = _library(version, "segments").SEGMENTS
    types: dict[str, list[Node]] = {}
    # A handful of rows of the source are malformed or stand for any segment: nothing is known of their fields.
    sound = {name: definition[1] for name, definition in segments.items() if _is_sound(definition)}
    table = {name: [_field(each, types) for each in children] for name, children in sound.items()}
    return {"segments": table, "types": types, "tables": _codes(version)}


def _is_sound(definition: Any) -> bool:
    children = (definition[1] or ()) if len(definition) > 1 else ()
    return definition[0] == "sequence" and bool(children) and all(len(each) == 4 and each[1] for each in children)


def _field(child: Any, types: dict[str, list[Node]]) -> Node:
    _, definition, (least, most), _ = child
    _note_type(definition, types)
    return [definition[2] or "", least, most, (definition[4] or "").removeprefix("HL7")]


def _note_type(definition: Any, types: dict[str, list[Node]]) -> None:
    """The components of a data type, once."""
    kind = definition[2]
    if definition[0] == "leaf" or not _is_sound(definition) or not kind or kind in types:
        return
    types[kind] = []
    for _, inner, (least, _most), _kind in definition[1]:
        _note_type(inner, types)
        types[kind].append([inner[2] or "", least, (inner[4] or "").removeprefix("HL7")])


def _codes(version: str) -> dict[str, list[str]]:
    try:
        tables = _library(version, "tables").TABLES
    except ModuleNotFoundError:
        return {}
    return {name.removeprefix("HL7"): sorted(filter(None, codes)) for name, (_, codes) in tables.items() if codes}


def events(text: str) -> dict[str, str]:
    """By event (``ADT_A08``): the structure of table 0354 (``ADT_A01``)."""
    found: dict[str, str] = {}
    for structure, named, *_ in csv.reader(text.splitlines()):
        code, _, _ = structure.partition("_")
        if "_" in structure and len(code) == 3:
            found |= {f"{code}_{event.strip()}": structure for event in named.split(",") if len(event.strip()) == 3}
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
