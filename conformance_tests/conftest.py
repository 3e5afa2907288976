"""Which server the tests speak to, and the table of requirements they prove.

`--base-url URL` (or HEARTH_BASE_URL) names a running server; without it each database gets a server of its own.
"""

import os
import uuid
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance_tests.client import Client
from conformance_tests.process import postgresql, serving
from conformance_tests.smart.fixtures import ada, grace, growth, launched, provider, robot, standalone  # noqa: F401

MARKER = "requirement"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance")
    group.addoption("--base-url", default=os.environ.get("HEARTH_BASE_URL", ""), help="FHIR base of a running server")
    group.addoption("--requirements", action="store_true", help="print the table of requirements at the end")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARKER}(id): the section of the specification that the test proves")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "base_url" in metafunc.fixturenames:
        given = metafunc.config.getoption("base_url")
        servers = [given] if given else ["sqlite", "postgresql"]
        metafunc.parametrize("base_url", servers, indirect=True, scope="session", ids=["given"] if given else servers)
    if "provider" in metafunc.fixturenames:
        # What a browser and other clients see does not depend on the database, and they take their time.
        databases = ["sqlite"] if "clients" in metafunc.definition.path.parts else ["sqlite", "postgresql"]
        metafunc.parametrize("provider", databases, indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent not in item.path.parents:
            continue
        cited = [mark.args[0] for mark in item.iter_markers(MARKER)]
        if not cited:
            raise pytest.UsageError(f"{item.nodeid} cites no requirement")
        item.user_properties += [(MARKER, id) for id in cited]


@pytest.fixture(scope="session")
def base_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The FHIR base, without a final slash: the server given, or one of our own on the database of the parameter."""
    if "://" in request.param:
        yield request.param.rstrip("/")
        return
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        with serving(folder) as url:
            yield url
        return
    with postgresql() as database, serving(folder, database) as url:
        yield url


@pytest.fixture(scope="session")
def fhir(base_url: str) -> Iterator[Client]:
    """A client of the server under test."""
    client = Client(base_url)
    yield client
    client.close()


@pytest.fixture
def tag() -> str:
    """A word that no other test and no other run uses."""
    return f"t{uuid.uuid4().hex[:14]}"


# --- The table --------------------------------------------------------------------------------------------------------


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    counts = _counts(terminalreporter.stats)
    if not config.getoption("requirements") or not counts:
        return
    terminalreporter.section("requirements")
    terminalreporter.write_line(f"{'requirement':<44}{'passed':>8}{'failed':>8}{'skipped':>9}  verdict")
    for id in sorted(counts):
        row = counts[id]
        proven = bool(row["passed"]) and not row["failed"] and not row["skipped"]
        terminalreporter.write_line(
            f"{id:<44}{row['passed']:>8}{row['failed']:>8}{row['skipped']:>9}  {'proven' if proven else 'NOT PROVEN'}",
            red=not proven,
        )


def _counts(stats: dict[str, list[Any]]) -> dict[str, dict[str, int]]:
    """How many tests of each requirement passed, failed and were skipped; a skip proves nothing."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: {"passed": 0, "failed": 0, "skipped": 0})
    for outcome, column in (("passed", "passed"), ("failed", "failed"), ("error", "failed"), ("skipped", "skipped")):
        for report in stats.get(outcome, ()):
            for name, id in getattr(report, "user_properties", ()):
                if name == MARKER:
                    counts[id][column] += 1
    return counts
