"""``_summary`` and ``_elements`` applied to stored documents on their way out.

FHIR R4 (https://hl7.org/fhir/R4/search.html#summary, #elements).
"""

from collections.abc import Iterable

from resources import json_codec, summary
from resources.definitions import RESOURCE_TYPES
from resources.errors import BadSearch

CODES = ("true", "text", "data", "count", "false")


def asked(query: Iterable[tuple[str, str]]) -> tuple[str, tuple[str, ...]]:
    """The ``_summary`` code ('' for none) and the ``_elements`` names of a query. Raises BadSearch."""
    code = ""
    elements: tuple[str, ...] = ()
    for name, value in query:
        if name == "_summary" and value:
            code = value
        elif name == "_elements" and value:
            elements = tuple(part.strip() for part in value.split(",") if part.strip())
    if code and code not in CODES:
        raise BadSearch(f"_summary={code[:40]} is unknown; it is one of {', '.join(CODES)}.", expression="_summary")
    return ("" if code == "false" else code), elements


def subset(doc: bytes, code: str, elements: tuple[str, ...]) -> bytes:
    """``doc`` cut down to a summary or to elements and marked SUBSETTED; as it is when neither is asked."""
    if not code and not elements:
        return doc
    resource = json_codec.decode(doc)
    if elements:
        return json_codec.encode(summary.elements(resource, _own(resource["resourceType"], elements)))
    return json_codec.encode(summary.summary(resource, code))


def _own(type: str, elements: tuple[str, ...]) -> tuple[str, ...]:
    """Names for this type: bare ones, and ``Patient.name`` when the type fits."""
    split = [(owner, name) if owner in RESOURCE_TYPES and name else ("", text)
             for text in elements for owner, _, name in [text.partition(".")]]  # fmt: skip
    return tuple(name for owner, name in split if owner in ("", type))
