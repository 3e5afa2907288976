"""The demonstration, open for all tests of it: its house, what it prints, its record, and a browser."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from playwright.sync_api import Browser, Playwright

from conformance_tests.process import free_port
from deploy.demo.house import House, Ports

FLAGS = ["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=fps=10"]
_PATIENCE = 120


class Demo(NamedTuple):
    """``lines`` are what it has printed until now."""

    house: House
    lines: list[str]

    @property
    def said(self) -> str:
        return "".join(self.lines)

    def heard(self, what: str) -> str:
        """Waits until it prints a line with ``what``."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            if found := next((line for line in self.lines if what in line), ""):
                return found
            time.sleep(0.1)
        raise AssertionError(f"not heard: {what}; {self.said[-2000:]}")


class Record(NamedTuple):
    """The record as a service with all rights reads it."""

    client: httpx.Client

    def found(self, type: str, **query: str) -> list[dict[str, Any]]:
        """Waits until there is one."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            if entries := self.client.get(f"/{type}", params=query).json().get("entry"):
                return [entry["resource"] for entry in entries]
            time.sleep(0.3)
        raise AssertionError(f"no {type} {query}")

    def create(self, resource: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.post(f"/{resource['resourceType']}", json=resource)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made


@pytest.fixture(scope="session")
def ports() -> Ports:
    return Ports(*(free_port() for _ in Ports._fields))


@pytest.fixture(scope="session")
def demo(ports: Ports, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder: Path = tmp_path_factory.mktemp("demo")
    words = [f"--{name}-port={port}" for name, port in ports._asdict().items()]
    command = [sys.executable, "-m", "deploy.demo", "--folder", str(folder), *words]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    made = Demo(House(folder, ports), [])
    out = child.stdout
    assert out is not None
    threading.Thread(target=lambda: made.lines.extend(out), daemon=True).start()
    made.heard("Ctrl-C stops it all")
    yield made
    child.send_signal(signal.SIGINT)
    assert child.wait(_PATIENCE) == 0


@pytest.fixture(scope="session")
def record(demo: Demo, ports: Ports) -> Iterator[Record]:
    token = demo.house.run("token", "--scope", "system/*.cruds").splitlines()[-1]
    with httpx.Client(base_url=ports.base, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        yield Record(client)


@pytest.fixture(scope="module")
def browser(playwright: Playwright, chromium_program: str) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=chromium_program, args=FLAGS)
    yield browser
    browser.close()
