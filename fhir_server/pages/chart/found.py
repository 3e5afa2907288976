"""What the record has of something: all of it up to a bound, how much more there is, or that one may not see it.

FHIR R4 search, paging (https://hl7.org/fhir/R4/http.html#paging). Nothing is cut off without a word.
"""

from dataclasses import dataclass, field
from typing import Any

from resources.errors import FhirError, Forbidden
from resources.json_codec import decode_stored
from resources.paging import pages
from resources.repository import Repository, SearchRequest

Json = dict[str, Any]

PAGE = 200
MOST = 600
"""Resources that are read for one list."""


@dataclass(frozen=True)
class Found:
    """``matches`` in the order asked for, ``included`` by reference, ``more`` how many others there are; ``refused``
    says why nothing is known at all: ``forbidden`` or ``failed``."""

    matches: tuple[Json, ...] = ()
    included: dict[str, Json] = field(default_factory=dict)
    more: int = 0
    refused: str = ""


def find(repository: Repository, type: str, *params: tuple[str, str], most: int = MOST) -> Found:
    """What ``params`` find. Raises nothing: what cannot be read is told as such."""
    asked = (*params, ("_count", str(min(PAGE, most))), ("_total", "accurate"))
    matches: list[Json] = []
    included: dict[str, Json] = {}
    total = 0
    try:
        for page in pages(repository, SearchRequest(type, asked)):
            total = page.total if page.total is not None else total
            for hit in page.hits:
                one = decode_stored(hit.version.doc)
                included[f"{hit.version.type}/{hit.version.id}"] = one
                if hit.mode == "match":
                    matches.append(one)
            if len(matches) >= most:
                break
    except Forbidden:
        return Found(refused="forbidden")
    except FhirError:
        return Found(refused="failed")
    return Found(tuple(matches), included, max(0, total - len(matches)))
