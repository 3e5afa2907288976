"""The memory of a process that serves for weeks: one heap for all threads, large blocks given back at once.

glibc mallopt(3); the collector of Python, module gc. Elsewhere than on glibc only the collector is set.
"""

import ctypes
import gc

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGE = 128 * 1024
"""Bytes from which a block is mapped by itself; the body of a Bundle then leaves no hole behind. Set, it no longer
grows to 32 MB by itself."""


def share_one_heap() -> None:
    """Have all threads allocate from one heap. Call it before there are threads.

    By default each gets its own, and keeps the most it ever needed: after 36 Bundles of a megabyte on four threads a
    third of the heap was free and lost. Threads that run Python take turns anyway.
    """
    tune = getattr(ctypes.CDLL(None), "mallopt", None)
    if tune is not None:
        for name, value in ((_M_ARENA_MAX, 1), (_M_MMAP_THRESHOLD, _LARGE), (_M_TRIM_THRESHOLD, _LARGE)):
            tune(name, value)


def keep_what_is_there(young: int = 20_000) -> None:
    """What was made so far stays: the collector need not walk it again, nor run for every few hundred objects of a
    request; it looks when there are ``young`` more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(young, 50, 100)
