"""Parameters of an operation: from the query of a GET or the Parameters resource of a POST, and back out.

FHIR R4 (https://hl7.org/fhir/R4/operations.html#request, parameters.html).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fhir_server.interactions.criteria import search_pairs
from fhir_server.interactions.exchange import Exchange
from resources.errors import BadSyntax, Invalid, Issue


@dataclass(frozen=True, slots=True)
class Parameters:
    """Input of an operation: ``values`` are the texts of simple parameters, ``resources`` those that are resources,
    ``complex`` those of a complex type (Meta), ``parts`` (name, what it consists of) of those that consist of others.
    A name may stand several times."""

    values: tuple[tuple[str, str], ...]
    resources: dict[str, dict[str, Any]]
    complex: dict[str, dict[str, Any]]
    parts: tuple[tuple[str, "Parameters"], ...] = ()

    def value(self, name: str) -> str:
        """The last value of a simple parameter or ''."""
        found = [value for key, value in self.values if key == name]
        return found[-1] if found else ""

    def all(self, name: str) -> list[str]:
        """All values of a simple parameter; commas separate too."""
        return [part.strip() for key, value in self.values if key == name for part in value.split(",") if part.strip()]


def read_parameters(exchange: Exchange, known: Iterable[str]) -> Parameters:
    """The input. A body that is another resource than Parameters is the parameter ``resource``.

    Raises Invalid for a name that is not ``known``, BadSyntax.
    """
    known = frozenset(known)
    found = Parameters(search_pairs(exchange.request.query), {}, {})
    if exchange.request.method == "POST":
        found = _with_body(exchange, found)
    _refuse_unknown(found, known)
    return found


def _with_body(exchange: Exchange, found: Parameters) -> Parameters:
    if not exchange.request.content_type:  # an operation without parameters may be posted without a body
        if exchange.body():
            exchange.resource()
        return found
    body = exchange.body()
    if not body:
        return found
    resource = exchange.parsed(body)
    if resource["resourceType"] != "Parameters":
        return Parameters(found.values, {"resource": resource}, {})
    return _unfolded(resource, found)


def _unfolded(
    resource: dict[str, Any], found: Parameters, key: str = "parameter", place: str = "Parameters"
) -> Parameters:
    parts = resource.get(key, [])
    if not isinstance(parts, list):
        raise BadSyntax(f"{place}.{key} must be an array.", expression=f"{place}.{key}")
    sorting = _Sorting(list(found.values), dict(found.resources), dict(found.complex), [])
    for index, part in enumerate(parts):
        sorting.take(part, f"{place}.{key}[{index}]")
    return Parameters(tuple(sorting.values), sorting.resources, sorting.complex, tuple(sorting.parts))


@dataclass(slots=True)
class _Sorting:
    """The fields of Parameters as they fill."""

    values: list[tuple[str, str]]
    resources: dict[str, dict[str, Any]]
    complex: dict[str, dict[str, Any]]
    parts: list[tuple[str, Parameters]]

    def take(self, part: Any, place: str) -> None:
        if not isinstance(part, dict) or not isinstance(part.get("name"), str):
            raise BadSyntax("A parameter is an object with a name.", expression=place)
        name = part["name"]
        found = [value for key, value in part.items() if key.startswith("value")]
        if isinstance(part.get("resource"), dict):
            self.resources[name] = part["resource"]
        elif "part" in part and not found:
            self.parts.append((name, _unfolded(part, _NOTHING, "part", place)))
        elif len(found) != 1:
            raise BadSyntax(f"The parameter {name[:60]} needs one value or a resource.", expression=place)
        elif isinstance(found[0], dict):
            self.complex[name] = found[0]
        else:
            self.values.append((name, _as_text(found[0])))


_NOTHING = Parameters((), {}, {})


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refuse_unknown(found: Parameters, known: frozenset[str]) -> None:
    names = [*(name for name, _ in (*found.values, *found.parts)), *found.resources, *found.complex]
    unknown = sorted({name for name in names if name not in known})
    if unknown:
        listed = ", ".join(sorted(known)) or "none"
        raise Invalid(
            issues=[
                Issue("invalid", f"{name[:60]} is no parameter of this operation; those are {listed}.", name[:60])
                for name in unknown
            ]
        )
