"""What an expression sees beside its input: ``$this``, ``%resource``, the clock, hooks into the server, and its limits.

FHIRPath N1, environment variables (http://hl7.org/fhirpath/N1/#environment-variables);
FHIR R4 FHIRPath variables (https://hl7.org/fhir/R4/fhirpath.html#variables).
"""

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from resources.fhirpath import temporal
from resources.fhirpath.errors import PathExecutionError, PathSemanticError
from resources.fhirpath.node import Node, root
from resources.fhirpath.temporal import Temporal

MAX_STEPS = 2_000_000
"""Items one evaluation may handle inside functions; dom-3 on the largest official example needs under a tenth."""
MAX_SECONDS = 5.0
"""How long one evaluation may take."""
MAX_PATTERN_SECONDS = 1.0
"""How long its regular expressions may take together; a catastrophic one ends with an error, not a hung worker."""

Items = list[Any]
Run = Callable[["Environment"], Items]

_CONSTANTS = {
    "ucum": "http://unitsofmeasure.org",
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
}
_PREFIXES = {"vs-": "http://hl7.org/fhir/ValueSet/", "ext-": "http://hl7.org/fhir/StructureDefinition/"}


class Hooks:
    """How the functions that need a server reach it; each may be left None.

    ``resolve(reference) -> resource or None``; ``member_of(value, url) -> bool or None`` for memberOf();
    ``conforms_to(resource, url) -> bool or None`` for conformsTo() of profiles.
    """

    __slots__ = ("conforms_to", "member_of", "resolve")

    def __init__(
        self,
        resolve: Callable[[str], dict[str, Any] | None] | None = None,
        member_of: Callable[[Any, str], bool | None] | None = None,
        conforms_to: Callable[[dict[str, Any], str], bool | None] | None = None,
    ) -> None:
        self.resolve = resolve
        self.member_of = member_of
        self.conforms_to = conforms_to


NO_HOOKS = Hooks()


class Environment:
    """One evaluation. ``this``, ``index`` and ``total`` change as functions walk their input."""

    __slots__ = (
        "_now", "context", "deadline", "hooks", "index", "pattern_seconds", "resource", "root", "steps", "strict",
        "this", "total", "variables",
    )  # fmt: skip

    def __init__(
        self,
        context: Node,
        resource: Node,
        root_resource: Node,
        variables: Mapping[str, Any],
        hooks: Hooks,
        strict: bool,
    ) -> None:
        self.context = context
        self.resource = resource
        self.root = root_resource
        self.variables = variables
        self.hooks = hooks
        self.strict = strict
        self.this: Items = [context]
        self.index: int | None = None
        self.total: Items = []
        self.steps = MAX_STEPS
        self.deadline = monotonic() + MAX_SECONDS
        self.pattern_seconds = MAX_PATTERN_SECONDS
        self._now: Temporal | None = None

    @property
    def now(self) -> Temporal:
        """The moment of this evaluation, the same however often it is asked for."""
        if self._now is None:
            self._now = temporal.now()
        return self._now

    def spend(self, steps: int) -> None:
        """Count work. Raises PathExecutionError beyond MAX_STEPS or MAX_SECONDS."""
        self.steps -= steps
        if self.steps < 0 or monotonic() > self.deadline:
            raise PathExecutionError("the expression takes too many steps on these data")

    def constant(self, name: str) -> Items:
        """The value of ``%name``. Raises PathSemanticError for an unknown one."""
        if name in self.variables:
            return _items(self.variables[name])
        if name in _NODES:
            return [getattr(self, _NODES[name])]
        if name in _CONSTANTS:
            return [_CONSTANTS[name]]
        for prefix, url in _PREFIXES.items():
            if name.startswith(prefix):
                return [url + name.removeprefix(prefix)]
        raise PathSemanticError(f"%{name} is not defined")


_NODES = {"resource": "resource", "rootResource": "root", "context": "context"}


def _items(value: Any) -> Items:
    if value is None:
        return []
    values = value if isinstance(value, list) else [value]
    return [root(part) if isinstance(part, dict) else part for part in values]
