"""What holds for every command."""

import os
import subprocess
import sys
from pathlib import Path


def test_what_is_written_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)  # as an operator or a volume makes it
    command = [sys.executable, "-m", "fhir_server.cli", "migrate", "--data-dir", str(folder)]
    subprocess.run(command, check=True, capture_output=True, umask=0o022, env=os.environ | {"HEARTH_OPEN": "1"})
    made = {path.relative_to(folder): path.stat().st_mode for path in folder.rglob("*")}
    assert Path("hearth.sqlite") in made
    assert not {path: oct(mode) for path, mode in made.items() if mode & 0o077}
