"""$meta, $meta-add and $meta-delete: profiles, tags and security labels without touching the rest.

FHIR R4 (https://hl7.org/fhir/R4/resource-operation-meta.html, resource-operation-meta-add.html, -delete.html).
"""

from collections.abc import Callable, Iterable
from typing import Any

from fhir_server.http.request import parse_query
from fhir_server.http.response import Response
from fhir_server.interactions.exchange import Exchange
from fhir_server.operations.parameters import read_parameters
from resources import json_codec, validation
from resources.errors import Invalid, TooCostly
from resources.repository import Patch, SearchRequest

Meta = dict[str, Any]

_CODINGS = ("security", "tag")
_PAGE, _MOST_PAGES = 1000, 100


def meta(exchange: Exchange) -> Response:
    """$meta: of an instance its meta; of a type or the system all labels in use. Raises NotFound, Gone, TooCostly."""
    read_parameters(exchange, ())
    found = _of_instance(exchange) if exchange.id else _in_use(_metas(exchange))
    return returned(found)


def _of_instance(exchange: Exchange) -> Meta:
    found: Meta = json_codec.decode_stored(exchange.repository.read(exchange.type, exchange.id).doc)["meta"]
    return found


def _metas(exchange: Exchange) -> Iterable[Meta]:
    """The meta of everything the caller may see, page by page."""
    params: tuple[tuple[str, str], ...] = (("_count", str(_PAGE)),)
    for _ in range(_MOST_PAGES):
        page = exchange.repository.search(SearchRequest(exchange.type, params))
        for hit in page.hits:
            yield json_codec.decode_stored(hit.version.doc).get("meta", {})
        if "next" not in page.links:
            return
        params = parse_query(page.links["next"])
    raise TooCostly(
        f"There are more than {_PAGE * _MOST_PAGES} resources here; ask $meta of a type or of one resource."
    )


def _in_use(metas: Iterable[Meta]) -> Meta:
    """All profiles, security labels and tags of ``metas``, each once."""
    total: Meta = {}
    for found in metas:
        total = added(total, {name: found[name] for name in ("profile", *_CODINGS) if name in found})
    return total


def meta_add(exchange: Exchange) -> Response:
    """$meta-add: adds the labels given that are not there yet. Raises Invalid, NotFound, Gone."""
    return _changed(exchange, added)


def meta_delete(exchange: Exchange) -> Response:
    """$meta-delete: takes away the labels given. Raises Invalid, NotFound, Gone."""
    return _changed(exchange, removed)


def _changed(exchange: Exchange, change: Callable[[Meta, Meta], Meta]) -> Response:
    given = read_parameters(exchange, ("meta",)).complex.get("meta")
    if given is None:
        raise Invalid("The parameter meta (a valueMeta) is missing.", expression="Parameters.parameter")
    part = {"name": "meta", "valueMeta": given}
    validation.check({"resourceType": "Parameters", "parameter": [part]})

    def apply(resource: dict[str, Any]) -> dict[str, Any]:
        return {**resource, "meta": change(resource.get("meta", {}), given)}

    [outcome] = exchange.repository.commit([Patch(exchange.type, apply, exchange.id)])
    assert outcome.version is not None
    return returned(json_codec.decode_stored(outcome.version.doc)["meta"])


def added(current: Meta, given: Meta) -> Meta:
    """``current`` with the profiles and labels of ``given`` that it lacks."""
    result = dict(current)
    if "profile" in given:
        result["profile"] = list(dict.fromkeys([*current.get("profile", ()), *given["profile"]]))
    for name in _CODINGS:
        lacking = [coding for coding in given.get(name, ()) if _key(coding) not in map(_key, current.get(name, ()))]
        if lacking:
            result[name] = [*current.get(name, ()), *lacking]
    return result


def removed(current: Meta, given: Meta) -> Meta:
    """``current`` without the profiles and labels of ``given``; what becomes empty goes."""
    result = dict(current)
    result["profile"] = [profile for profile in current.get("profile", ()) if profile not in given.get("profile", ())]
    for name in _CODINGS:
        dropped = {_key(coding) for coding in given.get(name, ())}
        result[name] = [coding for coding in current.get(name, ()) if _key(coding) not in dropped]
    return {name: value for name, value in result.items() if value != []}


def _key(coding: dict[str, Any]) -> tuple[Any, Any]:
    return coding.get("system"), coding.get("code")


def returned(found: Meta) -> Response:
    """The output parameter ``return``."""
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "return", "valueMeta": found}]}
    return Response(200, json_codec.encode(parameters))
