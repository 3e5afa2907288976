"""Compartments: which resources belong to a patient, an encounter, a practitioner and so on.

FHIR R4 CompartmentDefinition (https://hl7.org/fhir/R4/compartmentdefinition.html). A resource is a member when one of
the parameters listed for its type refers to the focus; the focus itself is a member.
"""

from functools import cache

from resources import definitions
from resources.search_param import reference
from resources.search_param.parameters import standard
from resources.search_param.terms import Column, Entries, Key, Or, Post, Term

_MAIN = ("patient", "subject", "beneficiary", "individual")
"""Parameters that name the patient a resource is about, the first of them that a type has."""


@cache
def branches(type: str, compartment: str) -> tuple[str, ...]:
    """The branches by which a resource of ``type`` belongs to a compartment; empty: never."""
    codes = definitions.compartment(compartment).get(type, ())
    known = standard(type)
    return tuple(dict.fromkeys(branch.text for code in codes if code in known for branch in known[code].branches))


@cache
def main_branch(type: str) -> str:
    """The branch of the patient a resource of ``type`` is about, or ''."""
    known = standard(type)
    for code in _MAIN:
        if code in known and "Patient" in reference.targets(known[code]):
            return known[code].branches[0].text
    return ""


def in_compartment(type: str, compartment: str, id: str) -> Term:
    """The members of one type of the compartment of ``compartment``/``id``; an Or of nothing when there can be none."""
    keys = [Key(type, branch, reference.LOCAL, f"{compartment}/{id}") for branch in branches(type, compartment)]
    own: tuple[Term, ...] = (Column("id", "eq", id),) if type == compartment else ()
    return Or((*own, *(Post(key) for key in keys)))


def member_of(entries: Entries, type: str, id: str, compartment: str) -> frozenset[str]:
    """The ids of the compartments of one kind that a resource (``type``/``id`` with these entries) belongs to."""
    known = branches(type, compartment)
    prefix = f"{compartment}/"
    found = {
        key.value.removeprefix(prefix)
        for key in entries.posts
        if key.form == reference.LOCAL and key.branch in known and key.value.startswith(prefix)
    }
    return frozenset(found | {id} if type == compartment and id else found)


def subject(type: str, resource_id: str, posts: list[Key]) -> str:
    """The main patient reference (``Patient/1``) of a resource with these postings, or ''."""
    if type == "Patient":
        return f"Patient/{resource_id}" if resource_id else ""
    branch = main_branch(type)
    found = [k[3] for k in posts if k[1] == branch and k[2] == reference.LOCAL and k[3].startswith("Patient/")]
    return found[0] if branch and found else ""
