"""Where a rule is asked: the resource around the element and the resource that contains that one.

FHIR R4 FHIRPath variables %resource and %rootResource (https://hl7.org/fhir/R4/fhirpath.html#variables).
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

Node = dict[str, Any]


class Scope:
    """``resource`` is the nearest resource, ``root`` its container (itself unless ``resource`` is contained)."""

    def __init__(self, resource: Node, outer: "Scope | None" = None) -> None:
        self.resource = resource
        self.outer = outer
        self.root: Node = resource if outer is None else outer.root

    @property
    def contained(self) -> bool:
        return self.outer is not None

    @cached_property
    def contained_types(self) -> Mapping[str, str]:
        """Resource type by id of what the root contains."""
        if self.outer is not None:
            return self.outer.contained_types
        rows = self.resource.get("contained", ())
        found = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        return {str(row.get("id")): str(row.get("resourceType")) for row in found}


class Rule(NamedTuple):
    """An invariant: ``holds`` says whether a node obeys it, ``expected`` what must be true, as a sentence."""

    holds: Callable[[Node, Scope], bool]
    expected: str
