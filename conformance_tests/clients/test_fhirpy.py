"""PyPI's fhirpy with a bearer token: read, search over pages, create, update, delete."""

import pytest
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import ForbiddenError, ResourceNotFound

from conformance_tests.smart.app import App
from conformance_tests.smart.browser import Browser
from conformance_tests.smart.provider import Provider

requirement = pytest.mark.requirement
pytestmark = pytest.mark.either_database


@pytest.fixture
def client(provider: Provider, growth: App, ada: Browser) -> SyncFHIRClient:
    token = growth.granted(ada, "launch/patient patient/*.cruds")["access_token"]
    return SyncFHIRClient(provider.base, authorization=f"Bearer {token}")


@requirement("client: PyPI fhirpy")
def test_read_and_search(client: SyncFHIRClient) -> None:
    patient = client.reference("Patient", "ada").to_resource()
    assert patient["name"][0]["family"] == "Byron"
    found = client.resources("Observation").search(patient="ada").limit(2).fetch_all()
    assert {"laboratory-ada", "survey-ada"} <= {each.id for each in found}
    assert len(client.resources("Condition").search(subject="Patient/ada").fetch_all()) == 3
    with pytest.raises(ResourceNotFound):
        client.reference("Patient", "bob").to_resource()


@requirement("client: PyPI fhirpy")
def test_create_update_and_delete(client: SyncFHIRClient) -> None:
    made = client.resource(
        "Observation", status="preliminary", code={"text": "Mood"}, subject={"reference": "Patient/ada"}
    )
    made.save()
    made["status"] = "final"
    made.save()
    assert client.reference("Observation", made.id).to_resource()["status"] == "final"
    made.delete()
    with pytest.raises(ResourceNotFound):
        client.reference("Observation", made.id).to_resource()


@requirement("client: PyPI fhirpy")
def test_anothers_record_takes_no_entry(client: SyncFHIRClient) -> None:
    made = client.resource("Observation", status="final", code={"text": "x"}, subject={"reference": "Patient/bob"})
    with pytest.raises(ForbiddenError):
        made.save()
