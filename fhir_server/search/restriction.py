"""Who may see and change what: the grants of a caller as terms that every part of a search is intersected with.

FHIR R4 compartments (https://hl7.org/fhir/R4/compartmentdefinition.html), SMART App Launch 2.2 scopes. There is no
other way into the data: reads, searches, chains, _has, includes, histories, writes and totals all ask here. Fails
closed: a type without a rule is closed to whoever is confined to a compartment.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Literal

import msgspec

from resources import search_param
from resources.definitions import type_def
from resources.errors import BadSearch, Forbidden
from resources.repository import Caller, Grant, Grants
from resources.search_param.compartments import branches
from resources.search_param.parameters import standard
from resources.search_param.registry import BUILT_IN, using
from resources.search_param.terms import (
    All,
    And,
    Column,
    Key,
    Linked,
    Listed,
    Not,
    Or,
    Post,
    Referred,
    Refers,
    Term,
    Within,
)
from resources.search_param.value_set import asks_for_codes

# --- The table of types, for callers confined to a compartment ---------------------------------------------------

SHARED = frozenset(
    {
        "ActivityDefinition", "CapabilityStatement", "ChargeItemDefinition", "CodeSystem", "CompartmentDefinition",
        "ConceptMap", "DeviceDefinition", "Endpoint", "EventDefinition", "GraphDefinition", "HealthcareService",
        "ImplementationGuide", "InsurancePlan", "Library", "Location", "Measure", "Medication", "MedicationKnowledge",
        "MessageDefinition", "NamingSystem", "ObservationDefinition", "OperationDefinition", "Organization",
        "OrganizationAffiliation", "PlanDefinition", "Practitioner", "PractitionerRole", "Questionnaire",
        "SearchParameter", "SpecimenDefinition", "StructureDefinition", "StructureMap", "Substance",
        "TerminologyCapabilities", "ValueSet",
    }
)  # fmt: skip
"""Types that hold no patient's data: read and searched under a grant that names the type or ``*``, never written."""

OFFERED = frozenset(("Schedule", "Slot"))
"""Types that are shared as long as no other patient is the actor of the Schedule."""

LINKED = frozenset(("Binary", "Provenance")) | OFFERED
"""Types that belong to a patient by what they are linked to; `fhir_server.search.view` knows how."""

OWN_PARAMETERS: dict[str, tuple[str, ...]] = {
    "Device": ("patient",),
    "Task": ("patient",),
    "List": ("subject",),
    "Group": (),
    "AuditEvent": (),
}
"""Types whose membership is by other parameters than the CompartmentDefinition's: linked to one patient
(Device.patient, Task.for, List.subject), never open (Group shows its other members), kept elsewhere (AuditEvent)."""

CLOSED: Term = Or(())
"""Matches nothing."""

CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
LABELS = ("R", "V")
"""Restricted and very restricted: what a grant that is not ``confidential`` does not reach; one that is ``restricted``
reaches the first."""

WORDS = {"c": "create", "r": "read", "u": "update", "d": "delete", "s": "search"}


class Rule(msgspec.Struct, frozen=True):
    """What the grants of one compartment leave of a type. ``patient`` is '' for the whole record.

    ``branches`` are those whose reference to the patient makes a member; ``quick`` that `patient_of` finds the most of
    them; ``linked`` that other resources decide; ``params`` the alternatives of granular scopes (empty: no condition);
    ``labels`` the term of labels that it does not reach, or None.
    """

    type: str
    patient: str = ""
    branches: tuple[str, ...] = ()
    quick: bool = False
    linked: bool = False
    shared: bool = False
    params: tuple[Term, ...] = ()
    labels: Or | None = None

    @property
    def parts(self) -> Iterator[Term]:
        """The terms that a member meets, all of them; none when every resource of the type is one."""
        if self.linked:
            yield Linked(self.type, self.patient)
        elif self.patient and not self.shared:
            own = (Column("id", "eq", self.patient.partition("/")[2]),) if self.type == "Patient" else ()
            yield Or((*own, *(Post(Key(self.type, branch, "ref", self.patient)) for branch in self.branches)))
        if self.params:
            yield self.params[0] if len(self.params) == 1 else Or(self.params)
        if self.labels:  # each by itself: a list that is probed for alone is the quickest test
            yield from (Not(self.type, label) for label in self.labels.terms)


class Restriction(msgspec.Struct, frozen=True):
    """All that a caller may see of a type: the union of ``rules``. ``parts`` are met together; no rule, nothing."""

    type: str
    rules: tuple[Rule, ...]
    parts: tuple[Term, ...]

    @property
    def confined(self) -> bool:
        """Whether every rule is that of one patient."""
        return all(rule.patient for rule in self.rules)

    @property
    def for_new(self) -> "Restriction":
        """The same for what is brought in: a label hides what is stored, it keeps nobody from storing it."""
        return msgspec.structs.replace(self, rules=tuple(msgspec.structs.replace(r, labels=None) for r in self.rules))


_FREE, _REFUSED = "free", "refused"


def restriction(caller: Caller, type: str, permission: str) -> Restriction | None:
    """What ``caller`` may see of ``type`` under a permission of ``cruds``; None: all of it. Raises Forbidden."""
    found = _known(caller.grants, type, permission)
    if found is _FREE:
        return None
    if found is _REFUSED:
        raise Forbidden(f"{type}: {WORDS[permission]} is not granted.")
    assert isinstance(found, Restriction)
    return found


def granted(caller: Caller, type: str, permission: str) -> bool:
    """Whether ``type`` is open to ``caller`` at all."""
    return _known(caller.grants, type, permission) is not _REFUSED


def visible(caller: Caller, type: str, term: Term, permission: str = "s") -> Term:
    """``term``, narrowed to the resources of ``type`` that ``caller`` may see; nothing of a type that is not open."""
    found = _known(caller.grants, type, permission)
    if found is _FREE:
        return term
    if not isinstance(found, Restriction) or not found.rules:
        return CLOSED
    asked = () if isinstance(term, All) and found.parts else term.terms if isinstance(term, And) else (term,)
    parts = (*found.parts, *asked)
    return parts[0] if len(parts) == 1 else And(parts)


def members(type: str, of: tuple[str, str]) -> Term:
    """The resources of ``type`` in the compartment ``of`` = (type, id), itself included."""
    return search_param.in_compartment(type, *of)


def refuse_far(caller: Caller, term: Term) -> None:
    """Raise Forbidden when ``term`` asks something of a type that ``caller`` may not search: a chain or _has would
    tell it. A chain that names no target goes to those that are open, when there is one."""
    if isinstance(term, And):
        for part in term.terms:
            refuse_far(caller, part)
    elif isinstance(term, Not):
        refuse_far(caller, term.term)
    elif isinstance(term, Or):
        _refuse_all(caller, term.terms)
    elif isinstance(term, Within):
        restriction(caller, term.target, "s")
    elif isinstance(term, Listed):
        restriction(caller, "List", "s")
    elif isinstance(term, Refers | Referred):
        restriction(caller, term.target if isinstance(term, Refers) else term.source, "s")
        refuse_far(caller, term.term)


def _refuse_all(caller: Caller, terms: Iterable[Term]) -> None:
    refusal: Forbidden | None = None
    for term in terms:
        try:
            refuse_far(caller, term)
            return
        except Forbidden as error:
            refusal = refusal or error
    if refusal:
        raise refusal


def reach(caller: Caller) -> Grants | None:
    """What a caller who is confined to compartments may refer to, whatever types their scopes name; None for others."""
    found = caller.grants.memo.get(("reach",))
    if found is None:
        found = caller.grants.memo["reach",] = _reach(caller.grants)
    return found or None


def _reach(grants: Grants) -> Grants | Literal[False]:
    if any(grant.compartment is None for grant in grants.all):
        return False
    places = (msgspec.structs.replace(grant, type="*", permissions="rs", params=()) for grant in grants.all)
    return Grants(dict.fromkeys(places))


def unrestricted(caller: Caller, permission: str) -> bool:
    """Whether all of every type is open to ``caller``."""
    return any(grant.type == "*" and permission in grant.permissions and _is_free(grant) for grant in caller.grants.all)


# --- From grants to rules -----------------------------------------------------------------------------------------


def _known(grants: Grants, type: str, permission: str) -> Restriction | str:
    found = grants.memo.get((type, permission))
    if found is None:
        found = grants.memo[type, permission] = _compiled(grants, type, permission)
    return found


def _compiled(grants: Grants, type: str, permission: str) -> Restriction | str:
    given = grants.of(type, permission)
    if not given:
        return _REFUSED
    if any(_is_free(grant) for grant in given):
        return _FREE
    rules = tuple(_merged(rule for grant in given if (rule := _rule(grant, type, permission))))
    return Restriction(type, rules, _parts(rules))


def _is_free(grant: Grant) -> bool:
    return grant.compartment is None and not grant.params and grant.confidential


def _rule(grant: Grant, type: str, permission: str) -> Rule | None:
    """What one grant opens of ``type``; None: nothing."""
    place = _placed(type, grant.compartment, permission)
    params = _condition(type, grant.params)
    if place is None or params is None:
        return None
    labels = None if grant.confidential else _labels(type, LABELS[1:] if grant.restricted else LABELS)
    return msgspec.structs.replace(place, params=params, labels=labels)


def _placed(type: str, compartment: tuple[str, str] | None, permission: str) -> Rule | None:
    """The row of the table for ``type``: how it belongs to a compartment, None when it never does."""
    if compartment is None:
        return Rule(type)
    if compartment[0] != "Patient":
        return None
    patient = "/".join(compartment)
    if type in SHARED:
        return Rule(type, patient, shared=True) if permission in "rs" else None
    if type in LINKED:
        open = type not in OFFERED or permission in "rs"
        return Rule(type, patient, own_branches(type), linked=True) if open else None
    found = own_branches(type)
    return Rule(type, patient, found, quick=_is_quick(type)) if found or type == "Patient" else None


@cache
def own_branches(type: str) -> tuple[str, ...]:
    """The branches by which a resource of ``type`` belongs to a patient."""
    if type not in OWN_PARAMETERS:
        return branches(type, "Patient")
    known = standard(type)
    return tuple(dict.fromkeys(b.text for code in OWN_PARAMETERS[type] for b in known[code].branches))


_MAIN = ("subject", "patient", "beneficiary", "individual", "for")
"""The elements that `resources.main_patient` reads, in its order."""


@cache
def _is_quick(type: str) -> bool:
    """Whether whatever `patient_of` finds in a document of this type makes it a member."""
    elements = [name for name in _MAIN if name in type_def(type).elements]
    paths = {text.partition(" ")[0].partition("(")[0] for text in own_branches(type)}
    return type == "Patient" or (bool(elements) and all(f"{type}.{name}" in paths for name in elements))


def _condition(type: str, params: tuple[tuple[str, str], ...]) -> tuple[Term, ...] | None:
    """The parameters of a granular scope as one term, () without any; None when they cannot be met. They are those of
    the specification: what somebody stores later opens nothing."""
    try:
        with using(BUILT_IN):
            terms = tuple(search_param.compile_param(type, *name.partition(":")[::2], value) for name, value in params)
    except BadSearch:
        return None
    if any(asks_for_codes(term) for term in terms):  # a document alone cannot be asked whether a code is in a set
        return None
    return () if not terms else terms if len(terms) == 1 else (And(terms),)


@cache
def _labels(type: str, codes: tuple[str, ...]) -> Or:
    return Or(tuple(search_param.compile_param(type, "_security", "", f"{CONFIDENTIALITY}|{code}") for code in codes))


def _merged(rules: Iterable[Rule]) -> Iterator[Rule]:
    """Rules that differ in their granular parameters alone become one; a rule without any makes the others needless."""
    alike: dict[Rule, list[Rule]] = {}
    for rule in rules:
        alike.setdefault(msgspec.structs.replace(rule, params=()), []).append(rule)
    for plain, some in alike.items():
        params = tuple(dict.fromkeys(term for rule in some for term in rule.params))
        yield plain if any(not rule.params for rule in some) else msgspec.structs.replace(plain, params=params)


def _parts(rules: tuple[Rule, ...]) -> tuple[Term, ...]:
    if len(rules) == 1:
        return tuple(rules[0].parts)
    return (Or(tuple(_together(rule) for rule in rules)),) if rules else (CLOSED,)


def _together(rule: Rule) -> Term:
    parts = tuple(rule.parts)
    if not parts:
        return All(rule.type)
    return parts[0] if len(parts) == 1 else And(parts)
