"""Fixtures: a secured process on either database, without sockets."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_server.preparation import prepare
from fhir_server.settings import Settings, load
from fhir_server.wiring import Process
from smart_auth.service import AuthService

BASE = "http://localhost:8080/fhir"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    made = load({"DATA_DIR": str(tmp_path / "var"), "DATABASE": database_url, "PUBLIC_URL": BASE}, {})
    prepare(made)
    return made


@pytest.fixture
def process(settings: Settings) -> Iterator[Process]:
    with Process(settings) as made:
        yield made


@pytest.fixture
def service(process: Process) -> AuthService:
    process.authorization.revocations.start()
    return process.authorization.service
