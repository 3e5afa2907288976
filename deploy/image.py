"""``make image``: builds deploy/Containerfile with the first builder of podman, buildah and docker that is here."""

import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
BUILDERS = (("podman", "build"), ("buildah", "build"), ("docker", "build"))


def command(tag: str) -> list[str]:
    """The command line of the builder; [] when none is here."""
    words = ("--file", "deploy/Containerfile", "--tag", tag, ".")
    return next(([name, verb, *words] for name, verb in BUILDERS if shutil.which(name)), [])


def main(arguments: list[str]) -> int:
    line = command(arguments[0] if arguments else "hearth:latest")
    if not line:
        print("none of podman, buildah and docker is installed (Debian: apt-get install podman)", file=sys.stderr)
        return 1
    # Docker knows the ignore file by the name of the Containerfile alone.
    shutil.copyfile(CHECKOUT / ".containerignore", CHECKOUT / "deploy" / "Containerfile.dockerignore")
    try:
        return subprocess.run(line, cwd=CHECKOUT).returncode
    finally:
        (CHECKOUT / "deploy" / "Containerfile.dockerignore").unlink()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
