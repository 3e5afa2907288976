"""The modifiers :above and :below on references: what refers to a resource, or to one it is part of, or to its parts.

FHIR R4 Search, hierarchical references (https://hl7.org/fhir/R4/search.html#recursive).
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from resources.search_param.parameter import Parameter
from resources.search_param.terms import Key, Or, Post, Term, Within

MODIFIERS = frozenset({"above", "below"})

HIERARCHIES: Mapping[str, str] = MappingProxyType(
    {
        "CarePlan": "part-of", "DeviceDefinition": "parent", "Encounter": "part-of", "Location": "partof",
        "Organization": "partof", "Procedure": "part-of", "ResearchStudy": "partof", "Specimen": "parent",
        "Task": "part-of",
    }
)  # fmt: skip
"""Types whose resources are parts of others of their type, and the parameter that says so."""


def term(parameter: Parameter, how: str, value: str, keys: Sequence[Key], local: str) -> Term:
    """Resources on the lists ``keys`` and on those of what is ``how`` (above, below) the resources they name;
    ``local`` is the form of keys that name resources of this server."""
    terms: list[Term] = []
    for key in keys:
        type, _, id = key.value.partition("/")
        if key.form != local:
            terms.append(Post(key))
        elif type in HIERARCHIES:
            terms.append(Within(parameter.type, key.branch, type, id, how))
    if not any(isinstance(each, Within) for each in terms) and not any(key.form != local for key in keys):
        parameter.refuse(value, f"a reference to {', '.join(HIERARCHIES)}: only those are parts of each other")
    return Or(tuple(terms))
