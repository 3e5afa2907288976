"""Fixtures: a command line on a database of its own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fhir_server.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """Commands put their settings into the environment, for the servers they start; other tests shall not find them."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def run(database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command; exit status, standard output, standard error."""

    def command(*words: str) -> tuple[int, str, str]:
        status = main([*words, "--data-dir", str(tmp_path / "var"), "--database", database_url])
        return (status, *capsys.readouterr())

    return command
