"""Whom an Appointment or Encounter names, and who of them a caller is.

FHIR R4 Appointment.participant.actor, Encounter.subject, Encounter.participant.individual.
"""

from collections.abc import Callable, Iterable
from typing import Any

from resources.errors import FhirError
from resources.literal_reference import local
from video.ports import Role

Json = dict[str, Any]
Look = Callable[[str], Json | None]
"""The resource of a reference such as Practitioner/1, None when there is none."""

ROLES: dict[str, Role] = {
    "Patient": Role.PATIENT,
    "Practitioner": Role.PRACTITIONER,
    "PractitionerRole": Role.PRACTITIONER,
    "RelatedPerson": Role.RELATED,
}
"""What somebody named is in the visit."""
UNKNOWN = {Role.PATIENT: "Patient", Role.PRACTITIONER: "Practitioner", Role.RELATED: "Relative"}


def role_of(reference: str) -> Role | None:
    found = local(reference)
    return ROLES.get(found.type) if found else None


def named(*resources: Json | None) -> list[str]:
    """The references that an Appointment and an Encounter name, each once."""
    found = (reference for resource in resources if resource for reference in _named(resource))
    return list(dict.fromkeys(reference for reference in found if role_of(reference)))


def _named(resource: Json) -> Iterable[str]:
    yield resource.get("subject", {}).get("reference", "")
    for participant in resource.get("participant", ()):
        for element in ("actor", "individual"):
            yield participant.get(element, {}).get("reference", "")


def seat_of(who: str, people: Iterable[str], look: Look) -> str:
    """``who`` as one of ``people``: named themselves, or in a PractitionerRole of theirs; '' when they are not."""
    people = list(people)
    if who in people:
        return who
    for reference in people if who.startswith("Practitioner/") else ():
        if reference.startswith("PractitionerRole/"):
            role = look(reference)
            if role and role.get("practitioner", {}).get("reference") == who:
                return who
    return ""


def patient_of(*resources: Json | None) -> str:
    """The patient whom the visit is about, '' when that is not one."""
    patients = [reference for reference in named(*resources) if reference.startswith("Patient/")]
    return patients[0] if len(patients) == 1 else ""


def shown_name(reference: str, look: Look) -> str:
    """As others in the visit read it."""
    role = role_of(reference)
    try:
        resource = look(reference) or {}
        if reference.startswith("PractitionerRole/"):
            resource = look(resource.get("practitioner", {}).get("reference", "")) or {}
    except FhirError:
        resource = {}
    names = resource.get("name") or [{}]
    name = names[0] if isinstance(names, list) else {}
    spelt = [*name.get("prefix", ()), *name.get("given", ()), name.get("family", "")]
    return str(name.get("text") or " ".join(filter(None, spelt)) or (UNKNOWN[role] if role else ""))[:80]
