"""Which rule stands for which invariant of the specification, and which invariants are left out and why.

FHIR R4 constraints of the base definitions, severity error (https://hl7.org/fhir/R4/conformance-rules.html#constraints).
"""

from collections.abc import Mapping

from resources.definitions import Invariant
from resources.validation.rules_clinical import CLINICAL
from resources.validation.rules_conformance import CONFORMANCE
from resources.validation.rules_datatypes import DATATYPES
from resources.validation.scope import Rule

RULES: Mapping[str, Rule] = {**DATATYPES, **CLINICAL, **CONFORMANCE}

ELSEWHERE: Mapping[str, str] = {
    "ele-1": "the walk refuses empty objects, arrays, texts and nulls where it meets them",
    "dom-2": "containment.py, which names the contained resource",
    "dom-3": "containment.py; the published expression overlooks canonicals that begin with #",
    "dom-4": "containment.py",
    "dom-5": "containment.py",
    "txt-1": "narrative.py",
    "txt-2": "narrative.py",
    "bdl-3": "bundles.py, which names the entry",
    "bdl-4": "bundles.py, which names the entry",
    "bdl-7": "bundles.py, which names the entry",
}
"""Invariants that are checked, but not as a rule on a node."""

EXCEPTIONS: Mapping[str, str] = {
    "ppc-2": "cannot fail: the published expression compares with a code system called 'something'",
    "ppc-3": "cannot fail, as ppc-2",
    "ppc-4": "cannot fail, as ppc-2",
    "ppc-5": "cannot fail, as ppc-2",
}
"""Invariants of severity error that are not checked."""


def rule_of(invariant: Invariant) -> Rule | None:
    """The rule of an invariant, None when the walk checks it itself or it is an exception.

    A key that the specification uses twice has a row ``key@context``.
    """
    if invariant.key in ELSEWHERE or invariant.key in EXCEPTIONS:
        return None
    return RULES.get(f"{invariant.key}@{invariant.context}") or RULES[invariant.key]
