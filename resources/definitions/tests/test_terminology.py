"""The terminology that FHIR R4 publishes is here, without prose."""

import pytest

from resources.definitions import codes
from resources.definitions.terminology import TYPES, published, published_urls
from resources.terminology.code_system import CodeSystem
from resources.terminology.compose import Expander


class Published:
    """The `Source` of what is published."""

    def value_set(self, canonical):
        return published("ValueSet", canonical.partition("|")[0])

    def code_system(self, url, version=""):
        found = published("CodeSystem", url)
        return found and CodeSystem(found)

    def concept_maps(self, url):
        return []


def test_what_there_is() -> None:
    assert {type: len(published_urls(type)) > 50 for type in TYPES} == dict.fromkeys(TYPES, True)
    gender = published("CodeSystem", "http://hl7.org/fhir/administrative-gender")
    assert gender and [c["code"] for c in gender["concept"]] == ["male", "female", "other", "unknown"]
    assert "definition" not in gender["concept"][0] and "description" not in gender
    assert published("CodeSystem", "http://loinc.org") is None


@pytest.mark.parametrize("url", ["observation-status", "administrative-gender", "bundle-type", "resource-types"])
def test_expansions_agree_with_the_required_bindings(url: str) -> None:
    name = f"http://hl7.org/fhir/ValueSet/{url}"
    found = {(system, code) for system, code in Expander(Published()).named(name)}
    assert found == {(system, code) for system, members in codes(name).items() for code in members}
