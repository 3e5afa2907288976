"""The invariants of clinical, financial and workflow resources, as rules.

FHIR R4 resource definitions (https://hl7.org/fhir/R4/resourcelist.html), constraints of each.
"""

from collections.abc import Mapping
from decimal import Decimal

from resources.validation.nodes import UCUM, children, choice, coded, count, has, has_any, in_order
from resources.validation.references import named_type
from resources.validation.scope import Node, Rule, Scope

_ALLERGY = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
_CONDITION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_WITHOUT_TIMES = ("proposed", "cancelled", "waitlist")


def _allergy_wrong(node: Node) -> bool:
    return coded(node, "verificationStatus", _ALLERGY, "entered-in-error")


def _condition_wrong(node: Node) -> bool:
    return coded(node, "verificationStatus", _CONDITION, "entered-in-error")


def _component_differs(node: Node, scope: Scope) -> bool:
    """Codings are compared whole, as the published intersect() does."""
    if "component" not in node or not choice(node, "value"):
        return True
    own = {repr(sorted(row.items())) for row in children(node, "code", "coding")}
    parts = (repr(sorted(row.items())) for row in children(node, "component", "code", "coding"))
    return not any(part in own for part in parts)


def _member_practitioner(node: Node, scope: Scope) -> bool:
    """The published rule resolves the reference; its text alone says enough or nothing."""
    literal = node.get("member", {}).get("reference", "")
    if not has(node, "onBehalfOf") or not literal:
        return True
    name = scope.contained_types.get(literal[1:], "") if literal[:1] == "#" else named_type(literal)
    return name in ("", "Practitioner")


def _percentages(node: Node | Decimal | int, scope: Scope) -> bool:
    if not isinstance(node, dict):
        return True
    sides = [node[name] for name in ("low", "high") if name in node]
    return all(side.get("code") == "%" and side.get("system") == UCUM for side in sides)


def _genome(node: Node, scope: Scope) -> bool:
    return count(node, "genomeBuild", "referenceSeqId", "referenceSeqPointer", "referenceSeqString") == 1


CLINICAL: Mapping[str, Rule] = {
    "obs-3": Rule(lambda n, s: has_any(n, "low", "high", "text"), "expected low, high or text"),
    "obs-6": Rule(
        lambda n, s: not (has(n, "dataAbsentReason") and choice(n, "value")),
        "dataAbsentReason is only for an observation without value[x]",
    ),
    "obs-7": Rule(
        _component_differs, "value[x] may not be given beside a component whose code is that of the observation"
    ),
    "ait-1": Rule(
        lambda n, s: _allergy_wrong(n) or has(n, "clinicalStatus"),
        "clinicalStatus is required unless verificationStatus is entered-in-error",
    ),
    "ait-2": Rule(
        lambda n, s: not (_allergy_wrong(n) and has(n, "clinicalStatus")),
        "clinicalStatus may not be given when verificationStatus is entered-in-error",
    ),
    "con-1": Rule(lambda n, s: has_any(n, "summary", "assessment"), "expected a summary or an assessment"),
    "con-2": Rule(lambda n, s: has_any(n, "code", "detail"), "expected a code or details"),
    "con-4": Rule(
        lambda n, s: (
            not choice(n, "abatement") or coded(n, "clinicalStatus", _CLINICAL, "resolved", "remission", "inactive")
        ),
        "a condition that has abated has the clinicalStatus inactive, resolved or remission",
    ),
    "con-5": Rule(
        lambda n, s: not (_condition_wrong(n) and has(n, "clinicalStatus")),
        "clinicalStatus may not be given when verificationStatus is entered-in-error",
    ),
    "app-1": Rule(lambda n, s: has_any(n, "type", "actor"), "expected a type or an actor of the participant"),
    "app-2": Rule(lambda n, s: has(n, "start") == has(n, "end"), "expected start and end together, or neither"),
    "app-3": Rule(
        lambda n, s: (has(n, "start") and has(n, "end")) or n.get("status") in _WITHOUT_TIMES,
        "start and end are required unless the status is proposed, cancelled or waitlist",
    ),
    "app-4": Rule(
        lambda n, s: not has(n, "cancelationReason") or n.get("status") in ("no-show", "cancelled"),
        "cancelationReason is only for the status cancelled or no-show",
    ),
    "apr-1": Rule(lambda n, s: has_any(n, "participantType", "actor"), "expected participantType or actor"),
    "cpl-3": Rule(
        lambda n, s: not (has(n, "detail") and has(n, "reference")), "expected detail or reference, not both"
    ),
    "ctm-1": Rule(_member_practitioner, "onBehalfOf is only for a member who is a Practitioner"),
    "cmp-1": Rule(lambda n, s: has_any(n, "text", "entry", "section"), "expected text, entries or sub-sections"),
    "cmp-2": Rule(
        lambda n, s: not (has(n, "emptyReason") and has(n, "entry")),
        "only a section without entries has an emptyReason",
    ),
    "ppc-1": Rule(lambda n, s: has_any(n, "policy", "policyRule"), "expected a policy or a policyRule"),
    "ces-1": Rule(
        lambda n, s: count(n, "category", "productOrService") == 1, "expected either category or productOrService"
    ),
    "fhs-1": Rule(lambda n, s: not (choice(n, "age") and choice(n, "born")), "expected age[x] or born[x], not both"),
    "fhs-2": Rule(lambda n, s: choice(n, "age") or not has(n, "estimatedAge"), "estimatedAge needs age[x]"),
    "gol-1": Rule(lambda n, s: not choice(n, "detail") or has(n, "measure"), "detail[x] needs a measure"),
    "imm-1": Rule(lambda n, s: has_any(n, "documentType", "reference"), "expected documentType or reference"),
    "imr-1": Rule(lambda n, s: has_any(n, "vaccineCode", "targetDisease"), "expected vaccineCode or targetDisease"),
    "mad-1": Rule(lambda n, s: has(n, "dose") or choice(n, "rate"), "expected dose or rate[x]"),
    "mdd-1": Rule(
        lambda n, s: in_order(n.get("whenPrepared"), n.get("whenHandedOver")),
        "expected whenPrepared at or before whenHandedOver",
    ),
    "mrp-1": Rule(
        lambda n, s: n.get("type") != "data-collection" or not has(n, "group"),
        "a report of type data-collection has no group",
    ),
    "mrp-2": Rule(
        lambda n, s: all(has(r, "value") != has(r, "component") for r in children(n, "group", "stratifier", "stratum")),
        "each stratum has either a value or components",
    ),
    "msq-3": Rule(lambda n, s: n.get("coordinateSystem") in (0, 1), "coordinateSystem is 0 or 1"),
    "msq-5": Rule(
        lambda n, s: has(n, "chromosome") == has(n, "genomeBuild"), "expected chromosome and genomeBuild together"
    ),
    "msq-6": Rule(
        _genome, "expected exactly one of genomeBuild, referenceSeqId, referenceSeqPointer and referenceSeqString"
    ),
    "ras-1": Rule(_percentages, "expected low and high in percent (UCUM code %)"),
    "ras-2": Rule(lambda n, s: Decimal(n.get("probabilityDecimal", 0)) <= 100, "expected a probability of 100 at most"),
    "rqg-1": Rule(lambda n, s: has(n, "resource") != has(n, "action"), "expected either a resource or actions"),
    "prr-1": Rule(lambda n, s: not has(n, "orderDetail") or has(n, "code"), "orderDetail needs a code"),
    "inv-1@Task": Rule(
        lambda n, s: in_order(n.get("authoredOn"), n.get("lastModified")),
        "expected authoredOn at or before lastModified",
    ),
    "qrs-1": Rule(lambda n, s: not (has(n, "answer") and has(n, "item")), "expected items below item or below answer"),
}
