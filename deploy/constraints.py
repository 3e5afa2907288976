"""Writes deploy/constraints.txt: the versions of all that Hearth needs, as they are installed and tested here."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = "hearth-health"
FILE = Path(__file__).with_name("constraints.txt")


def closure(name: str, extras: frozenset[str] = frozenset(), found: dict[str, str] | None = None) -> dict[str, str]:
    """Version by name of all that ``name`` needs here, itself among them; what no marker asks for is left out."""
    found = {} if found is None else found
    package = distribution(name)
    key = f"{canonicalize_name(name)}[{','.join(sorted(extras))}]"
    if key in found:
        return found
    found[key] = package.version
    for text in package.requires or ():
        needed = Requirement(text)
        if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in (extras or {""})):
            try:
                closure(needed.name, frozenset(needed.extras), found)
            except PackageNotFoundError:  # of another platform
                continue
    return found


def pins() -> dict[str, str]:
    """Version by name, of the packages beside the project."""
    return {
        name: version for key, version in sorted(closure(PROJECT).items()) if (name := key.partition("[")[0]) != PROJECT
    }


def main() -> None:
    FILE.write_text("".join(f"{name}=={version}\n" for name, version in pins().items()))


if __name__ == "__main__":
    main()
