"""A search over all its pages.

FHIR R4 paging (https://hl7.org/fhir/R4/http.html#paging): the link ``next`` leads on, its absence is the end.
"""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qsl

from resources.repository import Repository, SearchPage, SearchRequest, Version


def pages(repository: Repository, request: SearchRequest) -> Iterator[SearchPage]:
    """What ``request`` finds, page by page, each read when it is asked for. Raises as Repository.search."""
    while True:
        page = repository.search(request)
        yield page
        if "next" not in page.links:
            return
        request = replace(request, params=tuple(parse_qsl(page.links["next"], keep_blank_values=True)))


def every(repository: Repository, request: SearchRequest) -> Iterator[Version]:
    """All matches of ``request``."""
    return (hit.version for page in pages(repository, request) for hit in page.hits if hit.mode == "match")
