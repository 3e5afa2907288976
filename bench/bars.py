"""Every bar with its figure and its goal: ``make bars`` at full size, ``make bars PROFILE=ci`` at a twentieth.

Exit status 1 when a bar was missed that does not depend on the machine's speed.
"""

import argparse
import importlib
import sys
import time
import traceback
from collections.abc import Iterable

from bench.bar import Bar, Figure, Profile, Skipped
from bench.clusters import postgresql

SCALES = {"ci": 0.05, "full": 1.0}
# Modules that export BARS; the quick ones first.
MODULES = (
    "knowledge", "scope_fuzz", "isolation_fuzz", "auth_overhead", "records", "auth_races", "auth", "concurrency",
    "bad_input", "speed", "hl7_values", "hl7_speed", "hl7_map_speed", "hl7_inventory", "hl7_permutations",
    "hl7_kill", "hl7_ack", "hl7_end_to_end", "video_media",
)  # fmt: skip


def bars(only: str = "") -> list[Bar]:
    """The bars whose name contains ``only``."""
    found = [bar for name in MODULES for bar in importlib.import_module(f"bench.{name}").BARS]
    return [bar for bar in found if only in bar.name]


def run(chosen: Iterable[Bar], profile: Profile) -> bool:
    """Measure and print each; whether all were met that have to be."""
    good = True
    for bar in chosen:
        started = time.monotonic()
        verdict, figure = _measured(bar, profile)
        good = good and (verdict in ("met", "skipped") or bar.timing)
        print(f"{verdict:<8} {bar.name:<44} {figure.text}  [goal: {bar.goal}] ({time.monotonic() - started:.0f} s)")
        for note in figure.notes:
            print(f"         {note}")
        sys.stdout.flush()
    return good


def _measured(bar: Bar, profile: Profile) -> tuple[str, Figure]:
    try:
        figure = bar.measure(profile)
    except Skipped as reason:
        return "skipped", Figure(str(reason), False)
    except Exception as error:  # noqa: BLE001 one broken bar must not hide the others
        return "BROKEN", Figure(repr(error), False, tuple(traceback.format_exc().splitlines()[-6:]))
    return ("met" if figure.met else "MISSED"), figure


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=SCALES, default="full")
    parser.add_argument("--only", default="", help="bars whose name contains this")
    arguments = parser.parse_args()
    with postgresql(pinned=False) as url:
        return 0 if run(bars(arguments.only), Profile(arguments.profile, SCALES[arguments.profile], url)) else 1


if __name__ == "__main__":
    sys.exit(main())
