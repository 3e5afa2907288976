"""What a caller may find, as a term that every part of a search is intersected with.

FHIR R4 compartments (https://hl7.org/fhir/R4/compartmentdefinition.html). There is no other way into the data: primary
searches, chains, _has, _include, _revinclude, compartment searches and totals all ask here; a type without a rule is
closed.
"""

import msgspec

from fhir_server.store import Stored
from resources import search_param
from resources.repository import Caller
from resources.search_param.terms import All, And, Or, Term

SHARED = frozenset(
    {
        "ActivityDefinition", "CodeSystem", "Endpoint", "HealthcareService", "Library", "Location", "Measure",
        "Medication", "Organization", "PlanDefinition", "Practitioner", "PractitionerRole", "Questionnaire",
        "Schedule", "Slot", "ValueSet",
    }
)  # fmt: skip
"""Types that hold no patient's data: open to a compartment-bound caller whose scopes name the type or ``*``."""

NEVER = frozenset(("Group", "List", "Bundle", "Subscription"))
"""Types that may hold several patients' data and so are open to no compartment-bound caller."""

CLOSED: Term = Or(())
"""Matches nothing."""


def visible(caller: Caller, type: str, term: Term) -> Term:
    """``term``, narrowed to the resources of ``type`` that ``caller`` may see."""
    if caller.compartment is None:
        return term
    return And((restriction(caller, type), term))


def restriction(caller: Caller, type: str) -> Term:
    """All resources of ``type`` that ``caller`` may see; fails closed."""
    if caller.compartment is None:
        return All(type)
    if type in SHARED:
        return All(type) if _scoped(caller, type) else CLOSED
    return CLOSED if type in NEVER else members(type, caller.compartment)


def members(type: str, of: tuple[str, str]) -> Term:
    """The resources of ``type`` in the compartment ``of`` = (type, id), itself included."""
    return search_param.in_compartment(type, *of)


def permitted(caller: Caller, row: Stored) -> bool:
    """The same asked of the document itself, before it leaves: lists are named by hashes, and hashes may collide."""
    if caller.compartment is None or row.type in SHARED:
        return True
    code, id = caller.compartment
    entries = search_param.extract(msgspec.json.decode(row.doc))
    return id in search_param.member_of(entries, row.type, row.id, code)


def _scoped(caller: Caller, type: str) -> bool:
    named = (scope.partition("/")[2].partition(".")[0] for scope in caller.scopes)
    return any(name in ("*", type) for name in named)
