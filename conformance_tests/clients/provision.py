"""What the tests need from outside: npm from Debian, with it the SMART JavaScript client from the npm registry.

What was fetched is kept under var/npm. The package is pinned by
version and by the integrity that the registry publishes.
"""

import base64
import hashlib
import subprocess
import tarfile
from functools import cache
from pathlib import Path

from deploy import debian

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDER = CHECKOUT / "var" / "npm"

PACKAGE, VERSION = "fhirclient", "2.6.3"
INTEGRITY = "CirZixcwWelbkIXxpxlNQx5+ZdJirl6F1s4y4yvA1X7hHAkr9n99aVHaMi0wX+97nATjKQ65X6NB5as/wZoJzg=="
"""SHA-512, base64."""

_SCRIPT = "package/build/fhir-client.js"
_SECONDS = 600


missing: list[str] = []
"""What could not be had, for the summary at the end of the run."""


@cache
def smart_javascript_client() -> bytes:
    """The script that an app includes. Raises debian.Missing; AssertionError when the package is not the one pinned."""
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
    npm = debian.program("npm", "npm")
    archive.parent.mkdir(parents=True, exist_ok=True)
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent"]
    done = subprocess.run(command, cwd=archive.parent, capture_output=True, text=True, timeout=_SECONDS)
    if done.returncode or not archive.exists():
        raise debian.Missing(f"npm could not fetch {PACKAGE}@{VERSION}: {(done.stderr or done.stdout)[-300:]}")
