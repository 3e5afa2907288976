"""FHIRPath: compile an expression once, evaluate it on decoded JSON many times.

FHIRPath N1 (http://hl7.org/fhirpath/N1/) with FHIR R4's additions (https://hl7.org/fhir/R4/fhirpath.html).
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from resources.fhirpath.compiler import compile_tree
from resources.fhirpath.environment import MAX_STEPS, NO_HOOKS, Environment, Hooks
from resources.fhirpath.errors import FhirPathError, PathExecutionError, PathSemanticError, PathSyntaxError
from resources.fhirpath.node import Node, element_type, plain, root
from resources.fhirpath.parser import parse
from resources.fhirpath.singletons import truth
from resources.fhirpath.strict import check

__all__ = [
    "Expression", "FhirPathError", "Hooks", "Node", "PathExecutionError", "PathSemanticError", "PathSyntaxError",
    "compile", "evaluate",
]  # fmt: skip

_NOTHING: Mapping[str, Any] = {}


class Expression:
    """A compiled expression; safe to share between threads.

    All ways to call it take ``node``: a resource or element as decoded JSON (or a ``Node``), and

    - ``resource`` and ``root``: ``%resource`` and ``%rootResource``; ``node`` itself when not given;
    - ``variables``: what ``%name`` gives, by name: a value, a list of values, or a dict;
    - ``hooks``: how resolve(), memberOf() and conformsTo() reach a server.
    """

    __slots__ = ("_run", "context_type", "strict", "text")

    def __init__(self, text: str, context_type: str = "", strict: bool = False) -> None:
        self.text = text
        self.context_type = context_type
        self.strict = strict
        try:
            tree = parse(text)
            self._run = compile_tree(tree)
            if strict:
                check(tree, element_type(context_type))
        except RecursionError as error:
            raise PathSemanticError("the expression is nested too deeply") from error

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def __call__(
        self,
        node: Any,
        *,
        resource: Any = None,
        root: Any = None,
        variables: Mapping[str, Any] | None = None,
        hooks: Hooks = NO_HOOKS,
    ) -> list[Any]:
        """The result as plain values: dict, str, bool, int, Decimal; dates as text. Raises FhirPathError."""
        found = self.nodes(node, resource=resource, root=root, variables=variables, hooks=hooks)
        return [plain(item) for item in found]

    def nodes(
        self,
        node: Any,
        *,
        resource: Any = None,
        root: Any = None,
        variables: Mapping[str, Any] | None = None,
        hooks: Hooks = NO_HOOKS,
        steps: int = MAX_STEPS,
    ) -> list[Any]:
        """The result as ``Node`` for elements (type and place known) and System values; ``steps`` are the items that
        functions may handle. Raises FhirPathError."""
        env = self._environment(node, resource, root, variables or _NOTHING, hooks)
        env.steps = steps
        try:
            return self._run(env)
        except RecursionError as error:
            raise PathExecutionError("the expression is nested too deeply") from error

    def holds(self, node: Any, *, resource: Any = None, root: Any = None, hooks: Hooks = NO_HOOKS) -> bool:
        """Whether ``node`` keeps this invariant: only a result of false breaks it.

        An empty result means that the question does not arise: R4 writes ``fullUrl.contains('/_history/').not()``
        for an entry that need not have a fullUrl. Raises FhirPathError.
        """
        return truth(self.nodes(node, resource=resource, root=root, hooks=hooks)) is not False

    def _environment(
        self, node: Any, resource: Any, root_resource: Any, variables: Mapping[str, Any], hooks: Hooks
    ) -> Environment:
        context = root(node, self.context_type)
        owner = context if resource is None else root(resource)
        whole = owner if root_resource is None else root(root_resource)
        return Environment(context, owner, whole, variables, hooks, self.strict)


@lru_cache(maxsize=2048)
def compile(expression: str, context_type: str = "", strict: bool = False) -> Expression:
    """``expression`` compiled, from a cache.

    ``context_type`` names the type (``HumanName``) or element path (``Patient.contact``) of nodes that are no
    resources. ``strict`` makes unknown elements an error instead of an empty collection, JSON names of choices
    (``valueQuantity``) too. Raises FhirPathError.
    """
    return Expression(expression, context_type, strict)


def evaluate(expression: str, node: Any, **environment: Any) -> list[Any]:
    """``compile(expression)`` applied to ``node``; ``environment`` as of ``Expression``. Raises FhirPathError."""
    return compile(expression)(node, **environment)
