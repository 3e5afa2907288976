"""The invariants of terminology, capability, questionnaire, test and mapping resources, as rules.

FHIR R4 foundation and conformance resources (https://hl7.org/fhir/R4/resourcelist.html), constraints of each.
"""

from collections.abc import Mapping

from resources.validation.nodes import children, count, descendants, distinct, has, has_any
from resources.validation.rules_structure import STRUCTURE
from resources.validation.scope import Node, Rule, Scope


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ANSWER_TYPES = _words("choice open-choice decimal integer date dateTime time string quantity")
_LENGTH_TYPES = _words("boolean decimal integer string text url open-choice")
_WITHOUT_SOURCE = ("capabilities", "search", "transaction", "history")
_ASSERTIONS = _words(
    "contentType expression headerField minimumId navigationLinks path requestMethod resource responseCode response"
    " validateProfileId"
)


def _group_or_display(node: Node, scope: Scope) -> bool:
    kind = node.get("type")
    return has(node, "item") if kind == "group" else kind != "display" or not has(node, "item")


def _one_operation(node: Node, scope: Scope) -> bool:
    return count(node, "operation", "assert") == 1


def _sourced(node: Node, scope: Scope) -> bool:
    single = count(node, "targetId", "url", "params") == 1
    return has(node, "sourceId") or single or node.get("type", {}).get("code") in _WITHOUT_SOURCE


def _one_assertion(node: Node, scope: Scope) -> bool:
    return has(node, "extension") or count(node, *_ASSERTIONS) <= 1


def _compared(node: Node, scope: Scope) -> bool:
    return has(node, "compareToSourceId") == has_any(node, "compareToSourceExpression", "compareToSourcePath")


def _response_only(node: Node, scope: Scope) -> bool:
    return node.get("direction") != "request" or not has_any(node, "response", "responseCode")


def _unique_codes(node: Node, scope: Scope) -> bool:
    rows = [row for below in (node, *descendants(node)) for row in children(below, "concept")]
    return distinct([row.get("code") for row in rows])


def _unique_links(node: Node, scope: Scope) -> bool:
    return distinct([row["linkId"] for row in descendants(node) if "linkId" in row])


def _stratified(node: Node, scope: Scope) -> bool:
    rows = children(node, "group", "stratifier")
    return all(has_any(row, "code", "description", "criteria") != has(row, "component") for row in rows)


def _known_versions(node: Node, scope: Scope) -> bool:
    used = children(node, "definition", "resource", "fhirVersion")
    return set(used) <= set(children(node, "fhirVersion"))


def _known_groupings(node: Node, scope: Scope) -> bool:
    return set(children(node, "resource", "groupingId")) <= set(children(node, "grouping", "id"))


_DESCRIBED = Rule(
    lambda n, s: has_any(n, "description", "software", "implementation"),
    "expected a description, software or implementation",
)
_INSTANCE = Rule(
    lambda n, s: n.get("kind") != "instance" or has(n, "implementation"), "kind instance needs implementation"
)
_CAPABILITY = Rule(
    lambda n, s: n.get("kind") != "capability" or (has(n, "software") and not has(n, "implementation")),
    "kind capability needs software and has no implementation",
)
_REQUIREMENTS = Rule(
    lambda n, s: n.get("kind") != "requirements" or not has_any(n, "software", "implementation"),
    "kind requirements has neither software nor implementation",
)
_OPERATION_OR_ASSERT = Rule(_one_operation, "expected either an operation or an assert")
_SOURCED = Rule(_sourced, "expected sourceId, or exactly one of targetId, url and params")
_ASSERTION = Rule(_one_assertion, "expected one assertion only")
_COMPARED = Rule(_compared, "compareToSourceId goes with compareToSourceExpression or compareToSourcePath")
_RESPONSE = Rule(_response_only, "direction request has neither response nor responseCode")

_TERMINOLOGY: Mapping[str, Rule] = {
    "csd-1": Rule(_unique_codes, "expected each code of the code system once"),
    "cmd-1": Rule(
        lambda n, s: has(n, "comment") or n.get("equivalence") not in ("narrower", "inexact"),
        "a narrower or inexact map needs a comment",
    ),
    "cmd-2": Rule(lambda n, s: n.get("mode") != "fixed" or has(n, "code"), "mode fixed needs a code"),
    "cmd-3": Rule(lambda n, s: n.get("mode") != "other-map" or has(n, "url"), "mode other-map needs a url"),
    "vsd-1": Rule(lambda n, s: has_any(n, "valueSet", "system"), "expected a valueSet or a system"),
    "vsd-2": Rule(
        lambda n, s: has(n, "system") or not has_any(n, "concept", "filter"), "concepts and filters need a system"
    ),
    "vsd-3": Rule(lambda n, s: not (has(n, "concept") and has(n, "filter")), "expected concepts or filters, not both"),
    "vsd-6": Rule(lambda n, s: has_any(n, "code", "display"), "expected a code or a display"),
    "vsd-9": Rule(lambda n, s: has(n, "code") or n.get("abstract") is True, "expected a code unless abstract is true"),
    "vsd-10": Rule(lambda n, s: not has(n, "code") or has(n, "system"), "a code needs a system"),
    "tcp-1": Rule(
        lambda n, s: len(children(n, "version")) <= 1 or all(has(row, "code") for row in children(n, "version")),
        "each of several versions needs a code",
    ),
    "tcp-2": _DESCRIBED,
    "tcp-3": _INSTANCE,
    "tcp-4": _CAPABILITY,
    "tcp-5": _REQUIREMENTS,
}

_CAPABILITIES: Mapping[str, Rule] = {
    "cpb-1": Rule(lambda n, s: has_any(n, "rest", "messaging", "document"), "expected rest, messaging or document"),
    "cpb-2": _DESCRIBED,
    "cpb-3": Rule(
        lambda n, s: n.get("kind") == "instance" or not children(n, "messaging", "endpoint"),
        "messaging.endpoint is only for kind instance",
    ),
    "cpb-7": Rule(
        lambda n, s: distinct([(row.get("profile"), row.get("mode")) for row in children(n, "document")]),
        "expected each document profile and mode once",
    ),
    "cpb-9": Rule(lambda n, s: distinct(children(n, "resource", "type")), "expected each resource type once"),
    "cpb-12": Rule(lambda n, s: distinct(children(n, "searchParam", "name")), "expected each search parameter once"),
    "cpb-14": _INSTANCE,
    "cpb-15": _CAPABILITY,
    "cpb-16": _REQUIREMENTS,
    "opd-1": Rule(lambda n, s: has_any(n, "type", "part"), "expected a type or parts"),
    "opd-2": Rule(
        lambda n, s: not has(n, "searchType") or n.get("type") == "string", "searchType is only for the type string"
    ),
    "opd-3": Rule(
        lambda n, s: not has(n, "targetProfile") or n.get("type") in ("Reference", "canonical"),
        "targetProfile is only for the types Reference and canonical",
    ),
    "spd-1": Rule(lambda n, s: not has(n, "xpath") or has(n, "xpathUsage"), "xpath needs xpathUsage"),
    "spd-2": Rule(lambda n, s: not has(n, "chain") or n.get("type") == "reference", "chain is only for references"),
    "md-1": Rule(
        lambda n, s: n.get("max", "*") == "*" or (n["max"].isdecimal() and int(n["max"]) > 0),
        "expected a max above 0, or *",
    ),
    "ig-1": Rule(_known_groupings, "groupingId names a grouping of this guide"),
    "ig-2": Rule(_known_versions, "fhirVersion of a resource is one of the guide's own"),
    "mea-1": Rule(_stratified, "a stratifier has either a criteria of its own or components"),
    "smp-1": Rule(lambda n, s: not has(n, "element") or has(n, "context"), "element needs context"),
    "smp-2": Rule(lambda n, s: not has(n, "context") or has(n, "contextType"), "context needs contextType"),
}

_QUESTIONNAIRES: Mapping[str, Rule] = {
    "que-1": Rule(_group_or_display, "a group has items, a display item has none"),
    "que-2": Rule(_unique_links, "expected each linkId once"),
    "que-3": Rule(lambda n, s: n.get("type") != "display" or not has(n, "code"), "a display item has no code"),
    "que-4": Rule(
        lambda n, s: not (has(n, "answerOption") and has(n, "answerValueSet")),
        "expected answerOption or answerValueSet, not both",
    ),
    "que-5": Rule(
        lambda n, s: n.get("type") in _ANSWER_TYPES or not has_any(n, "answerValueSet", "answerOption"),
        "answer options are only for questions with a choice",
    ),
    "que-6": Rule(
        lambda n, s: n.get("type") != "display" or not has_any(n, "required", "repeats"),
        "a display item has neither required nor repeats",
    ),
    "que-7": Rule(
        lambda n, s: n.get("operator") != "exists" or has(n, "answerBoolean"), "operator exists needs answerBoolean"
    ),
    "que-8": Rule(
        lambda n, s: n.get("type") not in ("group", "display") or not has(n, "initial"),
        "groups and display items have no initial value",
    ),
    "que-9": Rule(lambda n, s: n.get("type") != "display" or not has(n, "readOnly"), "a display item has no readOnly"),
    "que-10": Rule(
        lambda n, s: n.get("type") in _LENGTH_TYPES or not has(n, "maxLength"),
        "maxLength is only for simple questions",
    ),
    "que-11": Rule(
        lambda n, s: not (has(n, "answerOption") and has(n, "initial")),
        "with answerOption use initialSelected, not initial",
    ),
    "que-12": Rule(
        # The published expression says "> 2" where its words say "more than one".
        lambda n, s: len(children(n, "enableWhen")) <= 1 or has(n, "enableBehavior"),
        "several enableWhen need enableBehavior",
    ),
    "que-13": Rule(
        lambda n, s: n.get("repeats") is True or len(children(n, "initial")) <= 1,
        "several initial values are only for items that repeat",
    ),
}

_TESTS: Mapping[str, Rule] = {
    "inv-1@TestReport.setup.action": _OPERATION_OR_ASSERT,
    "inv-2": _OPERATION_OR_ASSERT,
    "tst-1": _OPERATION_OR_ASSERT,
    "tst-2": _OPERATION_OR_ASSERT,
    "tst-3": Rule(
        lambda n, s: count(n, "expression", "headerField", "path") < 3,
        "expected one of expression, headerField and path",
    ),
    "tst-4": Rule(
        lambda n, s: any(has_any(row, "required", "validated") for row in children(n, "capability")),
        "a capability says required or validated",
    ),
    "tst-5": _ASSERTION,
    "tst-6": _ASSERTION,
    "tst-7": _SOURCED,
    "tst-8": _SOURCED,
    "tst-9": _SOURCED,
    "tst-10": _COMPARED,
    "tst-11": _COMPARED,
    "tst-12": _RESPONSE,
    "tst-13": _RESPONSE,
}

CONFORMANCE: Mapping[str, Rule] = {**STRUCTURE, **_TERMINOLOGY, **_CAPABILITIES, **_QUESTIONNAIRES, **_TESTS}
