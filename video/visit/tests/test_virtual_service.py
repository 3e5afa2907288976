import pytest

from resources import validation
from video.visit.tests.script import appointment, encounter
from video.visit.virtual_service import TYPES, VirtualService, extension, services, with_service

HERE = VirtualService("https://visit.example.org/visit", ("https://visit.example.org/help",), 6)
LOCATION = {"resourceType": "Location", "name": "Video"}


@pytest.mark.parametrize("resource", [appointment(), encounter(), LOCATION])
def test_there_and_back_and_valid(resource):
    other = {"url": extension(resource["resourceType"], HERE)["url"], "extension": [
        {"url": "channelType", "valueCoding": {"system": "http://hl7.org/fhir/virtual-service-type", "code": "zoom"}}
    ]}  # fmt: skip
    made = with_service({**resource, "extension": [other]}, HERE)
    validation.check(made)
    assert services(made) == [HERE]
    moved = VirtualService("https://elsewhere.example.org/visit")
    again = with_service(made, moved)
    assert services(again) == [moved]
    assert again["extension"][0] == other
    assert with_service(again, moved) == again
    assert services(resource) == []


@pytest.mark.parametrize("type", sorted(TYPES))
def test_the_shape_of_the_definition(type):
    """hl7.fhir.uv.xver-r5.r4 0.1.0: one part says the data type, each part has the definition's type of value."""
    made = extension(type, HERE)
    assert made["url"] == f"http://hl7.org/fhir/5.0/StructureDefinition/extension-{type}.virtualService"
    assert [set(part) - {"url"} for part in made["extension"]] == [
        {"valueString"}, {"valueCoding"}, {"valueUrl"}, {"valueUrl"}, {"valuePositiveInt"}
    ]  # fmt: skip
    assert made["extension"][0] == {
        "url": "http://hl7.org/fhir/StructureDefinition/_datatype",
        "valueString": "VirtualServiceDetail",
    }
    assert [part["url"] for part in made["extension"][1:]] == [
        "channelType", "address", "additionalInfo", "maxParticipants"
    ]  # fmt: skip
