"""Which format a client wants and which it sent: Accept, _format, Content-Type, fhirVersion, charset.

FHIR R4 content types (https://hl7.org/fhir/R4/http.html#mime-type) and version parameter (#version-parameter).
"""

from enum import Enum
from functools import lru_cache

from resources.errors import NotAcceptable, UnsupportedMediaType


class Format(Enum):
    """A wire format of resources."""

    JSON = "json"
    XML = "xml"


_FORMATS = {
    "application/fhir+json": Format.JSON,
    "application/json": Format.JSON,
    "application/json+fhir": Format.JSON,
    "text/json": Format.JSON,
    "json": Format.JSON,
    "*/*": Format.JSON,
    "application/*": Format.JSON,
    "application/fhir+xml": Format.XML,
    "application/xml": Format.XML,
    "application/xml+fhir": Format.XML,
    "text/xml": Format.XML,
    "text/*": Format.XML,
    "xml": Format.XML,
}
# A browser lists text/html first and application/xml after it; people read JSON more easily.
_FORMATS["text/html"] = Format.JSON
_WILD = frozenset({"*/*", "application/*", "text/*", "text/html", "json", "xml"})
_VERSIONS = frozenset({"4.0", "4.0.1", "4.0.0"})
_UTF8 = frozenset({"utf-8", "utf8", "us-ascii"})
_SUPPORTED = "application/fhir+json or application/fhir+xml"


@lru_cache(maxsize=512)
def media_type(text: str) -> tuple[str, dict[str, str]]:
    """A media type in lower case and its parameters: ``application/fhir+json; fhirVersion=4.0``."""
    name, *rest = text.split(";")
    pairs = (part.partition("=") for part in rest if "=" in part)
    return name.strip().lower(), {key.strip().lower(): value.strip().strip('"').lower() for key, _, value in pairs}


@lru_cache(maxsize=512)
def accepted(accept: str, override: str = "") -> Format:
    """The format to answer in, by ``_format`` when given, else by Accept. Raises NotAcceptable."""
    if override:
        return _overridden(override)
    if not accept:
        return Format.JSON
    ranked = sorted(_ranges(accept), key=lambda range: -range[0])
    for quality, name, parameters in ranked:
        if quality > 0 and name in _FORMATS and _version_fits(parameters):
            return _FORMATS[name]
    raise NotAcceptable(
        f"None of the formats in Accept: {accept[:200]} can be answered; ask for {_SUPPORTED} (FHIR 4.0)."
    )


def _overridden(text: str) -> Format:
    # A plus sign in a query is a space: _format=application/fhir+json
    name, parameters = media_type(text.replace("application/fhir ", "application/fhir+"))
    if name in _FORMATS and _version_fits(parameters):
        return _FORMATS[name]
    raise NotAcceptable(f"_format={text[:200]} cannot be answered; ask for json or xml ({_SUPPORTED}).")


def _ranges(accept: str) -> list[tuple[float, str, dict[str, str]]]:
    parsed = [media_type(part) for part in accept.split(",") if part.strip()]
    return [(_quality(parameters.get("q", "1")), name, parameters) for name, parameters in parsed]


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def _version_fits(parameters: dict[str, str]) -> bool:
    return parameters.get("fhirversion", "4.0") in _VERSIONS


@lru_cache(maxsize=512)
def sent(content_type: str) -> Format:
    """The format of a resource in a body, by Content-Type. Raises UnsupportedMediaType."""
    name, parameters = media_type(content_type)
    if not name:
        raise UnsupportedMediaType(f"The body needs a Content-Type: {_SUPPORTED}.")
    if name in _WILD or name not in _FORMATS:
        raise UnsupportedMediaType(f"Content-Type {name[:100]} is not understood here; send {_SUPPORTED}.")
    _check_charset(parameters)
    if not _version_fits(parameters):
        raise UnsupportedMediaType(
            f"fhirVersion={parameters['fhirversion'][:20]} is not spoken here; this server is FHIR 4.0."
        )
    return _FORMATS[name]


def _check_charset(parameters: dict[str, str]) -> None:
    if parameters.get("charset", "utf-8") not in _UTF8:
        raise UnsupportedMediaType(f"charset={parameters['charset'][:40]} is not taken; FHIR is UTF-8.")


@lru_cache(maxsize=512)
def names_fhir(accept: str, override: str = "") -> bool:
    """Whether the client names a FHIR format itself (not by ``*/*``): then a Binary is answered as a resource."""
    if override:
        return True
    names = [name for quality, name, _ in _ranges(accept) if quality > 0]
    return any(name in _FORMATS and name not in _WILD for name in names)
