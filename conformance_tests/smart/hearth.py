"""A secured server of our own, started and administered by the commands an operator uses."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from conformance_tests.process import free_port, stop, wait

PROGRAM = Path(sys.executable).with_name("hearth")


@dataclass(frozen=True)
class Hearth:
    """A running server: ``base`` is its FHIR base, ``folder`` holds its data and what it printed."""

    base: str
    folder: Path
    database: str = ""

    def printed(self) -> str:
        """All that the server wrote to its terminal."""
        return (self.folder / "log").read_text(errors="replace")

    def run(self, *arguments: str) -> str:
        """What a command prints."""
        command = [str(PROGRAM), *arguments, *_options(self)]
        done = subprocess.run(command, capture_output=True, text=True, env=_environment(), timeout=120)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def token(self, scope: str, *more: str) -> str:
        """A development token: it stands alone on the last line."""
        return self.run("token", "--scope", scope, *more).splitlines()[-1]

    def add_client(self, id: str, name: str, kind: str, redirect_uri: str, scopes: str) -> str:
        """Register an app; its secret, when it has one, stands alone on the last line."""
        told = self.run(
            "client", "add", id, "--name", name, "--kind", kind, "--redirect-uri", redirect_uri, "--scopes", scopes
        )
        return told.splitlines()[-1]


def _options(hearth: Hearth) -> list[str]:
    database = ["--database", hearth.database] if hearth.database else []
    return ["--data-dir", str(hearth.folder), *database]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("HEARTH_")}


@contextmanager
def secured(folder: Path, database: str = "", *options: str, scheme: str = "http") -> Iterator[Hearth]:
    """`hearth serve api` with its data in ``folder``, until the block ends."""
    port = free_port()
    hearth = Hearth(f"{scheme}://127.0.0.1:{port}/fhir", folder, database)
    command = [str(PROGRAM), "serve", "api", "--port", str(port), *_options(hearth), *options]
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, env=_environment())
        try:
            wait(child, f"{scheme}://127.0.0.1:{port}/health/ready", folder / "log")
            yield hearth
        finally:
            stop(child)
