"""Fixtures of all tests: the same tests run on SQLite and on PostgreSQL.

A PostgreSQL of your own is used when HEARTH_TEST_POSTGRESQL names one (its user must be allowed to create databases);
otherwise the private cluster of `make pg` is started and, when it was not running, stopped again.
`--dist loadfile` of xdist gives a file to one process, and a folder that shares servers: see TOGETHER.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Playwright, expect, sync_playwright
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from deploy import debian
from deploy import postgres_cluster as cluster
from deploy.clean_database import CleanDatabase
from fhir_server.preparation import packages
from fhir_server.store import Store, open_store

# Machines differ in speed and so does one machine from hour to hour; tests assert what is right, not how fast.
settings.register_profile("hearth", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hearth")
expect.set_options(timeout=60_000)

HASH_KEY = b"hash key of the tests, 32 bytes."
DIALECTS = ("sqlite", "postgresql")
_missing: list[str] = []

TOGETHER = {
    "deploy/tests/test_demo": "demo",
    "conformance_tests/hl7/": "hl7",
    "conformance_tests/smart/": "smart",
    "conformance_tests/clients/": "smart",
    "conformance_tests/": "conformance",
}
"""Folder to the group of tests that one process runs, since they share servers of several processes each."""

LONGEST = ("conformance_tests/hl7/", "conformance_tests/", "bench/", "fhir_server/", "hl7_bridge/", "smart_auth/")
"""Folders in the order in which processes begin them, so that what is short is left when the first has nothing more."""


def pytest_configure(config: pytest.Config) -> None:
    """The process that runs or distributes the tests owns the cluster, workers of xdist find it by the environment."""
    if hasattr(config, "workerinput") or os.environ.get("HEARTH_TEST_POSTGRESQL") or config.option.collectonly:
        return
    try:
        was_running = cluster.is_running()
        os.environ["HEARTH_TEST_POSTGRESQL"] = cluster.start()
    except (cluster.NoPostgres, OSError) as error:
        _missing.append(str(error))
        os.environ["HEARTH_TEST_NO_POSTGRESQL"] = str(error)
        return
    if not was_running:
        config.add_cleanup(lambda: _idle() and cluster.stop())


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return Together(config, log)


class Together(LoadFileScheduling):
    """Gives a file, or the files that share servers, to one process."""

    def _split_scope(self, nodeid: str) -> str:
        return next((group for folder, group in TOGETHER.items() if nodeid.startswith(folder)), nodeid.split("::")[0])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest first, where processes share the tests."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _place(item.nodeid))


def _place(nodeid: str) -> int:
    return next((place for place, folder in enumerate(LONGEST) if nodeid.startswith(folder)), len(LONGEST))


def _idle() -> bool:
    """Whether no other run of the tests uses the cluster."""
    with suppress(psycopg.Error), psycopg.connect(os.environ["HEARTH_TEST_POSTGRESQL"]) as admin:
        return not admin.execute("SELECT FROM pg_database WHERE datname LIKE 'test\\_%'").fetchall()
    return False


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for reason in _missing:
        terminalreporter.section("NOT TESTED ON POSTGRESQL", sep="!", red=True, bold=True)
        terminalreporter.write_line(reason, red=True)


def fresh_postgresql(template: str = "template0") -> str:
    """URL of a new database like ``template`` (empty). Skips the test when there is no PostgreSQL."""
    server = os.environ.get("HEARTH_TEST_POSTGRESQL")
    if not server:
        pytest.skip("PostgreSQL could not be had: " + os.environ.get("HEARTH_TEST_NO_POSTGRESQL", ""))
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return urlunsplit(urlsplit(server)._replace(path="/" + name))


def drop_postgresql(url: str) -> None:
    """Drop a database that ``fresh_postgresql`` made, whoever is still connected."""
    with suppress(psycopg.Error), psycopg.connect(os.environ["HEARTH_TEST_POSTGRESQL"], autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {urlsplit(url).path[1:]} WITH (FORCE)")


@pytest.fixture(params=DIALECTS)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database without any table, on SQLite and then on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'hearth.db'}"
        return
    url = fresh_postgresql()
    yield url
    drop_postgresql(url)


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "hearth.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def _migrated_postgresql() -> Iterator[str]:
    url = fresh_postgresql()
    _migrate(url)
    yield urlsplit(url).path[1:]
    drop_postgresql(url)


def _migrate(url: str) -> None:
    made = open_store(url)
    made.migrate(packages())
    made.close()


class Spare:
    """Databases of this process that are like ``template`` and that no test uses now."""

    def __init__(self, template: str) -> None:
        self._template = template
        self._clean: list[CleanDatabase] = []

    def take(self) -> CleanDatabase:
        return self._clean.pop() if self._clean else CleanDatabase(fresh_postgresql(self._template))

    def give_back(self, used: CleanDatabase) -> None:
        """One that cannot be cleaned is dropped."""
        if used.reset():
            self._clean.append(used)
        else:
            drop_postgresql(used.url)

    def drop(self) -> None:
        for each in self._clean:
            drop_postgresql(each.url)


@pytest.fixture(scope="session")
def _spare(_migrated_postgresql: str) -> Iterator[Spare]:
    spare = Spare(_migrated_postgresql)
    yield spare
    spare.drop()


@pytest.fixture(params=DIALECTS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database with every package's tables and without data, on SQLite and then on PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("_migrated_sqlite"), tmp_path / "hearth.db")
        yield f"sqlite:///{tmp_path / 'hearth.db'}"
        return
    spare: Spare = request.getfixturevalue("_spare")
    database = spare.take()
    yield database.url
    spare.give_back(database)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A store with a fixed hash key and documents in the plain format, on either database."""
    made = open_store(database_url, key=HASH_KEY)
    yield made
    made.close()


@pytest.fixture(scope="session")
def chromium_program() -> str:
    """The path of Debian's Chromium."""
    try:
        return debian.chromium()
    except debian.Missing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """What drives browsers. A module's: while it is there, no other test of the process can run a loop."""
    with sync_playwright() as started:
        yield started
