"""Commands that are told the data folder find its server; what they are told themselves goes first."""

from pathlib import Path

from fhir_server.settings import load
from fhir_server.whereabouts import recall, remember


def test_address_and_database_are_recalled(tmp_path: Path) -> None:
    place = {"DATA_DIR": str(tmp_path)}
    remember(load(place | {"PORT": "8391", "DATABASE": "postgresql://u:secret@db/x"}, {}))
    found = recall(load(place, {}))
    assert (found.base_url, found.database_url) == ("http://127.0.0.1:8391/fhir", "postgresql://u:secret@db/x")
    assert (tmp_path / "serving.json").stat().st_mode & 0o077 == 0


def test_what_is_said_goes_before_what_is_remembered(tmp_path: Path) -> None:
    place = {"DATA_DIR": str(tmp_path)}
    remember(load(place | {"PORT": "8391", "DATABASE": "postgresql://db/x"}, {}))
    assert recall(load(place | {"PORT": "8392"}, {})).base_url == "http://127.0.0.1:8392/fhir"
    assert recall(load(place | {"DATABASE": "postgresql://db/y"}, {})).database_url == "postgresql://db/y"


def test_a_folder_that_never_served_changes_nothing(tmp_path: Path) -> None:
    settings = load({"DATA_DIR": str(tmp_path)}, {})
    assert recall(settings).values == settings.values
