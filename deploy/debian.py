"""Programs of Debian that tests and measurements need; a missing one is installed with apt when that can be."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

CHROMIUM = ("chromium-headless-shell", "chromium")
"""The first takes half the processor time of the second and is built from the same source."""


class Missing(Exception):
    """There is none and none could be had; the text says why."""


def chromium() -> str:
    """The path of the browser without windows, or of the whole one when only that is to be had. Raises Missing."""
    light, whole = CHROMIUM
    try:
        return program(light, light)
    except Missing:
        if found := shutil.which(whole):
            return found
        raise


def program(name: str, package: str) -> str:
    """The path of ``name``, which ``package`` brings. Raises Missing."""
    if not shutil.which(name):
        install(package)
    found = shutil.which(name)
    if not found:
        raise Missing(f"{package} was installed but there is no {name}")
    return found


def install(package: str) -> None:
    """One at a time, for apt has one lock. Raises Missing when apt is not there or refuses."""
    if os.getuid() != 0 or not shutil.which("apt-get"):
        raise Missing(f"{package} is not installed; install it (Debian: apt-get install {package}) and try again")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with (Path(tempfile.gettempdir()) / "hearth-apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for arguments in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", package]):
            done = subprocess.run(["apt-get", *arguments], env=quiet, capture_output=True, text=True)
            if done.returncode:
                raise Missing(f"{package} is not there, and apt-get {arguments[0]} failed: {done.stderr[-300:]}")
