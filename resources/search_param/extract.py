"""The index entries of one resource.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html): every parameter of the type, compiled on first use of the type.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from resources import json_codec
from resources.search_param import date, grams, string, words
from resources.search_param.compartments import subject
from resources.search_param.composite import Place
from resources.search_param.parameter import Parameter
from resources.search_param.parameters import composites, parameters
from resources.search_param.reader import Reader, composite_reader, reader
from resources.search_param.references import references
from resources.search_param.registry import Custom, current
from resources.search_param.sink import Sink
from resources.search_param.terms import Entries, type_key


@lru_cache(1024)
def _reader(type: str, customs: tuple[Custom, ...]) -> Reader:
    """``customs`` are the stored parameters of the registry in use."""
    return reader(type)


def extract(resource: Mapping[str, Any], document: bytes = b"") -> Entries:
    """Everything the index holds of a valid resource (a dict as JSON has it); ``document`` is what `json_codec.encode`
    makes of it, where that is at hand."""
    type = resource["resourceType"]
    out, registry = Sink(), current()
    _reader(type, registry.of(type))(resource, out)
    words.index(resource, out)
    _list_strings(type, out)
    clinical, precise = date.order(out)
    out.posts.append(type_key(type))
    main = subject(type, resource.get("id", ""), out.posts)
    refers = references(type, document or json_codec.encode(resource))
    return Entries(
        out.posts, out.strings, out.ranges, out.dictionary, clinical, precise, main, refers, registry.generation
    )


def extract_one(resource: Mapping[str, Any], code: str) -> Entries:
    """What the stored parameter ``code``, no date of the order, adds to the index entries of a resource; others may add
    some of it too."""
    type, out = resource["resourceType"], Sink()
    places = composites(type).get(code)
    (_composite_reader(type, places) if places else reader_of(type, code))(resource, out)
    _list_strings(type, out)
    return Entries(out.posts, out.strings, out.ranges, out.dictionary, None, False, "", (), current().generation)


def _list_strings(type: str, out: Sink) -> None:
    grams.index(type, (norm for key, norm in out.strings if key.form == string.FORM), out)


@lru_cache(1024)
def _composite_reader(type: str, places: tuple[Place, ...]) -> Reader:
    return composite_reader(type, places)


def reader_of(type: str, code: str) -> Reader:
    """The function that indexes one parameter alone, without markers."""
    return _reader_of(parameters(type)[code])


@lru_cache(4096)
def _reader_of(parameter: Parameter) -> Reader:
    return reader(parameter.type, parameter)
