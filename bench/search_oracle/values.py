"""The values of a search parameter in a resource: its published expression, evaluated.

FHIR R4 SearchParameter.expression; resolve() is answered by the type that a reference names.
"""

from functools import lru_cache
from typing import Any

from resources import fhirpath
from resources.definitions import SearchParam, search_params
from resources.fhirpath import Hooks

Resource = dict[str, Any]
Value = tuple[str, Any]
"""The FHIR data type, and the value as decoded JSON."""


def _resolve(reference: str) -> Resource | None:
    parts = reference.partition("/_history/")[0].split("/")
    return {"resourceType": parts[-2], "id": parts[-1]} if len(parts) > 1 else None


_HOOKS = Hooks(resolve=_resolve)


def parameter(type: str, name: str) -> SearchParam:
    return search_params(type)[name]


class Reader:
    """Remembers what it has evaluated; resources are told apart by identity and must live as long as it."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], list[Value]] = {}

    def values(self, resource: Resource, name: str) -> list[Value]:
        """Of the parameter ``name``, in the order of the document."""
        key = id(resource), name
        if key not in self._known:
            expression = parameter(resource["resourceType"], name).expression
            self._known[key] = _evaluated(expression, resource, resource)
        return self._known[key]

    def parts(self, resource: Resource, name: str) -> list[list[list[Value]]]:
        """Of a composite: for each of its elements the values of each component."""
        param = parameter(resource["resourceType"], name)
        return [
            [_evaluated(expression, node, resource) for _, expression in param.components]
            for node in compiled(param.expression).nodes(resource, hooks=_HOOKS)
        ]


@lru_cache(maxsize=4096)
def compiled(expression: str) -> fhirpath.Expression:
    return fhirpath.compile(expression)


def _evaluated(expression: str, node: Any, resource: Resource) -> list[Value]:
    found = compiled(expression).nodes(node, resource=resource, hooks=_HOOKS)
    return [value for each in found if (value := _value(each))[1] not in (None, {}, [])]


def _value(node: Any) -> Value:
    if hasattr(node, "value") and hasattr(node, "type"):
        return node.type, node.value
    kind = "boolean" if isinstance(node, bool) else "string" if isinstance(node, str) else type(node).__name__
    return kind, node
