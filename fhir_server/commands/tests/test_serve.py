"""``hearth serve``: what is refused before anything listens, and what is announced at a start."""

from pathlib import Path

import pytest

from fhir_server.cli import main
from fhir_server.commands import serve
from fhir_server.preparation import prepare
from fhir_server.settings import load


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "0.0.0.0"], "send tokens in clear to http://0.0.0.0:8080/fhir"),
        (["--public-url", "http://fhir.example.org/fhir"], "send tokens in clear"),
        (["--public-url", "https://fhir.example.org/r4"], "must end in /fhir"),
        (["--open", "--host", "0.0.0.0"], "loopback"),
    ],
)
def test_unsafe_settings_are_refused(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *options, "--data-dir", str(tmp_path / "var")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "var").exists()


def test_every_start_says_how_to_become_administrator(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load({"DATA_DIR": str(tmp_path / "var"), "DATABASE": database_url}, {})
    prepare(settings)
    for _ in range(2):
        serve._announce(settings)
        assert "http://127.0.0.1:8080/auth/link/" in capsys.readouterr().out


def test_every_open_start_says_that_it_is_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    serve._announce(load({"DATA_DIR": str(tmp_path / "var"), "OPEN": True}, {}))
    assert "no authentication" in capsys.readouterr().out
