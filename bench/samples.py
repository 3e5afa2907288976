"""The optional sample data beside the checkout."""

import gzip
from pathlib import Path
from typing import Any

from bench.bar import Profile, Skipped
from resources import json_codec, xml_codec

FOLDER = Path(__file__).resolve().parents[1] / "../shared/data/fhir"


def folder(name: str) -> Path:
    """A folder of the sample data. Raises Skipped where there is none."""
    found = (FOLDER / name).resolve()
    if not found.is_dir():
        raise Skipped(f"no sample data: ../shared/data/fhir/{name} is absent")
    return found


def files(name: str, suffix: str, profile: Profile, least: int = 2) -> list[Path]:
    """The files of a folder whose name, without .gz, ends so; in the CI profile every n-th of them."""
    found = sorted(path for path in folder(name).iterdir() if path.name.removesuffix(".gz").endswith(suffix))
    wanted = min(len(found), profile.size(len(found), least))
    return [found[number * len(found) // wanted] for number in range(wanted)]


def content(path: Path) -> bytes:
    """The bytes of a file, unpacked."""
    body = path.read_bytes()
    return gzip.decompress(body) if path.suffix == ".gz" else body


def resource(path: Path) -> dict[str, Any]:
    """The resource of a JSON or XML file. Raises FhirError."""
    decode = xml_codec.decode if path.name.removesuffix(".gz").endswith(".xml") else json_codec.decode
    return decode(content(path))
