"""Search: a query string becomes terms, terms become sets, sets become one page.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html).
"""

from fhir_server.search.engine import SearchEngine

__all__ = ["SearchEngine"]
