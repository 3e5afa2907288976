"""In which words a concept is shown: displays, designations and languages.

FHIR R4 CodeSystem.concept.designation (https://hl7.org/fhir/R4/codesystem.html); languages match as BCP 47 ranges do.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from resources.search_param.normal_form import normal


def speaks(language: str, wanted: str) -> bool:
    """Whether ``language`` (en-US) is within ``wanted`` (en)."""
    return language.lower() == wanted.lower() or language.lower().startswith(wanted.lower() + "-")


def in_language(display: str, designations: Iterable[Mapping[str, Any]], wanted: str) -> str:
    """The designation in the language wanted, else the display."""
    if not wanted:
        return display
    return next((str(d["value"]) for d in designations if speaks(str(d.get("language", "")), wanted)), display)


def is_called(text: str, display: str, designations: Iterable[Mapping[str, Any]]) -> bool:
    """Whether ``text`` is one of the concept's displays; case, accents and spaces do not matter."""
    wanted = _loose(text)
    return any(wanted == _loose(known) for known in (display, *(str(d.get("value", "")) for d in designations)))


def _loose(text: str) -> str:
    return " ".join(normal(text).split())
