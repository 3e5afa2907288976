"""The operations this server does: one row each. Dispatch and CapabilityStatement both read these rows.

FHIR R4 (https://hl7.org/fhir/R4/operationslist.html).
"""

from capability.rows import Operation
from fhir_server.operations.everything import everything
from fhir_server.operations.meta import meta, meta_add, meta_delete
from fhir_server.operations.terminology import TERMINOLOGY
from fhir_server.operations.validate import validate

_BASE = "http://hl7.org/fhir/OperationDefinition"
_ANY: frozenset[str] = frozenset()

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "validate",
        f"{_BASE}/Resource-validate",
        frozenset({"type", "instance"}),
        _ANY,
        validate,
        "Says what is wrong with a resource, as a write would, and stores nothing.",
    ),
    Operation(
        "everything",
        f"{_BASE}/Patient-everything",
        frozenset({"instance"}),
        frozenset({"Patient"}),
        everything,
        "The record of a patient and what it refers to.",
    ),
    Operation(
        "everything",
        f"{_BASE}/Encounter-everything",
        frozenset({"instance"}),
        frozenset({"Encounter"}),
        everything,
        "The record of an encounter and what it refers to.",
    ),
    Operation(
        "meta",
        f"{_BASE}/Resource-meta",
        frozenset({"system", "type", "instance"}),
        _ANY,
        meta,
        "Profiles, tags and security labels of a resource, or those in use for a type or the system.",
    ),
    Operation(
        "meta-add",
        f"{_BASE}/Resource-meta-add",
        frozenset({"instance"}),
        _ANY,
        meta_add,
        "Adds profiles, tags and security labels to a resource.",
        affects_state=True,
    ),
    Operation(
        "meta-delete",
        f"{_BASE}/Resource-meta-delete",
        frozenset({"instance"}),
        _ANY,
        meta_delete,
        "Takes profiles, tags and security labels from a resource.",
        affects_state=True,
    ),
    *TERMINOLOGY,
)
