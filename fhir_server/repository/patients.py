"""Whose record a stored document belongs to, found without decoding all of it; for the audit trail.

The main patient element of each type, as in the Patient compartment (https://hl7.org/fhir/R4/compartmentdefinition-patient.html).
"""

import msgspec

# Every R4 type names its one main patient by one of these elements, tried in this order.
_ELEMENTS = ("subject", "patient", "beneficiary", "individual", "for_")


class _Whose(msgspec.Struct, gc=False):
    subject: msgspec.Raw = msgspec.Raw()
    patient: msgspec.Raw = msgspec.Raw()
    beneficiary: msgspec.Raw = msgspec.Raw()
    individual: msgspec.Raw = msgspec.Raw()
    for_: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw, name="for")


class _Reference(msgspec.Struct, gc=False):
    reference: str = ""


_whose = msgspec.json.Decoder(_Whose)
_reference = msgspec.json.Decoder(_Reference | list[_Reference])


def patient_of(type: str, id: str, doc: bytes) -> str:
    """``Patient/1`` when ``doc`` is about one patient of this server, else ''."""
    if type == "Patient":
        return f"Patient/{id}"
    if b'"Patient/' not in doc:
        return ""
    found = _whose.decode(doc)
    return next((text for name in _ELEMENTS if (text := _patient(getattr(found, name)))), "")


def _patient(raw: msgspec.Raw) -> str:
    if b"Patient/" not in bytes(raw):
        return ""
    found = _reference.decode(raw)
    text = found[0].reference if isinstance(found, list) else found.reference
    return text.partition("/_history/")[0] if text.startswith("Patient/") else ""
