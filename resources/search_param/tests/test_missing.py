"""``:missing`` of every parameter of every type, over made-up resources with and without each element."""

import pytest

from resources import definitions
from resources.errors import BadSearch
from resources.search_param import compile_param, extract
from resources.search_param.markers import COMMON
from resources.search_param.missing import name
from resources.search_param.parameters import BY_ROW, parameters
from resources.search_param.tests.naive import finds, matches

SAMPLES = {
    "CodeableConcept": {"coding": [{"system": "urn:s", "code": "c"}]},
    "Coding": {"code": "c"},
    "Identifier": {"value": "v"},
    "ContactPoint": {"system": "phone", "value": "1"},
    "boolean": True,
    "integer": 1,
    "decimal": 1,
    "date": "2020",
    "dateTime": "2020",
    "instant": "2020-01-01T00:00:00Z",
    "Period": {"start": "2020"},
    "Timing": {"event": ["2020"]},
    "Quantity": {"value": 1},
    "Age": {"value": 1},
    "Duration": {"value": 1},
    "Money": {"value": 1, "currency": "EUR"},
    "Range": {"low": {"value": 1}},
    "SampledData": {"origin": {"value": 1}, "data": "1"},
    "Resource": {"resourceType": "Patient", "id": "1"},
}


def sample(branch, leaf):
    if leaf.type == "Reference":
        return {"reference": f"{branch.target or 'Patient'}/1"}
    if leaf.type == "ContactPoint":
        return {"system": branch.system or "phone", "value": "1"}
    if leaf.type == "code":
        return min(definitions.plain_codes(leaf.binding)) if leaf.binding else "x"
    return SAMPLES.get(leaf.type, "urn:x")


def built(type, branch, leaf):
    """The least resource that has a value at the leaf."""
    value = sample(branch, leaf)
    for step in reversed(leaf.steps):
        holder = {step.name: [value] if step.many else value}
        if step.test[:1] == ("extension",):
            holder[step.name][0]["extension"] = [{"url": step.test[1]}]
        elif step.test[:1] == ("equals",):
            holder[step.name][0][step.test[1]] = step.test[2]
        value = holder
    return {"resourceType": type, **value}


@pytest.mark.parametrize("type", sorted(definitions.RESOURCE_TYPES))
def test_every_parameter_of(type):
    empty = extract({"resourceType": type})
    for parameter in parameters(type).values():
        if parameter.code in BY_ROW:
            continue
        missing, there = (compile_param(type, parameter.code, "missing", flag) for flag in ("true", "false"))
        for branch in parameter.branches:
            if branch.truth:
                continue
            assert matches(empty, missing) and not matches(empty, there), parameter
            for leaf in branch.leaves:
                entries = extract(built(type, branch, leaf))
                assert matches(entries, there) and not matches(entries, missing), (parameter.code, leaf)


def test_another_type_of_target_is_missing():
    resource = {"resourceType": "Observation", "subject": {"reference": "Group/1"}}
    assert finds(resource, "patient:missing", "true")
    assert finds(resource, "subject:missing", "false")
    assert finds({"resourceType": "Patient", "telecom": [{"system": "phone", "value": "1"}]}, "email:missing", "true")


def test_deceased_is_never_missing():
    assert finds({"resourceType": "Patient"}, "deceased:missing", "false")
    assert not finds({"resourceType": "Patient"}, "deceased:missing", "true")


def test_usual_elements_write_nothing_when_present():
    resource = {"resourceType": "Observation", "subject": {"reference": "Patient/1"}}
    assert not [
        k
        for k in extract(resource).posts
        if k.branch.startswith("Observation.subject") and k.form in ("present", "absent")
    ]


def test_common_branches_exist():
    known = {
        f"{name(b)} {p.kind}" for t in definitions.RESOURCE_TYPES for p in parameters(t).values() for b in p.branches
    }
    assert known >= COMMON


def test_refused():
    with pytest.raises(BadSearch, match="true or false"):
        compile_param("Patient", "name", "missing", "yes")
