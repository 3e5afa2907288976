"""Search parameters that are stored with the record of the isolation fuzz, and what is asked by them.

FHIR R4 SearchParameter (https://hl7.org/fhir/R4/searchparameter.html). They read the elements by which charts could
leak: who an observation is of, what a Provenance, a List or a Group names.
"""

from fhir_server.store import Integrity, Store, Write
from fhir_server.store.fill import fill, waiting
from resources import json_codec
from resources.search_param import extract

_ROWS = (
    ("called", "string", "Patient", "Patient.name"),
    ("kin", "reference", "Patient", "Patient.link.other"),
    ("kind", "token", "Observation", "Observation.code"),
    ("strength", "quantity", "Observation", "Observation.value.ofType(Quantity)"),
    ("by", "reference", "Observation", "Observation.performer"),
    ("told-by", "reference", "Condition", "Condition.asserter"),
    ("proves", "reference", "Provenance", "Provenance.target"),
    ("holds", "reference", "List", "List.entry.item"),
    ("within", "reference", "Group", "Group.member.entity"),
)
FILTERS: dict[str, tuple[str, ...]] = {
    "Patient": ("called=smith", "kin:missing=false", "kin.called=jones", "_has:Observation:by:kind=urn:code|a",
                "_has:Group:within:_id=group1", "_has:Condition:told-by:code=urn:code|b", "_has:List:holds:_id=list1"),
    "Observation": ("kind=urn:code|a", "kind:not=urn:code|a", "by:Patient.called=brown", "by:missing=false",
                    "strength=gt4", "_has:Provenance:proves:_lastUpdated=ge2000", "by=Patient/PATIENT",
                    "_has:List:holds:_id=list2"),
    "Condition": ("told-by:Patient.called=jones", "told-by=Patient/PATIENT"),
    "Provenance": ("proves:Observation.kind=urn:code|b", "proves=Patient/PATIENT"),
    "List": ("holds:Observation.kind=urn:code|a",),
    "Group": ("within=Patient/PATIENT", "within:Patient.called=smith"),
}  # fmt: skip
EXPRESSIONS: dict[str, tuple[str, ...]] = {
    "Patient": ("not (_has:Observation:by:kind eq urn:code|a)", "called co o or kin.called sw jones"),
    "Observation": ("not (by.called sw brown)", "kind eq urn:code|c or by pr false"),
}
INCLUDES: dict[str, tuple[str, ...]] = {
    "Patient": ("_revinclude=Observation:by", "_revinclude=Group:within", "_include=Patient:kin",
                "_revinclude=List:holds&_revinclude:iterate=Provenance:proves"),
    "Observation": ("_include=Observation:by", "_revinclude=Provenance:proves", "_revinclude=List:holds"),
    "Condition": ("_include=Condition:told-by",),
    "List": ("_include=List:holds",),
}  # fmt: skip


def put(store: Store, updated: int) -> None:
    """Store them; their indexes are complete when this returns."""
    for code, kind, base, expression in _ROWS:
        resource = {
            "resourceType": "SearchParameter", "id": code, "url": f"urn:parameter:{code}", "name": code, "code": code,
            "status": "active", "description": code, "base": [base], "type": kind, "expression": expression,
            "meta": {"versionId": "1"},
        }  # fmt: skip
        with store.parameters.pinned():
            entries = extract(resource)
        doc = json_codec.encode(resource)
        write = Write("SearchParameter", code, "PUT", 1, updated, doc, entries)
        store.session().write(write, integrity=Integrity(False, False))
        store.parameters.latest()
    for state in waiting(store):
        list(fill(store, state.n))
