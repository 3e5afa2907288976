"""The tour of the README, run as a newcomer types it: every command must answer what the page shows."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance_tests.process import free_port, stop, wait

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
_STEP = re.compile(r"^    \$ ((?:.*\\\n)*.*)\n((?:    (?!\$ ).*\n)*)", re.MULTILINE)
# What differs from run to run: ids made by the server, times, the port, how much the trail holds.
_CHANGING = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"), "TIME"),
    (re.compile(r"(?<=:)\d{4,5}(?=/fhir)"), "PORT"),
    (re.compile(r"\d+ (rows|chains|checkpoints|unsigned)"), r"N \1"),
)


def steps() -> list[tuple[str, str]]:
    """(command, shown answer) of the tour."""
    tour = README.read_text().partition("## A tour")[2].partition("\n## ")[0]
    return [(command.replace("\\\n", " "), _unindented(answer)) for command, answer in _STEP.findall(tour)]


def _unindented(text: str) -> str:
    return "".join(line[4:] for line in text.splitlines(keepends=True)).strip()


def steady(text: str) -> str:
    """``text`` without white space and without what changes from run to run."""
    for pattern, word in _CHANGING:
        text = pattern.sub(word, text)
    return "".join(text.split())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    folder = tmp_path_factory.mktemp("var")
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "fhir_server.cli",
        "serve",
        "--open",
        "--port",
        str(port),
        "--data-dir",
        str(folder),
    ]
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    wait(child, f"http://127.0.0.1:{port}/health/ready", folder / "log")
    yield port, folder
    stop(child)


@pytest.mark.skipif(not shutil.which("curl"), reason="the tour is typed with curl")
def test_every_command_answers_as_shown(server: tuple[int, Path]) -> None:
    port, folder = server
    assert len(steps()) >= 10
    for command, shown in steps():
        typed = command.replace("localhost:8080", f"127.0.0.1:{port}")
        typed = typed.replace(".venv/bin/hearth", f"{sys.executable} -m fhir_server.cli")
        typed += f" --data-dir {folder}" if "fhir_server.cli" in typed else ""
        time.sleep(1 if "AuditEvent" in typed or "audit" in typed else 0)  # reads are in the trail within half a second
        done = subprocess.run(typed, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, (command, done.stderr)
        assert steady(done.stdout) == steady(shown), command
