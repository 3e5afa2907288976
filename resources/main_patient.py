"""Whose record a stored document belongs to, found without decoding all of it: for the audit trail and the guards.

FHIR R4 Patient compartment (https://hl7.org/fhir/R4/compartmentdefinition-patient.html).
"""

import msgspec


class _Reference(msgspec.Struct, gc=False):
    reference: str = ""


_Found = _Reference | list[_Reference] | None


class _Whose(msgspec.Struct, gc=False):
    """The elements by which R4 types name their main patient."""

    subject: _Found = None
    patient: _Found = None
    beneficiary: _Found = None
    individual: _Found = None
    for_: _Found = msgspec.field(default=None, name="for")


_whose = msgspec.json.Decoder(_Whose)


def patient_of(type: str, id: str, doc: bytes) -> str:
    """``Patient/1`` when ``doc`` is about one patient of this server, else ''."""
    if type == "Patient":
        return f"Patient/{id}"
    if b'"Patient/' not in doc:
        return ""
    try:
        whose = _whose.decode(doc)
    except msgspec.ValidationError:  # an element of one of these names that is no reference
        return ""
    return (
        _patient(whose.subject)
        or _patient(whose.patient)
        or _patient(whose.beneficiary)
        or _patient(whose.individual)
        or _patient(whose.for_)
    )


def _patient(found: _Found) -> str:
    if found is None:
        return ""
    if isinstance(found, list):
        return next((text for item in found if (text := _patient(item))), "")
    text = found.reference
    return text.partition("/_history/")[0] if text.startswith("Patient/") else ""
