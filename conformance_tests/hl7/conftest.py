"""Bridges of our own on each database; a server that was given has no port for MLLP that we know."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from conformance_tests.client import Client
from conformance_tests.conftest import EITHER_DATABASE
from conformance_tests.hl7.bridge import Bridge, bridged
from conformance_tests.hl7.wire import Wire
from conformance_tests.servers import Servers


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "bridge" in metafunc.fixturenames:
        either = metafunc.definition.get_closest_marker(EITHER_DATABASE)
        databases = ["sqlite"] if either else ["sqlite", "postgresql"]
        metafunc.parametrize("bridge", databases, indirect=True, scope="session")


@pytest.fixture(scope="session")
def bridge(request: pytest.FixtureRequest, servers: Servers) -> Bridge:
    """A secured server with the bridge in it, on the database of the parameter."""
    if request.config.getoption("base_url"):
        pytest.skip("the bridge's port and site kit are those of a server of our own: run without --base-url")
    return servers.get(bridged, request.param)


@pytest.fixture(scope="session")
def record(bridge: Bridge) -> Client:
    """The record behind the bridge, over FHIR."""
    return bridge.client()


@pytest.fixture
def wire(bridge: Bridge) -> Iterator[Wire]:
    with bridge.wire() as made:
        yield made


@pytest.fixture
def new(tag: str) -> Callable[[], str]:
    """Words that no other test and no other run uses: control ids, numbers of patients and orders."""
    numbers = itertools.count(1)
    return lambda: f"{tag}{next(numbers)}"
