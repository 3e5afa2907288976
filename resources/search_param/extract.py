"""The index entries of one resource.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html): every parameter of the type, compiled on first use of the type.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from resources import json_codec
from resources.search_param import date
from resources.search_param.compartments import subject
from resources.search_param.parameters import parameters
from resources.search_param.reader import Reader, reader
from resources.search_param.references import references
from resources.search_param.sink import Sink
from resources.search_param.terms import Entries, type_key


@cache
def _reader(type: str) -> Reader:
    return reader(type)


def extract(resource: Mapping[str, Any], document: bytes = b"") -> Entries:
    """Everything the index holds of a valid resource (a dict as JSON has it); ``document`` is what `json_codec.encode`
    makes of it, where that is at hand."""
    type = resource["resourceType"]
    out = Sink()
    _reader(type)(resource, out)
    clinical, precise = date.order(out)
    out.posts.append(type_key(type))
    main = subject(type, resource.get("id", ""), out.posts)
    refers = references(type, document or json_codec.encode(resource))
    return Entries(out.posts, out.strings, out.ranges, out.dictionary, clinical, precise, main, refers)


@cache
def reader_of(type: str, code: str) -> Reader:
    """The function that indexes one parameter alone, without markers."""
    return reader(type, parameters(type)[code])
