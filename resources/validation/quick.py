"""The quick look: whether a resource is surely valid, in microseconds. A no means only: ask the walker.

FHIR R4 validation (https://hl7.org/fhir/R4/validation.html) by JSON Schema and what a schema cannot say.
"""

from decimal import Decimal
from threading import Lock
from typing import Any

import msgspec

from resources.definitions import RESOURCE_TYPES
from resources.validation.bundles import bundle_issues
from resources.validation.residue import Holds, Residues
from resources.validation.schema import schema_of
from resources.validation.scope import Node, Scope

try:
    import jsonschema_rs
except ImportError:  # no wheel for this platform: the walker validates everything, more slowly
    jsonschema_rs = None  # type: ignore[assignment]

_STAND_IN: Node = {"resourceType": "Basic"}
"""Takes the place of the resources of a Bundle, which are looked at one by one, not as a part of it."""

_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
MOST_TYPES = 64
"""A compiled type takes up to 1 MB; a record that uses more types than this has the walker check the others."""
TOGETHER = (
    (
        *("Patient", "Practitioner", "Organization", "Location", "Encounter", "Appointment", "Condition"),
        *("Observation", "Procedure", "DiagnosticReport", "DocumentReference", "Immunization", "AllergyIntolerance"),
        "MedicationRequest",
    ),
    (
        *("Claim", "ExplanationOfBenefit", "CarePlan", "CareTeam", "Goal", "ImagingStudy", "Device", "Medication"),
        *("MedicationAdministration", "SupplyDelivery", "Provenance", "PractitionerRole", "ServiceRequest"),
    ),
)
"""Types that records hold together are compiled together: a type in company takes half the space and time."""

_MOST_CONTAINED = 32
"""The text is searched once for each, so a thousand would take a thousand times its length."""

_making = Lock()
_looks: dict[str, tuple[Any, Holds]] = {}


def surely_valid(resource: Any) -> bool:
    """Whether ``resource`` is valid beyond doubt. Never raises."""
    if jsonschema_rs is None:
        return False
    try:
        return _valid(resource)
    except Exception:  # noqa: BLE001 - whatever a malformed body does to the quick look, the walker will word it
        return False


def prepare() -> None:
    """Compile the commonest types now (about 60 ms and 6 MB) and not at their first use."""
    if jsonschema_rs is not None:
        _look(TOGETHER[0][0])


def _look(name: str) -> tuple[Any, Holds]:
    return _looks.get(name) or _made(name)


def _made(name: str) -> tuple[Any, Holds]:
    """Under a lock: another thread must not use a residue that is only half filled."""
    with _making:
        if name not in _looks:
            if name not in RESOURCE_TYPES or len(_looks) >= MOST_TYPES:
                raise KeyError(name)
            _compile(next((group for group in TOGETHER if name in group), (name,)))
        return _looks[name]


def _compile(types: tuple[str, ...]) -> None:
    compiled = jsonschema_rs.Draft4Validator(schema_of(types), pattern_options=jsonschema_rs.RegexOptions())
    _looks.update({name: (compiled.is_valid, _residues.of(name)) for name in types})


def _valid(resource: Any) -> bool:
    if "contained" in resource:
        return _valid_with_contained(resource)
    return _valid_alone(resource, Scope(resource))


_residues = Residues(_valid)


def _valid_alone(resource: Node, scope: Scope) -> bool:
    name = resource["resourceType"]
    fits, holds = _look(name)
    if name == "Bundle":
        return fits({name: _shell(resource)}) and holds(resource, scope) and _agreeing(resource)
    return fits({name: resource}) and holds(resource, scope)


def _agreeing(bundle: Node) -> bool:
    return not any(bundle_issues(bundle, ""))


def _shell(bundle: Node) -> Node:
    rows = bundle.get("entry")
    if not isinstance(rows, list):
        return bundle
    return {**bundle, "entry": [{**row, "resource": _STAND_IN} if "resource" in row else row for row in rows]}


def _valid_with_contained(resource: Node) -> bool:
    """Schemas judge the type a reference names, so ``#id`` is first replaced by the type and id of what it names.

    That is done on the text, which takes a tenth of the time of a walk through the tree.
    """
    rows = resource["contained"]
    text = _encode(resource)
    if not 0 < len(rows) <= _MOST_CONTAINED or not all(_well_contained(row, text) for row in rows):
        return False
    for row in rows:
        named = f"{row['resourceType']}/{row['id']}"
        text = text.replace(f'"reference":"#{row["id"]}"'.encode(), f'"reference":"{named}"'.encode())
    outer = _decode(text)
    inner = outer.pop("contained")
    scope = Scope(resource)
    return _valid_alone(outer, scope) and all(_valid_alone(row, Scope(row, scope)) for row in inner)


def _well_contained(row: Node, text: bytes) -> bool:
    meta = row.get("meta", _STAND_IN)
    own = "contained" in row or "versionId" in meta or "lastUpdated" in meta or "security" in meta
    return not own and row["resourceType"] in RESOURCE_TYPES and f'"#{row["id"]}"'.encode() in text
