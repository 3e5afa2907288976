"""Which server the tests speak to, and the table of requirements they prove.

`--base-url URL` (or HEARTH_BASE_URL) names a running server and `--token` (or HEARTH_TOKEN) an access token for it.
Without them each database gets a server of its own: secured, or with `--open` without authentication.
"""

import os
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from conformance_tests.client import Client
from conformance_tests.clients import provision
from conformance_tests.process import serving
from conformance_tests.servers import Servers
from conformance_tests.smart.fixtures import (  # noqa: F401
    ada,
    at_work,
    grace,
    growth,
    launched,
    provider,
    robot,
    standalone,
)
from conformance_tests.smart.hearth import secured

MARKER = "requirement"
EITHER_DATABASE = "either_database"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance")
    group.addoption("--base-url", default=os.environ.get("HEARTH_BASE_URL", ""), help="FHIR base of a running server")
    group.addoption("--token", default=os.environ.get("HEARTH_TOKEN", ""), help="access token for that server")
    group.addoption("--open", action="store_true", help="servers of our own without authentication")
    group.addoption("--requirements", action="store_true", help="print the table of requirements at the end")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARKER}(id): the section of the specification that the test proves")
    config.addinivalue_line(
        "markers", f"{EITHER_DATABASE}: what it proves does not hang on the database; one is enough"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "served" in metafunc.fixturenames:
        given = metafunc.config.getoption("base_url")
        servers = [given] if given else ["sqlite", "postgresql"]
        metafunc.parametrize("served", servers, indirect=True, scope="session", ids=["given"] if given else servers)
    if "provider" in metafunc.fixturenames:
        either = metafunc.definition.get_closest_marker(EITHER_DATABASE)
        databases = ["sqlite"] if either else ["sqlite", "postgresql"]
        metafunc.parametrize("provider", databases, indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent not in item.path.parents:
            continue
        cited = [mark.args[0] for mark in item.iter_markers(MARKER)]
        if not cited:
            raise pytest.UsageError(f"{item.nodeid} cites no requirement")
        item.user_properties += [(MARKER, id) for id in cited]


class Served(NamedTuple):
    """A server: its FHIR base without a final slash, and how to get a token for all of it ('' for none)."""

    base: str
    token: Callable[[], str]


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The servers that tests share: each is started once in a process that runs tests."""
    with ExitStack() as opened:
        yield Servers(opened, tmp_path_factory)


@pytest.fixture(scope="session")
def served(request: pytest.FixtureRequest, servers: Servers) -> Served:
    """The server given, or one of our own on the database of the parameter."""
    option = request.config.getoption
    if "://" in request.param:
        return Served(request.param.rstrip("/"), lambda: str(option("token")))
    if option("open"):
        return Served(servers.get(serving, request.param), lambda: "")
    hearth = servers.get(secured, request.param)
    return Served(hearth.base, lambda: hearth.token("system/*.cruds"))


@pytest.fixture(scope="session")
def fhir(served: Served) -> Iterator[Client]:
    """A client of the server under test that may do everything."""
    client = Client(served.base, served.token)
    yield client
    client.close()


@pytest.fixture
def tag() -> str:
    """A word that no other test and no other run uses."""
    return f"t{uuid.uuid4().hex[:14]}"


# --- The table --------------------------------------------------------------------------------------------------------


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for reason in provision.missing:
        terminalreporter.section("REAL CLIENTS NOT TESTED", sep="!", red=True, bold=True)
        terminalreporter.write_line(reason, red=True)
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
