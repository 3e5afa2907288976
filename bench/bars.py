"""Every bar with its figure and its goal: ``make bars`` at full size, ``make bars PROFILE=ci`` at a twentieth.

In CI three of those that measure no time run at once, and the others after them.
Exit status 1 when a bar was missed that does not depend on the machine's speed.
"""

import argparse
import importlib
import sys
import time
import traceback
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from bench.bar import Bar, Figure, Profile, Skipped
from bench.clusters import postgresql

SCALES = {"ci": 0.05, "full": 1.0}
LANES = {"ci": 3, "full": 1}
"""How many bars run at once."""
# Modules that export BARS; the quick ones first.
MODULES = (
    "knowledge", "search_oracle.bar", "scope_fuzz", "isolation_fuzz", "auth_overhead", "records", "auth_races", "auth",
    "concurrency",
    "bad_input", "search_attacks", "search_paging", "speed", "search_scale", "search_mix", "published.bar", "reindex",
    "hl7_values", "hl7_speed", "hl7_map_speed", "hl7_inventory", "hl7_permutations", "hl7_kill",
    "hl7_ack", "hl7_end_to_end", "video_media", "video_janus", "video_loss", "video_failures", "video_recording",
    "parts", "failover", "upgrade", "video_browser", "page_speed", "crowd",
)  # fmt: skip


def bars(only: str = "") -> list[Bar]:
    """The bars whose name contains ``only``."""
    found = [bar for name in MODULES for bar in importlib.import_module(f"bench.{name}").BARS]
    return [bar for bar in found if only in bar.name]


def run(chosen: Iterable[Bar], profile: Profile, lanes: int = 1) -> bool:
    """Measure and print each; whether all were met that have to be."""
    chosen = list(chosen)
    beside = [bar.name for bar in chosen if lanes > 1 and not bar.timing and not bar.alone]
    good = _at_once(beside[::-1], profile, lanes)  # the quick ones last, so that no lane is left with a long one
    for bar in chosen:
        if bar.name not in beside:
            good = _told(bar, profile) and good
    return good


def _at_once(names: list[str], profile: Profile, lanes: int) -> bool:
    if not names:
        return True
    with ProcessPoolExecutor(lanes, get_context("spawn")) as pool:
        return all(list(pool.map(_named, names, [profile] * len(names))))


def _named(name: str, profile: Profile) -> bool:
    return _told(next(bar for bar in bars(name) if bar.name == name), profile)


def _told(bar: Bar, profile: Profile) -> bool:
    """Measure and print one; whether that fails no build."""
    started = time.monotonic()
    verdict, figure = _measured(bar, profile)
    said = f"{verdict:<8} {bar.name:<44} {figure.text}  [goal: {bar.goal}] ({time.monotonic() - started:.0f} s)"
    print("\n         ".join((said, *figure.notes)), flush=True)
    return bar.timing or verdict in ("met", "skipped")


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
        profile = Profile(arguments.profile, SCALES[arguments.profile], url)
        return 0 if run(bars(arguments.only), profile, LANES[arguments.profile]) else 1


if __name__ == "__main__":
    sys.exit(main())
