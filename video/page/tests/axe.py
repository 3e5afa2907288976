"""axe-core, for the tests of accessibility only: one file of the npm registry, pinned by version and integrity.

Kept under var/npm; where it cannot be had the tests that need it are skipped.
"""

import base64
import hashlib
import shutil
import subprocess
import tarfile
from functools import cache
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "var" / "npm"
VERSION = "4.14.1"
INTEGRITY = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
"""SHA-512, base64, as the registry publishes it."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@cache
def script() -> str:
    """The source. Skips without it."""
    archive = FOLDER / f"axe-core-{VERSION}.tgz"
    if not archive.exists():
        _fetch(archive)
    found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    assert found == INTEGRITY, f"{archive} is not axe-core@{VERSION} as it was published: delete it"
    with tarfile.open(archive) as opened:
        source = opened.extractfile("package/axe.min.js")
        assert source is not None
        return source.read().decode()


def _fetch(archive: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm to fetch axe-core with")
    archive.parent.mkdir(parents=True, exist_ok=True)
    command = [npm, "pack", f"axe-core@{VERSION}", "--silent"]
    done = subprocess.run(command, cwd=archive.parent, capture_output=True, text=True, timeout=120)
    if done.returncode or not archive.exists():
        pytest.skip(f"npm could not fetch axe-core@{VERSION}")
