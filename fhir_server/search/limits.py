"""How much one search may ask for, checked before any of it is compiled.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html) sets no bounds; a server has to.
"""

import re

from resources.errors import TooCostly

CHARACTERS = 1 << 20
"""Of all names and values together: 10,000 references fit."""
PARAMETERS = 500
VALUES = 2_500
"""Of all parameters together but ``_id``: what commas separate."""
IDS = 10_000
SOUGHT = 50
"""Of all parameters together that look for parts of texts, places and lists: each value is a search of its own."""
SORT_KEYS = 10
WAYS = 300
"""Sequences of resource types that one chain may take: any one step from any type fits."""
ENDS = 20_000
"""Values of one chain, at the end of each of its ways."""
_SOUGHT = re.compile(r"(?:^|[.:])(?:_text|_content|_list|near)(?::|$)|:contains$")


def check_text(query: str) -> None:
    """Raise TooCostly for a query string too long to be split; escapes make it up to three times as long."""
    _refuse(len(query), 3 * CHARACTERS, "characters")


def check(params: tuple[tuple[str, str], ...]) -> None:
    """Raise TooCostly for a query that asks for more."""
    _refuse(len(params), PARAMETERS, "parameters")
    _refuse(sum(len(name) + len(value) for name, value in params), CHARACTERS, "characters")
    _refuse(sum(value.count(",") + 1 for name, value in params if name == "_id"), IDS, "ids")
    _refuse(sum(value.count(",") + 1 for name, value in params if name != "_id"), VALUES, "values")
    sought = sum(value.count(",") + 1 for name, value in params if _SOUGHT.search(name))
    _refuse(sought, SOUGHT, "values of :contains, _text, _content, near and _list")
    _refuse(max((value.count(",") + 1 for name, value in params if name == "_sort"), default=0), SORT_KEYS, "sort keys")


def check_ways(name: str, ways: int, ends: int) -> None:
    """Raise TooCostly for the chain ``name`` that takes ``ways`` and looks for ``ends`` values on them together."""
    if ways > WAYS or ends > ENDS:
        raise TooCostly(
            f"{name}: the chain can take {ways} ways through resource types, with {ends} values to look for; at most "
            f"{WAYS} ways and {ENDS} values are followed. Name the types, such as subject:Patient.name."
        )


def _refuse(found: int, most: int, what: str) -> None:
    if found > most:
        raise TooCostly(f"The query has {found} {what}; at most {most} are taken in one search. Ask in parts.")
