"""The thorough validator: walks a resource along its definitions and words every issue it finds.

FHIR R4 validation (https://hl7.org/fhir/R4/validation.html): structure, cardinality, values, bindings, invariants.
"""

from collections.abc import Collection
from typing import Any

from resources.definitions import RESOURCE_TYPES, ElementDef, codes, plain_codes
from resources.errors import Issue
from resources.nearest import did_you_mean
from resources.validation.bundles import bundle_issues
from resources.validation.containment import containment_issues
from resources.validation.narrative import narrative_flaw
from resources.validation.plans import Plan, is_primitive, plan, rules_of
from resources.validation.primitives import flaw, shown
from resources.validation.references import named_type
from resources.validation.scope import Node, Rule, Scope

MOST_ISSUES = 200
"""A hostile body could break a rule a million times; nobody reads more than this."""

MOST_GUESSES = 20
"""The nearest name takes milliseconds to find among a thousand codes."""

_LISTED_CODES = 12
_ABSENT: Any = object()
_MALFORMED = (TypeError, AttributeError, ValueError, KeyError, IndexError, ArithmeticError)


class _Enough(Exception):
    """MOST_ISSUES were found."""


def walk(resource: Any) -> list[Issue]:
    """Every issue of ``resource``, in document order, at most MOST_ISSUES."""
    walker = _Walker()
    try:
        walker.resource(resource, "", None)
    except _Enough:
        pass
    except RecursionError:
        walker.issues.append(Issue("structure", "the resource is nested too deeply to be read"))
    return walker.issues


class _Walker:
    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self.guesses = MOST_GUESSES

    def report(self, code: str, path: str, text: str) -> None:
        self.note(Issue(code, f"{path}: {text}" if path else text, path))

    def note(self, issue: Issue) -> None:
        self.issues.append(issue)
        if len(self.issues) >= MOST_ISSUES:
            raise _Enough

    def nearest(self, name: Any, known: Collection[str]) -> str:
        """``; did you mean 'x'?`` or ''."""
        self.guesses -= 1
        return did_you_mean(str(name), known) if self.guesses >= 0 else ""

    # --- resources ------------------------------------------------------------------------------------------------

    def resource(self, node: Any, path: str, outer: Scope | None) -> None:
        """``path`` is '' for the outermost resource, ``outer`` the scope of what contains this one (None: nothing)."""
        if not isinstance(node, dict):
            self.report("structure", path, f"expected a resource (an object), found {shown(node)}")
            return
        name = node.get("resourceType")
        if not isinstance(name, str) or name not in RESOURCE_TYPES:
            self.unknown_type(name, path)
            return
        place = path or name
        self.object(node, plan(name), place, Scope(node, outer))
        for issue in containment_issues(node, place) if outer is None else ():
            self.note(issue)
        for issue in bundle_issues(node, place) if name == "Bundle" else ():
            self.note(issue)

    def unknown_type(self, name: Any, path: str) -> None:
        place = f"{path}.resourceType" if path else "resourceType"
        if name is None:
            self.report("required", place, "expected the name of the resource type, such as 'Patient'")
            return
        near = self.nearest(name, RESOURCE_TYPES)
        self.report("structure", place, f"{shown(name)} is no resource type of FHIR R4{near}")

    # --- objects --------------------------------------------------------------------------------------------------

    def object(self, node: Any, plan: Plan, path: str, scope: Scope, valued: bool = False) -> None:
        """``valued``: the node is what ``_name`` says beside a value, so that an id alone is enough in it."""
        if not isinstance(node, dict):
            self.report("structure", path, f"expected an object ({plan.type.name}), found {shown(node)}")
            return
        before = len(self.issues)
        if plan.type.kind != "resource" and not (node.keys() - {"id"}) and not (valued and node):
            self.report("invariant", path, "an element must have a value or children; leave it out when empty (ele-1)")
        self.members(node, plan, path, scope)
        self.cardinality(node, plan, path)
        self.rules(plan.rules, node, path, scope, clean=len(self.issues) == before)

    def members(self, node: Node, plan: Plan, path: str, scope: Scope) -> None:
        for name, value in node.items():
            element = plan.elements.get(name)
            if element is not None:
                partner = node.get(f"_{name}", _ABSENT) if is_primitive(element.type) else _ABSENT
                self.element(element, value, _ABSENT if element.xml_attribute else partner, path, scope)
            elif name[:1] == "_" and self.extends_primitive(name, plan):
                if name[1:] not in node:
                    self.element(plan.elements[name[1:]], _ABSENT, value, path, scope)
            elif name != "resourceType" or plan.type.kind != "resource":
                self.unknown_element(name, plan, path)

    @staticmethod
    def extends_primitive(name: str, plan: Plan) -> bool:
        element = plan.elements.get(name[1:])
        return element is not None and is_primitive(element.type) and not element.xml_attribute

    def unknown_element(self, name: str, plan: Plan, path: str) -> None:
        near = self.nearest(name, plan.elements.keys())
        short = name if len(name) <= 60 else f"{name[:56]}..."
        self.report("structure", f"{path}.{short}", f"{plan.type.name} has no element {shown(name)}{near}")

    def cardinality(self, node: Node, plan: Plan, path: str) -> None:
        for group in plan.required:
            if not any(_present(node, element) for element in group):
                first = group[0]
                kind = " or ".join(sorted({element.type for element in group})[:_LISTED_CODES])
                name = first.choice or first.name
                self.report("required", f"{path}.{name}", f"this element is required; expected {kind}, found nothing")
        for group in plan.choices:
            found = [element.name for element in group if _present(node, element)]
            if len(found) > 1:
                text = f"expected only one of {group[0].choice}[x], found {' and '.join(found)}"
                self.report("structure", f"{path}.{group[0].choice}", text)

    def rules(self, rules: tuple[tuple[str, Rule], ...], node: Any, path: str, scope: Scope, clean: bool) -> None:
        for key, rule in rules:
            try:
                holds = rule.holds(node, scope)
            except _MALFORMED:
                # A rule cannot be asked of what is malformed; that is reported already, unless only the rule minds.
                holds = not clean
            if not holds:
                self.report("invariant", path, f"{rule.expected} ({key})")

    # --- elements -------------------------------------------------------------------------------------------------

    def element(self, element: ElementDef, value: Any, partner: Any, path: str, scope: Scope) -> None:
        place = f"{path}.{element.choice}.ofType({element.type})" if element.choice else f"{path}.{element.name}"
        if element.max == 1:
            if isinstance(value, list) or isinstance(partner, list):
                self.report("structure", place, "expected one value, found an array")
                return
            self.value(element, value, partner, place, scope)
            return
        if self.is_list(value, place) and self.is_list(partner, place):
            self.items(element, value, partner, place, scope)

    def is_list(self, value: Any, place: str) -> bool:
        if value is _ABSENT or (isinstance(value, list) and value):
            return True
        found = "an empty one (leave the element out)" if value == [] else shown(value)
        self.report("structure", place, f"expected an array with at least one member, found {found}")
        return False

    def items(self, element: ElementDef, value: Any, partner: Any, place: str, scope: Scope) -> None:
        values = [_ABSENT] * len(partner) if value is _ABSENT else value
        partners = [_ABSENT] * len(values) if partner is _ABSENT else partner
        if len(values) != len(partners):
            text = f"expected as many members in _{element.name} as in {element.name} ({len(values)})"
            self.report("structure", place, f"{text}, found {len(partners)}")
            return
        if element.max is not None and len(values) > element.max:
            self.report("structure", place, f"expected at most {element.max}, found {len(values)}")
        for index, (item, extra) in enumerate(zip(values, partners, strict=True)):
            paired = partner is not _ABSENT
            self.value(
                element,
                _ABSENT if paired and item is None else item,
                _ABSENT if paired and extra is None else extra,
                f"{place}[{index}]",
                scope,
            )

    def value(self, element: ElementDef, value: Any, partner: Any, place: str, scope: Scope) -> None:
        before = len(self.issues)
        if is_primitive(element.type):
            self.primitive(element, value, partner, place, scope)
        elif element.type == "Resource":
            contained = element.name == "contained"
            self.resource(value, place, scope if contained else None)
        else:
            self.object(value, plan(element.type), place, scope)
            self.meaning(element, value, place, scope)
        if element.invariants and value is not _ABSENT:
            self.rules(rules_of(element.invariants), value, place, scope, clean=len(self.issues) == before)

    def primitive(self, element: ElementDef, value: Any, partner: Any, place: str, scope: Scope) -> None:
        if partner is not _ABSENT:
            self.object(partner, plan(element.type), place, scope, valued=value is not _ABSENT)
        if value is _ABSENT:
            if partner is _ABSENT:
                self.report("structure", place, "null needs an extension at the same position of the _ array")
            return
        if element.type == "xhtml":
            self.narrative(value, place)
            return
        expected = flaw(element.type, value)
        if expected:
            self.report("value", place, f"{shown(value)} is no {element.type}; expected {expected}")
        elif element.binding and value not in plain_codes(element.binding):
            self.unknown_code(element, value, place)

    # --- values ---------------------------------------------------------------------------------------------------

    def narrative(self, value: Any, place: str) -> None:
        if not isinstance(value, str):
            self.report("value", place, f"expected XHTML in quotes, found {shown(value)}")
            return
        key, expected = narrative_flaw(value)
        if key:
            self.report("invariant", place, f"{expected} ({key})")

    def unknown_code(self, element: ElementDef, value: str, place: str) -> None:
        known = sorted(plain_codes(element.binding))
        choices = f"one of {', '.join(known)}" if len(known) <= _LISTED_CODES else "one of its codes"
        near = "" if len(known) <= _LISTED_CODES else self.nearest(value, known)
        text = f"{shown(value)} is not in the required value set {element.binding}; expected {choices}{near}"
        self.report("code-invalid", place, text)

    def meaning(self, element: ElementDef, value: Any, place: str, scope: Scope) -> None:
        """What only the definition of this very element says of a complex value."""
        if not isinstance(value, dict):
            return
        if element.binding:
            self.binding(element, value, place)
        if element.type == "Reference":
            self.reference(element, value, place, scope)

    def binding(self, element: ElementDef, value: Node, place: str) -> None:
        if not _bound(value, element):
            known = [code for members in codes(element.binding).values() for code in sorted(members)]
            text = f"expected a coding of the required value set {element.binding}"
            self.report("code-invalid", place, f"{text}, such as {', '.join(known[:_LISTED_CODES])}")

    def reference(self, element: ElementDef, value: Node, place: str, scope: Scope) -> None:
        literal, stated = value.get("reference"), value.get("type")
        if isinstance(literal, str) and literal.strip():
            self.literal(element, literal, stated, f"{place}.reference", scope)
        elif isinstance(stated, str) and stated in RESOURCE_TYPES and element.targets and stated not in element.targets:
            self.wrong_target(element, stated, f"{place}.type")

    def literal(self, element: ElementDef, literal: str, stated: Any, place: str, scope: Scope) -> None:
        name = self.type_of(literal, scope)
        if name is None:
            text = "expected Type/id, #id, urn:uuid:..., or an absolute URL"
            self.report("value", place, f"{shown(literal)} is no reference to a resource; {text}")
        elif name and element.targets and name not in element.targets:
            self.wrong_target(element, literal, place)
        elif name and isinstance(stated, str) and stated in RESOURCE_TYPES and stated != name:
            self.report("value", place, f"{shown(literal)} names a {name} but Reference.type says {stated}")

    @staticmethod
    def type_of(literal: str, scope: Scope) -> str | None:
        if literal == "#":
            return str(scope.root.get("resourceType"))
        if literal.startswith("#"):
            return scope.contained_types.get(literal[1:], "")
        return named_type(literal)

    def wrong_target(self, element: ElementDef, found: str, place: str) -> None:
        allowed = " or ".join(element.targets)
        self.report("value", place, f"{shown(found)} refers to the wrong type; expected a reference to {allowed}")


def _present(node: Node, element: ElementDef) -> bool:
    return element.name in node or f"_{element.name}" in node


def _bound(value: Node, element: ElementDef) -> bool:
    """Whether a Coding or CodeableConcept holds a code of the element's required value set."""
    known = codes(element.binding)
    rows = [value] if element.type == "Coding" else value.get("coding", ())
    if not rows and "extension" in value:
        return True
    return isinstance(rows, list) and any(
        isinstance(row, dict) and str(row.get("code")) in known.get(str(row.get("system")), ()) for row in rows
    )
