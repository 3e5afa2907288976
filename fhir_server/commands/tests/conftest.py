"""Fixtures: a command line on a database of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fhir_server.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command; exit status, standard output, standard error."""

    def command(*words: str) -> tuple[int, str, str]:
        status = main([*words, "--data-dir", str(tmp_path / "var"), "--database", database_url])
        return (status, *capsys.readouterr())

    return command
