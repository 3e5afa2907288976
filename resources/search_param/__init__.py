"""Search parameters: index entries of a resource on the way in, terms of a query on the way out.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html). ``extract`` and ``compile_param`` are the two doors; ``expand``
turns a Family into lists once the dictionary has been read; the rest serves sorting and compartments.
"""

from resources.search_param.clinical import clinical
from resources.search_param.compartments import in_compartment, member_of
from resources.search_param.compile import compile_param, expand
from resources.search_param.extract import extract
from resources.search_param.references import placed_references, references
from resources.search_param.sort import SortKey, sort_key, sort_values

__all__ = [
    "SortKey",
    "clinical",
    "compile_param",
    "expand",
    "extract",
    "in_compartment",
    "member_of",
    "placed_references",
    "references",
    "sort_key",
    "sort_values",
]
