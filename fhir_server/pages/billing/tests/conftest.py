"""Fixtures of the biller's pages: a server with a tariff, and a browser without JavaScript before it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fhir_server import wiring
from fhir_server.billing.tests.conftest import TARIFF, House
from fhir_server.pages.tests.browser import BASE, Browser
from fhir_server.preparation import prepare
from fhir_server.settings import load
from fhir_server.wiring import Process

RECENT = {"start": "2026-11-20T09:00:00Z", "end": "2026-11-20T09:30:00Z"}
"""When the visits of a House were; the pages look at them from this day on."""


class Office(House):
    """A House with a biller's browser."""

    def __init__(self, process: Process) -> None:
        super().__init__(process)
        self.process, self.browser = process, Browser(wiring.compose(process))

    def page(self, visit: str) -> Browser:
        return self.browser.get(f"/billing/{visit}")

    def got(self, path: str) -> Any:
        return self.client.send("GET", path).json


@contextmanager
def running(folder: Path, **given: Any) -> Iterator[Process]:
    (folder / "tariff.toml").write_text(TARIFF)
    settings = load({"DATA_DIR": str(folder), "PUBLIC_URL": f"{BASE}/fhir"} | given, {})
    prepare(settings)
    with Process(settings) as process:
        yield process


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with running(tmp_path_factory.mktemp("data"), OPEN=True) as made:
        yield made


@pytest.fixture
def office(process: Process) -> Office:
    return Office(process)
