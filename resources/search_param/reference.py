"""Reference parameters: local references, absolute URLs, canonicals, and references by identifier.

FHIR R4 Search, reference (https://hl7.org/fhir/R4/search.html#reference). The version of a reference is not searched.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from resources import definitions
from resources.literal_reference import ID, is_id
from resources.search_param import hierarchy, token
from resources.search_param.escapes import plain
from resources.search_param.parameter import Kind, Parameter
from resources.search_param.sink import Factory, Indexer, Sink
from resources.search_param.terms import Key, Or, Post, Term

LOCAL = "ref"
URL = "uri"
IDENTIFIER = "identifier "
"""Prefix of the token forms of Reference.identifier."""

_RELATIVE = re.compile(rf"([A-Z][A-Za-z]+)/({ID})(?:/_history/{ID})?")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:.*", re.DOTALL)


# --- Index --------------------------------------------------------------------------------------------------------


def _reference(type: str, branch: str) -> Indexer:
    by_identifier = token.LEAVES["Identifier"](type, branch)

    def index(value: Mapping[str, Any], out: Sink) -> str:
        identifier = value.get("identifier")
        if identifier is not None:
            _identified(identifier, by_identifier, out)
        text: str | None = value.get("reference")
        if not text or text[0] == "#":
            return str(value.get("type", ""))
        if ":" in text:
            out.posts.append(Key(type, branch, URL, _unversioned(text)))
            return str(value.get("type") or _type_of_url(text))
        place = text.find("/")
        if text.find("/", place + 1) > 0:
            text = _unversioned(text)
        out.posts.append(Key(type, branch, LOCAL, text))
        return text[:place]

    return index


def _identified(identifier: Mapping[str, Any], index: Indexer, out: Sink) -> None:
    found = Sink()
    index(identifier, found)
    out.posts += [key._replace(form=IDENTIFIER + key.form) for key in found.posts]


def _unversioned(text: str) -> str:
    return text.partition("/_history/")[0]


def _type_of_url(url: str) -> str:
    parts = _unversioned(url).rsplit("/", 2)
    return parts[1] if len(parts) == 3 and parts[1] in definitions.RESOURCE_TYPES else ""


def _canonical(type: str, branch: str) -> Indexer:
    def index(value: str, out: Sink) -> str:
        url, _, version = value.partition("|")
        out.posts.append(Key(type, branch, URL, url))
        if version:
            out.posts.append(Key(type, branch, URL, value))
        return ""

    return index


def _resource(type: str, branch: str) -> Indexer:
    def index(value: Mapping[str, Any], out: Sink) -> str:
        kind = str(value.get("resourceType", ""))
        if "id" in value:
            out.posts.append(Key(type, branch, LOCAL, f"{kind}/{value['id']}"))
        return kind

    return index


LEAVES: Mapping[str, Factory] = MappingProxyType(
    {"Reference": _reference, "canonical": _canonical, "uri": _canonical, "Resource": _resource}
)


# --- Query --------------------------------------------------------------------------------------------------------


def term(parameter: Parameter, modifier: str, value: str) -> Term:
    """Resources that refer to ``value``: an id, Type/id or a URL; with a type as modifier an id of that type."""
    if modifier == "identifier":
        return _by_identifier(parameter, value)
    text = plain(value)
    if modifier and modifier not in hierarchy.MODIFIERS:
        text = _typed(parameter, modifier, text)
    keys = [key for branch in parameter.branches for key in _keys(parameter, branch.text, branch.target, text)]
    if modifier in hierarchy.MODIFIERS:
        return hierarchy.term(parameter, modifier, value, keys, LOCAL)
    return Or(tuple(Post(key) for key in keys))


def _by_identifier(parameter: Parameter, value: str) -> Term:
    identifier = parameter._replace(branches=tuple(_identifier_branches(parameter)))
    posts = [t for b in identifier.branches for t in token.token_terms(identifier, b, value)]
    moved = [Post(t.key._replace(form=IDENTIFIER + t.key.form)) for t in posts if isinstance(t, Post)]
    return Or(tuple(moved))


def _identifier_branches(parameter: Parameter) -> list[Any]:
    leaves = [(branch, [leaf._replace(type="Identifier") for leaf in branch.leaves]) for branch in parameter.branches]
    return [branch._replace(leaves=tuple(changed)) for branch, changed in leaves]


def _typed(parameter: Parameter, modifier: str, text: str) -> str:
    if modifier not in targets(parameter):
        allowed = ", ".join(targets(parameter)[:12])
        parameter.refuse(f":{modifier}", f"the modifier identifier, missing or one of the types {allowed}")
    if "/" in text and not text.startswith(f"{modifier}/") and ":" not in text:
        parameter.refuse(text, f"the id of a {modifier}")
    return text if "/" in text else f"{modifier}/{text}"


def _keys(parameter: Parameter, branch: str, target: str, text: str) -> list[Key]:
    if _ABSOLUTE.fullmatch(text):
        return [Key(parameter.type, branch, URL, _unversioned(text))]
    relative = _RELATIVE.fullmatch(text)
    if relative:
        if relative[1] not in definitions.RESOURCE_TYPES or target not in ("", relative[1]):
            parameter.refuse(
                text, f"a reference to {target or 'a resource type of FHIR R4'}, such as {target or 'Patient'}/1"
            )
        return [Key(parameter.type, branch, LOCAL, f"{relative[1]}/{relative[2]}")]
    if not is_id(text):
        parameter.refuse(text, "an id, a reference such as Patient/1, or an absolute URL")
    return [
        Key(parameter.type, branch, LOCAL, f"{kind}/{text}") for kind in ([target] if target else targets(parameter))
    ]


def targets(parameter: Parameter) -> tuple[str, ...]:
    """The resource types the parameter may refer to: those of ``resolve() is``, else its declared targets, else all."""
    asked = [branch.target for branch in parameter.branches]
    if asked and all(asked):
        return tuple(dict.fromkeys(asked))
    known = tuple(t for t in parameter.targets if t in definitions.RESOURCE_TYPES)
    return known or tuple(sorted(definitions.RESOURCE_TYPES))


def is_followed(parameter: Parameter) -> bool:
    """Whether some element of the parameter is a Reference: canonicals and uris name no resource by its id."""
    leaves = {leaf.type for branch in parameter.branches for leaf in branch.leaves}
    return not leaves or bool(leaves - {"canonical", "uri"})


class _AnyModifier(frozenset[str]):
    """The modifiers of references: identifier, and any resource type (checked against the targets by ``term``)."""

    def __contains__(self, modifier: object) -> bool:
        return super().__contains__(modifier) or modifier in definitions.RESOURCE_TYPES


KIND = Kind(LEAVES, _AnyModifier({"identifier"} | hierarchy.MODIFIERS), term)
