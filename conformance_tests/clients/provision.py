"""What the tests need from outside: Chromium and npm from Debian, the SMART JavaScript client from the npm registry.

What is missing is installed with apt when that can be; what was fetched is kept under var/npm. The package is pinned by
version and by the integrity that the registry publishes.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDER = CHECKOUT / "var" / "npm"

PACKAGE, VERSION = "fhirclient", "2.6.3"
INTEGRITY = "CirZixcwWelbkIXxpxlNQx5+ZdJirl6F1s4y4yvA1X7hHAkr9n99aVHaMi0wX+97nATjKQ65X6NB5as/wZoJzg=="
"""SHA-512, base64."""

_SCRIPT = "package/build/fhir-client.js"
_SECONDS = 600


class Missing(Exception):
    """Something that is not here and could not be fetched; the text says what and why."""


missing: list[str] = []
"""What could not be had, for the summary at the end of the run."""


@cache
def program(name: str, package: str) -> str:
    """The path of a program, installed from Debian's ``package`` if need be. Raises Missing."""
    if not shutil.which(name):
        _install(package)
    found = shutil.which(name)
    if not found:
        raise Missing(f"{package} was installed but there is no {name}")
    return found


def _install(package: str) -> None:
    if os.getuid() != 0 or not shutil.which("apt-get"):
        raise Missing(f"{package} is not installed; install it (Debian: apt-get install {package}) and try again")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", package]):
        command = ["apt-get", *arguments]
        done = subprocess.run(command, env=quiet, capture_output=True, text=True, timeout=_SECONDS)
        if done.returncode:
            raise Missing(f"apt-get {arguments[0]} {package} failed: {done.stderr[-300:]}")


@cache
def smart_javascript_client() -> bytes:
    """The script that an app includes. Raises Missing; AssertionError when the package is not the one pinned."""
    archive = FOLDER / f"{PACKAGE}-{VERSION}.tgz"
    if not archive.exists():
        _fetch(archive)
    found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    assert found == INTEGRITY, f"{archive} is not {PACKAGE}@{VERSION} as it was published: delete it"
    with tarfile.open(archive) as opened:
        script = opened.extractfile(_SCRIPT)
        assert script is not None
        return script.read()


def _fetch(archive: Path) -> None:
    npm = program("npm", "npm")
    archive.parent.mkdir(parents=True, exist_ok=True)
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent"]
    done = subprocess.run(command, cwd=archive.parent, capture_output=True, text=True, timeout=_SECONDS)
    if done.returncode or not archive.exists():
        raise Missing(f"npm could not fetch {PACKAGE}@{VERSION}: {(done.stderr or done.stdout)[-300:]}")
