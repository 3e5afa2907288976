"""A process that ends when the process that started it ends, however that came about.

Linux prctl(2), PR_SET_PDEATHSIG. Without it a killed parent leaves children that hold the port and go on serving.
"""

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Ask the kernel for SIGTERM when the thread that started this process is gone; elsewhere than on Linux nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
