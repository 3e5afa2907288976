"""The invariants of data types and of the containers Bundle, Parameters and List-like resources, as rules.

FHIR R4 data types (https://hl7.org/fhir/R4/datatypes.html) and metadata types (metadatatypes.html).
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from resources.validation.nodes import UCUM, children, choice, count, distinct, has, has_any, in_order
from resources.validation.scope import Node, Rule, Scope


def _fragment_known(node: Node, scope: Scope) -> bool:
    literal = node.get("reference")
    if not isinstance(literal, str) or literal[:1] != "#":
        return True
    return literal[1:] in scope.contained_types or (literal == "#" and scope.contained)


def _unit_of(node: Node, needs_code: bool = True) -> bool:
    coded = has(node, "code") or not has(node, "value")
    return (coded or not needs_code) and node.get("system", UCUM) == UCUM


def _age(node: Node, scope: Scope) -> bool:
    return _unit_of(node) and node.get("value", 1) > 0


def _count(node: Node, scope: Scope) -> bool:
    whole = "." not in str(node.get("value", 0))
    return _unit_of(node) and node.get("code", "1") == "1" and whole


def _range(node: Node, scope: Scope) -> bool:
    """Only amounts in the same unit can be compared."""
    low, high = node.get("low", {}), node.get("high", {})
    same = all(low.get(name) == high.get(name) for name in ("system", "code", "unit"))
    return not same or "value" not in low or "value" not in high or bool(low["value"] <= high["value"])


def _ratio(node: Node, scope: Scope) -> bool:
    both = has(node, "numerator"), has(node, "denominator")
    return both[0] == both[1] and (both[0] or has(node, "extension"))


def _trigger(node: Node, scope: Scope) -> bool:
    kind = str(node.get("type", ""))
    if kind == "named-event":
        return has(node, "name")
    if kind == "periodic":
        return choice(node, "timing")
    return not kind.startswith("data-") or has(node, "data")


def _least(node: Node, name: str) -> bool:
    return bool(Decimal(node.get(name, 0)) >= 0)


def _parameter(node: Node, scope: Scope) -> bool:
    return choice(node, "value") + count(node, "resource", "part") == 1


def _first_is(node: Node, kind: str, type_name: str) -> bool:
    if node.get("type") != kind:
        return True
    first: list[Any] = children(node, "entry")[:1]
    return bool(first) and first[0].get("resource", {}).get("resourceType") == type_name


DATATYPES: Mapping[str, Rule] = {
    "ext-1": Rule(
        lambda n, s: has(n, "extension") != choice(n, "value"), "expected either a value[x] or extensions, and not both"
    ),
    "ref-1": Rule(_fragment_known, "expected a contained resource with the id that follows the #"),
    "qty-3": Rule(lambda n, s: not has(n, "code") or has(n, "system"), "a unit code needs the system it comes from"),
    "sqty-1": Rule(lambda n, s: not has(n, "comparator"), "a comparator is not allowed here"),
    "age-1": Rule(_age, "expected an age above 0 with a UCUM code of time"),
    "cnt-3": Rule(_count, "expected a whole number with the UCUM code 1"),
    "dis-1": Rule(lambda n, s: _unit_of(n), "expected a UCUM code of length with the value"),
    "drt-1": Rule(
        lambda n, s: not has(n, "code") or (n.get("system") == UCUM and has(n, "value")),
        "a coded duration needs a value and the system http://unitsofmeasure.org",
    ),
    "per-1": Rule(lambda n, s: in_order(n.get("start"), n.get("end")), "expected start at or before end"),
    "rng-2": Rule(_range, "expected low at or below high"),
    "rat-1": Rule(_ratio, "expected numerator and denominator together, or neither and an extension"),
    "att-1": Rule(lambda n, s: not has(n, "data") or has(n, "contentType"), "data needs a contentType"),
    "cpt-2": Rule(
        lambda n, s: not has(n, "value") or has(n, "system"), "a contact value needs its system (phone, ...)"
    ),
    "exp-1": Rule(lambda n, s: has_any(n, "expression", "reference"), "expected an expression or a reference"),
    "drq-1": Rule(lambda n, s: count(n, "path", "searchParam") == 1, "expected either path or searchParam"),
    "drq-2": Rule(lambda n, s: count(n, "path", "searchParam") == 1, "expected either path or searchParam"),
    "trd-1": Rule(
        lambda n, s: not (has(n, "data") and choice(n, "timing")), "expected either timing or data, not both"
    ),
    "trd-2": Rule(lambda n, s: not has(n, "condition") or has(n, "data"), "a condition needs data"),
    "trd-3": Rule(_trigger, "a named event needs a name, a periodic one timing, a data event data"),
    "tim-1": Rule(lambda n, s: not has(n, "duration") or has(n, "durationUnit"), "duration needs durationUnit"),
    "tim-2": Rule(lambda n, s: not has(n, "period") or has(n, "periodUnit"), "period needs periodUnit"),
    "tim-4": Rule(lambda n, s: _least(n, "duration"), "expected a duration of 0 or more"),
    "tim-5": Rule(lambda n, s: _least(n, "period"), "expected a period of 0 or more"),
    "tim-6": Rule(lambda n, s: not has(n, "periodMax") or has(n, "period"), "periodMax needs period"),
    "tim-7": Rule(lambda n, s: not has(n, "durationMax") or has(n, "duration"), "durationMax needs duration"),
    "tim-8": Rule(lambda n, s: not has(n, "countMax") or has(n, "count"), "countMax needs count"),
    "tim-9": Rule(
        lambda n, s: not has(n, "offset") or (has(n, "when") and not {"C", "CM", "CD", "CV"} & set(n.get("when", ()))),
        "offset needs a when that is none of C, CM, CD, CV",
    ),
    "tim-10": Rule(lambda n, s: not (has(n, "timeOfDay") and has(n, "when")), "expected either timeOfDay or when"),
    # --- containers ---
    "bdl-1": Rule(
        lambda n, s: not has(n, "total") or n.get("type") in ("searchset", "history", None),
        "total is only for Bundles of type searchset or history",
    ),
    "bdl-2": Rule(
        lambda n, s: (
            n.get("type") in ("searchset", None) or not any(has(row, "search") for row in children(n, "entry"))
        ),
        "entry.search is only for Bundles of type searchset",
    ),
    "bdl-5": Rule(
        lambda n, s: has_any(n, "resource", "request", "response"), "expected a resource, a request or a response"
    ),
    "bdl-8": Rule(lambda n, s: "/_history/" not in n.get("fullUrl", ""), "fullUrl may not name a version (/_history/)"),
    "bdl-9": Rule(
        lambda n, s: n.get("type") != "document" or all(has(n.get("identifier", {}), k) for k in ("system", "value")),
        "a document needs an identifier with system and value",
    ),
    "bdl-10": Rule(lambda n, s: n.get("type") != "document" or "timestamp" in n, "a document needs a timestamp"),
    "bdl-11": Rule(
        lambda n, s: _first_is(n, "document", "Composition"), "a document begins with an entry that is a Composition"
    ),
    "bdl-12": Rule(
        lambda n, s: _first_is(n, "message", "MessageHeader"), "a message begins with an entry that is a MessageHeader"
    ),
    "inv-1@Parameters.parameter": Rule(_parameter, "expected exactly one of value[x], resource and part"),
    "lst-1": Rule(
        lambda n, s: not (has(n, "emptyReason") and has(n, "entry")), "only an empty list has an emptyReason"
    ),
    "lst-2": Rule(
        lambda n, s: n.get("mode") == "changes" or not any(has(row, "deleted") for row in children(n, "entry")),
        "entry.deleted is only for lists of mode changes",
    ),
    "lst-3": Rule(
        lambda n, s: n.get("mode") == "working" or not any(has(row, "date") for row in children(n, "entry")),
        "entry.date is only for lists of mode working",
    ),
    "grp-1": Rule(
        lambda n, s: not has(n, "member") or n.get("actual") is True, "only a group that is actual has members"
    ),
    "lnk-1": Rule(lambda n, s: len(children(n, "item")) > 1, "expected two items at least"),
    "org-1": Rule(lambda n, s: has_any(n, "identifier", "name"), "expected a name or an identifier"),
    "ipn-1": Rule(lambda n, s: has_any(n, "identifier", "name"), "expected a name or an identifier"),
    "org-2": Rule(lambda n, s: n.get("use") != "home", "an organization has no home address"),
    "org-3": Rule(lambda n, s: n.get("use") != "home", "an organization has no home telecom"),
    "pat-1": Rule(
        lambda n, s: has_any(n, "name", "telecom", "address", "organization"),
        "expected a name, telecom, address or organization of the contact",
    ),
    "sev-1": Rule(lambda n, s: not (has(n, "name") and has(n, "query")), "expected a name or a query, not both"),
    "nsd-1": Rule(
        lambda n, s: n.get("kind") != "root" or "uuid" not in children(n, "uniqueId", "type"),
        "a root system has no uuid as identifier",
    ),
    "nsd-2": Rule(
        lambda n, s: distinct([r.get("type") for r in children(n, "uniqueId") if r.get("preferred") is True]),
        "expected one preferred identifier of each type at most",
    ),
}
