"""Entries of a Bundle as repository commands, by a table of method and shape of the URL.

FHIR R4 (https://hl7.org/fhir/R4/http.html#trules), conditional references and entries (#cond-update, #ccreate).
"""

import base64
from collections.abc import Callable

from fhir_server.http.conditional import if_match, if_none_match_any
from fhir_server.http.negotiation import media_type
from fhir_server.interactions.addresses import checked_id, checked_type, shape
from fhir_server.interactions.bundle_entries import Entry
from fhir_server.interactions.create import cleaned_criteria, of_type
from fhir_server.interactions.criteria import criteria_text, search_pairs
from fhir_server.interactions.patch import PATCH_FORMATS, Apply, parameters_patch
from fhir_server.interactions.update import with_id
from fhir_server.interactions.vread import version_number
from resources.errors import BadSyntax, FhirError, Invalid, UnsupportedMediaType
from resources.repository import Command, Create, Delete, Find, Patch, Put, Read, SearchRequest


def command_of(entry: Entry, lenient: bool = False) -> Command | None:
    """The command of an entry, None for what is no plain interaction (history, operations).

    Raises FhirError naming the entry.
    """
    build = _COMMANDS.get((entry.method, shape(entry.segments)))
    if build is None:
        return None
    try:
        return build(entry, lenient)
    except FhirError as error:
        raise error.within(entry.place) from None


def _create(entry: Entry, lenient: bool) -> Command:
    type = checked_type(entry.segments[0])
    criteria = cleaned_criteria(entry.if_none_exist, type) if entry.if_none_exist else None
    return Create(of_type(entry.resource or {}, type), if_none_exist=criteria, full_url=entry.full_url)


def _update(entry: Entry, lenient: bool) -> Command:
    type, id = checked_type(entry.segments[0]), checked_id(entry.segments[1])
    resource = with_id(of_type(entry.resource or {}, type), id)
    return Put(
        resource, type, id, None, if_match(entry.if_match), if_none_match_any(entry.if_none_match), entry.full_url
    )


def _conditional_update(entry: Entry, lenient: bool) -> Command:
    type = checked_type(entry.segments[0])
    resource = of_type(entry.resource or {}, type)
    criteria = criteria_text(entry.query)
    return Put(
        resource, type, "", criteria, if_match(entry.if_match), if_none_match_any(entry.if_none_match), entry.full_url
    )


def _patch(entry: Entry, lenient: bool) -> Command:
    type, id = checked_type(entry.segments[0]), checked_id(entry.segments[1])
    return Patch(type, _apply(entry), id, None, if_match(entry.if_match), entry.full_url)


def _conditional_patch(entry: Entry, lenient: bool) -> Command:
    type = checked_type(entry.segments[0])
    return Patch(type, _apply(entry), "", criteria_text(entry.query), if_match(entry.if_match), entry.full_url)


def _apply(entry: Entry) -> Apply:
    """The patch an entry carries: a Parameters resource, or a Binary of a patch format."""
    resource = entry.resource or {}
    if resource["resourceType"] != "Binary":
        return parameters_patch(resource)
    name, _ = media_type(str(resource.get("contentType", "")))
    if name not in PATCH_FORMATS:
        raise UnsupportedMediaType(
            f"A patch in a Binary has the contentType {' or '.join(PATCH_FORMATS)}, not {name[:60]}."
        )
    try:
        return PATCH_FORMATS[name](base64.b64decode(str(resource.get("data", "")), validate=True))
    except ValueError:
        raise BadSyntax("Binary.data is no base64.", expression="Binary.data") from None


def _delete(entry: Entry, lenient: bool) -> Command:
    type, id = checked_type(entry.segments[0]), checked_id(entry.segments[1])
    return Delete(type, id, None, if_match(entry.if_match), entry.full_url)


def _conditional_delete(entry: Entry, lenient: bool) -> Command:
    type = checked_type(entry.segments[0])
    return Delete(type, "", criteria_text(entry.query), if_match(entry.if_match), entry.full_url)


def _read(entry: Entry, lenient: bool) -> Command:
    return Read(checked_type(entry.segments[0]), checked_id(entry.segments[1]))


def _vread(entry: Entry, lenient: bool) -> Command:
    type, id = checked_type(entry.segments[0]), checked_id(entry.segments[1])
    return Read(type, id, version_number(entry.segments[3], f"{type}/{id}"))


def _search_system(entry: Entry, lenient: bool) -> Command:
    return Find(SearchRequest("", search_pairs(entry.query), lenient=lenient))


def _search_type(entry: Entry, lenient: bool) -> Command:
    return Find(SearchRequest(checked_type(entry.segments[0]), search_pairs(entry.query), lenient=lenient))


def _search_compartment(entry: Entry, lenient: bool) -> Command:
    owner, id, type = checked_type(entry.segments[0]), checked_id(entry.segments[1]), entry.segments[2]
    found = "" if type == "*" else checked_type(type)
    return Find(SearchRequest(found, search_pairs(entry.query), (owner, id), lenient))


def _no_place(entry: Entry, lenient: bool) -> Command:
    raise Invalid(f"request.url {entry.url[:200]!r} does not fit {entry.method}: it is [type] or [type]/[id].")


_COMMANDS: dict[tuple[str, str], Callable[[Entry, bool], Command]] = {
    ("POST", "{type}"): _create,
    ("PUT", "{type}/{id}"): _update,
    ("PUT", "{type}"): _conditional_update,
    ("PATCH", "{type}/{id}"): _patch,
    ("PATCH", "{type}"): _conditional_patch,
    ("DELETE", "{type}/{id}"): _delete,
    ("DELETE", "{type}"): _conditional_delete,
    ("GET", "{type}/{id}"): _read,
    ("GET", "{type}/{id}/_history/{vid}"): _vread,
    ("GET", ""): _search_system,
    ("GET", "{type}"): _search_type,
    ("GET", "{type}/{id}/{other}"): _search_compartment,
    ("GET", "{type}/{id}/*"): _search_compartment,
    ("POST", ""): _no_place,
    ("PUT", ""): _no_place,
    ("PATCH", ""): _no_place,
    ("DELETE", ""): _no_place,
    ("POST", "{type}/{id}"): _no_place,
}
