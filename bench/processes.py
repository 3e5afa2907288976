"""What processes cost: CPU seconds and resident memory of a process and all its descendants, from /proc."""

import os
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Cost(NamedTuple):
    """``cpu`` in seconds (user and system); ``largest`` is the resident memory of the largest process in MB."""

    cpu: float
    largest: float


def cost(*roots: int) -> Cost:
    """The cost so far of the process trees under ``roots``."""
    rows = dict(filter(None, map(_row, Path("/proc").iterdir())))
    children = defaultdict(list)
    for pid, (parent, _, _) in rows.items():
        children[parent].append(pid)
    todo, seen = [root for root in roots if root in rows], set()
    while todo:
        pid = todo.pop()
        if pid not in seen:
            seen.add(pid)
            todo += children[pid]
    return Cost(sum(rows[pid][1] for pid in seen), max((rows[pid][2] for pid in seen), default=0.0))


def _row(folder: Path) -> tuple[int, tuple[int, float, float]] | None:
    if not folder.name.isdigit():
        return None
    try:
        text = (folder / "stat").read_text()
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()
    cpu = (int(fields[11]) + int(fields[12])) / _TICK
    return int(folder.name), (int(fields[1]), cpu, int(fields[21]) * _PAGE / 1e6)


def descendants(root: int) -> list[int]:
    """The processes below ``root``, children before their children."""
    rows = dict(filter(None, map(_row, Path("/proc").iterdir())))
    found = [root]
    for pid in found:
        found += [child for child, (parent, _, _) in rows.items() if parent == pid]
    return found[1:]
