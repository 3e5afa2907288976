"""How often this validator and the reference validator agree on valid or invalid, over the official test cases.

FHIR/fhir-test-cases, validator/manifest.json, cases of version 4.0; the sample data folder holds a copy.
"""

import json
import re
from pathlib import Path
from typing import Any

from resources import json_codec, xml_codec
from resources.errors import FhirError
from resources.validation import check

_OUTSIDE = re.compile(
    r"Wrong Display Name|[Tt]he [Ee]xtension '?http|Sub-extension url|matching slice is required"
    r"|does not match any known slice|magic LOINC|Unknown code '.*in the CodeSystem"
)
"""Errors of the reference validator that need a display name, code system, extension definition or profile."""

DISAGREEMENTS = {
    "bad-bundle-reference-type-4": "it matches a relative Practitioner/x with urn:uuid:x; R4 does not",
    "bundle-document-versioned-references-bad": "references inside a document are not resolved here",
    "capstmt": "the type of a search parameter must repeat its definition; two official examples break that too",
    "encounter-period": "per-1 of a day and an instant of that day: their order is open, so it is accepted",
    "ips-htmlrefs-backwards": "references inside a document are not resolved here",
    "message": "urn:uuid: links of a narrative name entries of the Bundle, as http.html#transaction says; accepted",
    "mr-m-simple-nossystem": "canonicals must be absolute; dozens of official examples have relative ones",
}
"""Cases on which the two disagree, with the reason."""


def left_out(case: dict[str, Any]) -> bool:
    """Whether a case needs terminology or profiles: its module is tx, or every error it expects says so."""
    outside = bool(case["error_texts"]) and all(_OUTSIDE.search(text) for text in case["error_texts"])
    return case["module"] == "tx" or (not case["valid"] and outside)


def accepted(path: Path) -> bool:
    """Whether the file is read and found valid."""
    try:
        body = path.read_bytes()
        check(xml_codec.decode(body) if path.suffix == ".xml" else json_codec.decode(body))
    except FhirError:
        return False
    return True


def agreement(folder: Path) -> tuple[int, int, list[str]]:
    """How many cases agree, of how many, and the names of those that do not; ``folder`` holds manifest.json."""
    cases = [case for case in json.loads((folder / "manifest.json").read_text()) if not left_out(case)]
    differ = [case["name"] for case in cases if accepted(folder / "files" / case["file"]) != case["valid"]]
    return len(cases) - len(differ), len(cases), differ
