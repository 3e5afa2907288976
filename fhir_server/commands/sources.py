"""What ``hearth load`` reads: files and folders of Bundles and NDJSON, plain or gzipped, in an order that can work."""

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fhir_server.commands import CommandError
from resources import json_codec, xml_codec
from resources.errors import FhirError

_FORMATS = {".json": "json", ".xml": "xml", ".ndjson": "ndjson"}
_HEAD_BYTES = 1 << 16
# Bundles that others point into come first: places and organisations, then the people who work there, then the rest.
_PEOPLE = (b'"Practitioner"', b"<Practitioner>")
_PATIENT = (b'"Patient"', b"<Patient>")


class Source(NamedTuple):
    """A file to load; ``format`` is json, xml or ndjson."""

    path: Path
    format: str


def sources(paths: Sequence[str]) -> list[Source]:
    """The files of ``paths`` (folders are walked), infrastructure Bundles first. Raises CommandError."""
    files = [file for path in paths for file in _files(Path(path))]
    if not files:
        raise CommandError(f"no .json, .xml or .ndjson file (or .gz of one) in {', '.join(paths)}")
    return sorted(files, key=lambda source: (_rank(source), source.path.name))


def _files(path: Path) -> Iterator[Source]:
    if not path.exists():
        raise CommandError(f"{path} does not exist")
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        suffix = Path(file.name.removesuffix(".gz")).suffix.lower()
        if file.is_file() and suffix in _FORMATS:
            yield Source(file, _FORMATS[suffix])
        elif not path.is_dir():
            raise CommandError(f"{file} is none of .json, .xml, .ndjson (or .gz of one)")


def _rank(source: Source) -> int:
    head = _open(source.path).read(_HEAD_BYTES)
    if any(mark in head for mark in _PATIENT):
        return 2
    return 1 if any(mark in head for mark in _PEOPLE) else 0


def _open(path: Path) -> Any:
    return gzip.open(path) if path.name.endswith(".gz") else path.open("rb")


def resource(source: Source) -> dict[str, Any]:
    """The one resource (mostly a Bundle) of a JSON or XML file. Raises FhirError."""
    with _open(source.path) as stream:
        data = stream.read()
    return xml_codec.decode(data) if source.format == "xml" else json_codec.decode(data)


def lines(source: Source) -> Iterator[tuple[int, dict[str, Any] | FhirError]]:
    """The resources of an NDJSON file with their line numbers; a line that is no resource comes as its error."""
    with _open(source.path) as stream:
        for number, line in enumerate(stream, 1):
            if line.strip():
                yield number, _decoded(line)


def _decoded(line: bytes) -> dict[str, Any] | FhirError:
    try:
        return json_codec.decode(line)
    except FhirError as error:
        return error
