"""The parameter ``_list``: what a List names, and the lists of a patient that are worked out when they are asked for.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html#list) and current resource lists (lifecycle.html#current).
"""

from collections.abc import Mapping
from types import MappingProxyType

from resources.errors import BadSearch
from resources.literal_reference import is_id
from resources.nearest import did_you_mean
from resources.search_param import compile_param
from resources.search_param.escapes import plain, split
from resources.search_param.terms import And, Listed, Or, Term

Criteria = tuple[tuple[str, str, str], ...]
_ALLERGIES: Criteria = (("clinical-status", "", "active"), ("verification-status", "not", "refuted,entered-in-error"))
FUNCTIONAL: Mapping[str, Mapping[str, Criteria]] = MappingProxyType(
    {
        "$current-problems": {
            "Condition": (
                ("clinical-status", "", "active,recurrence,relapse"),
                ("verification-status", "not", "refuted,entered-in-error"),
            )
        },
        "$current-medications": {
            "MedicationRequest": (("status", "", "active"), ("intent", "not", "proposal")),
            "MedicationStatement": (("status", "", "active"),),
        },
        "$current-allergies": {"AllergyIntolerance": _ALLERGIES},
        "$current-drug-allergies": {"AllergyIntolerance": (*_ALLERGIES, ("category", "", "medication"))},
    }
)
"""For each list the criteria, (parameter, modifier, value), of the types that it holds."""


def term(type: str, name: str, value: str) -> Term:
    """Resources of ``type`` on any of the lists. Raises BadSearch."""
    if name != "_list":
        raise BadSearch(f"{name}: _list takes no modifier")
    values = [plain(part) for part in split(value, ",") if part]
    found = tuple(_one(type, value) for value in values)
    if not found:
        raise BadSearch("_list: expected the id of a List")
    return found[0] if len(found) == 1 else Or(found)


def _one(type: str, value: str) -> Term:
    if not value.startswith("$"):
        id = value.removeprefix("List/")
        if not is_id(id):
            raise BadSearch(f"_list: expected the id of a List or one of {', '.join(FUNCTIONAL)}, found '{value}'")
        return Listed(type, id)
    if value not in FUNCTIONAL:
        hint = did_you_mean(value, FUNCTIONAL) or f"; it has {', '.join(FUNCTIONAL)}"
        raise BadSearch(f"_list: this server has no list '{value}'{hint}")
    of = FUNCTIONAL[value]
    if type not in of:
        raise BadSearch(f"_list: {value} has resources of type {', '.join(of)}, none of type {type}")
    return And(tuple(compile_param(type, *criterion) for criterion in of[type]))
