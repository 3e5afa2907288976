"""What a schema cannot say."""

from resources.validation.residue import Residues
from resources.validation.scope import Scope
from resources.validation.tests.planted import VALID

_residues = Residues(lambda resource: resource["resourceType"] == "Patient")


def _holds(resource: dict[str, object]) -> bool:
    return _residues.of(str(resource["resourceType"]))(resource, Scope(resource))


def test_rules_are_asked_at_every_depth() -> None:
    encounter = VALID["encounter"]
    later = {"start": "2021", "end": "2020"}
    assert _holds(encounter)
    assert not _holds(encounter | {"period": later})
    assert not _holds(encounter | {"identifier": [{"value": "1"}, {"value": "2", "period": later}]})


def test_types_that_contain_themselves() -> None:
    item = {"linkId": "1", "type": "group", "item": [{"linkId": "2", "type": "display", "item": [{}]}]}
    assert not _holds(VALID["questionnaire"] | {"item": [item]})


def test_narratives_and_inner_resources_are_looked_at() -> None:
    assert not _holds(VALID["patient"] | {"text": {"status": "generated", "div": "<p/>"}})
    bundle = {"resourceType": "Bundle", "type": "collection"}
    assert _holds(bundle | {"entry": [{"resource": {"resourceType": "Patient"}}]})
    assert not _holds(bundle | {"entry": [{"resource": {"resourceType": "Basic"}}]})


def test_rules_of_an_element_are_asked_of_that_element() -> None:
    organization = {"resourceType": "Organization", "name": "x", "telecom": [{"use": "home"}]}
    assert not _holds(organization)
    assert _holds(organization | {"telecom": [{"use": "work"}]})
