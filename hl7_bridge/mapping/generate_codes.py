"""Compiles the official code system maps into one small file; run by ``make hl7-codes``, never at run time.

v2-to-FHIR implementation guide (https://hl7.org/fhir/uv/v2mappings/), the concept maps of its vocabulary as CSV.
"""

import csv
import gzip
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent / "code_tables" / "official.json.gz"
_FILE = re.compile(r"HL7 Concept Map_ (.+) - Sheet1\.csv")
_TABLE = re.compile(r"HL7?0?(\d{4})$")


def compiled(folder: Path) -> dict[str, Any]:
    """All tables of ``folder`` by name: ``{"sha256": …, "tables": {name: {"table": "0001", "rows": [[…]]}}}``.

    A row is source code, target code, target system, display; rows without a source code or a target are left out.
    """
    digest = hashlib.sha256()
    tables: dict[str, Any] = {}
    for path in sorted(folder.glob("*.csv")):
        found = _FILE.fullmatch(path.name)
        raw = path.read_bytes()
        digest.update(path.name.encode() + b"\0" + raw)
        if found:
            table = _table(raw.decode("utf-8-sig"))
            if table["rows"]:
                tables[found[1]] = table
    return {"sha256": digest.hexdigest(), "tables": tables}


def _table(text: str) -> dict[str, Any]:
    rows, number = [], ""
    for cells in list(csv.reader(text.splitlines()))[2:]:
        # Some cells hold no-break spaces; seven files have fewer columns.
        cells = [cell.replace("\xa0", " ").strip() for cell in cells] + [""] * 10
        found = _TABLE.search(cells[2])
        number = number or (found[1] if found else "")
        if cells[0] and cells[6] and not cells[3]:
            # The text of the source names the target only where that is the same code.
            rows.append([cells[0], cells[6], cells[9], cells[8] or (cells[1] if cells[0] == cells[6] else "")])
    return {"table": number, "rows": rows}


def main(folder: str) -> None:
    """Write the file from the CSV in ``folder``; the same input gives the same bytes."""
    text = json.dumps(compiled(Path(folder)), separators=(",", ":"), ensure_ascii=False)
    TARGET.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main(sys.argv[1])
