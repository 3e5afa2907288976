"""Parameters as the terminology operations answer them.

FHIR R4 Parameters (https://hl7.org/fhir/R4/parameters.html).
"""

from typing import Any

Json = dict[str, Any]


def parameter(name: str, kind: str, value: Any) -> Json:
    """One parameter: ``kind`` is the type as in ``valueString``."""
    return {"name": name, f"value{kind}": value}


def parts(name: str, given: list[Json]) -> Json:
    """One parameter that consists of others."""
    return {"name": name, "part": given}


def parameters(*given: Json | None) -> Json:
    """The resource, without what is None."""
    return {"resourceType": "Parameters", "parameter": [each for each in given if each is not None]}
