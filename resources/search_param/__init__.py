"""Search parameters: index entries of a resource (extract) and the term of a query parameter (compile_param).

FHIR R4 Search (https://hl7.org/fhir/R4/search.html).
"""

from resources.search_param.extract import extract, referred

__all__ = ["extract", "referred"]
