"""The invariants of terminology, capability, questionnaire, test and mapping resources."""

from typing import Any

import pytest

from resources.validation.tests.asking import holds

ROWS: list[tuple[str, Any, Any]] = [
    ("csd-1", {"concept": [{"code": "a", "concept": [{"code": "b"}]}]},
     {"concept": [{"code": "a", "concept": [{"code": "a"}]}]}),
    ("cmd-1", {"equivalence": "equal"}, {"equivalence": "narrower"}),
    ("cmd-2", {"mode": "fixed", "code": "x"}, {"mode": "fixed"}),
    ("vsd-1", {"system": "x"}, {}),
    ("vsd-2", {"system": "x", "concept": []}, {"concept": []}),
    ("vsd-3", {"filter": []}, {"filter": [], "concept": []}),
    ("vsd-9", {"abstract": True}, {"display": "x"}),
    ("tcp-1", {"version": [{}]}, {"version": [{}, {"code": "x"}]}),
    ("cpb-1", {"rest": []}, {}),
    ("cpb-3", {"kind": "instance", "messaging": [{"endpoint": [{}]}]},
     {"kind": "capability", "messaging": [{"endpoint": [{}]}]}),
    ("cpb-7", {"document": [{"profile": "a", "mode": "b"}, {"profile": "a", "mode": "c"}]},
     {"document": [{"profile": "a"}] * 2}),
    ("cpb-9", {"resource": [{"type": "A"}, {"type": "B"}]}, {"resource": [{"type": "A"}] * 2}),
    ("cpb-14", {"kind": "instance", "implementation": {}}, {"kind": "instance"}),
    ("cpb-15", {"kind": "capability", "software": {}}, {"kind": "capability"}),
    ("cpb-16", {"kind": "requirements"}, {"kind": "requirements", "software": {}}),
    ("opd-1", {"type": "x"}, {"name": "x"}),
    ("opd-2", {"type": "string", "searchType": "x"}, {"type": "code", "searchType": "x"}),
    ("spd-1", {"xpath": "x", "xpathUsage": "y"}, {"xpath": "x"}),
    ("spd-2", {"type": "reference", "chain": []}, {"type": "token", "chain": []}),
    ("md-1", {"max": "*"}, {"max": "0"}),
    ("md-1", {"max": "1"}, {"max": "many"}),
    ("ig-1", {"grouping": [{"id": "a"}], "resource": [{"groupingId": "a"}]}, {"resource": [{"groupingId": "a"}]}),
    ("ig-2", {"fhirVersion": ["4.0.1"]}, {"definition": {"resource": [{"fhirVersion": ["4.0.1"]}]}}),
    ("mea-1", {"group": [{"stratifier": [{"code": {}}]}]},
     {"group": [{"stratifier": [{"code": {}, "component": []}]}]}),
    ("smp-1", {"element": "x", "context": "y"}, {"element": "x"}),
    ("que-1", {"type": "group", "item": []}, {"type": "group"}),
    ("que-1", {"type": "display"}, {"type": "display", "item": []}),
    ("que-2", {"item": [{"linkId": "1"}]}, {"item": [{"linkId": "1", "item": [{"linkId": "1"}]}]}),
    ("que-4", {"answerOption": []}, {"answerOption": [], "answerValueSet": "x"}),
    ("que-5", {"type": "choice", "answerOption": []}, {"type": "boolean", "answerOption": []}),
    ("que-7", {"operator": "exists", "answerBoolean": True}, {"operator": "exists", "answerCode": "x"}),
    ("que-8", {"type": "string", "initial": []}, {"type": "group", "initial": []}),
    ("que-10", {"type": "text", "maxLength": 1}, {"type": "date", "maxLength": 1}),
    ("que-12", {"enableWhen": [{}]}, {"enableWhen": [{}, {}]}),
    ("que-13", {"repeats": True, "initial": [1, 2]}, {"initial": [1, 2]}),
    ("tst-1", {"assert": {}}, {"assert": {}, "operation": {}}),
    ("tst-4", {"capability": [{"required": True}]}, {"capability": [{}]}),
    ("tst-5", {"path": "x"}, {"path": "x", "response": "okay"}),
    ("tst-7", {"url": "x"}, {"url": "x", "params": "y"}),
    ("tst-7", {"type": {"code": "search"}}, {}),
    ("tst-10", {"compareToSourceId": "a", "compareToSourcePath": "b"}, {"compareToSourceId": "a"}),
    ("tst-12", {"direction": "request"}, {"direction": "request", "response": "okay"}),
]  # fmt: skip


@pytest.mark.parametrize(("key", "good", "bad"), ROWS)
def test_rule(key: str, good: Any, bad: Any) -> None:
    assert holds(key, good)
    assert not holds(key, bad)
