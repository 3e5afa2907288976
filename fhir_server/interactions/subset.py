"""``_summary`` and ``_elements`` applied to stored documents on their way out.

FHIR R4 (https://hl7.org/fhir/R4/search.html#summary, #elements).
"""

from fhir_server.http.request import Pairs
from resources import json_codec
from resources.errors import BadSearch
from resources.summary import SUMMARY_CODES, check_elements, select_elements, summarize


def asked(query: Pairs, type: str = "") -> tuple[str, tuple[str, ...]]:
    """The ``_summary`` code ('' for none) and the ``_elements`` names of a query; with ``type`` the names are checked.

    Raises BadSearch.
    """
    code = ""
    elements: tuple[str, ...] = ()
    for name, value in query:
        if name == "_summary":
            code = value
        elif name == "_elements":
            elements = tuple(part.strip() for part in value.split(",") if part.strip())
    if code and code not in SUMMARY_CODES:
        text = f"_summary={code[:40]} is unknown; it is one of {', '.join(SUMMARY_CODES)}."
        raise BadSearch(text, expression="_summary")
    if type and elements:
        check_elements(type, elements)
    return ("" if code == "false" else code), elements


def subset(doc: bytes, code: str, elements: tuple[str, ...]) -> bytes:
    """``doc`` cut down to elements or a summary and marked SUBSETTED; as it is when neither is asked."""
    if elements:
        return json_codec.encode(select_elements(json_codec.decode_stored(doc), elements))
    if code and code != "count":
        return json_codec.encode(summarize(json_codec.decode_stored(doc), code))
    return doc
