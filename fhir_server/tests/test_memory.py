"""How a process is set for long service."""

import subprocess
import sys

_SCRIPT = """
import ctypes, sys, threading
from fhir_server.memory import share_one_heap
libc = ctypes.CDLL(None)
if not hasattr(libc, "malloc_info"):
    print("1 0")
    sys.exit()
share_one_heap()
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
threads = [threading.Thread(target=lambda: [libc.malloc(2000) for _ in range(100)]) for _ in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
libc.fdopen.restype, libc.malloc_info.argtypes = ctypes.c_void_p, [ctypes.c_int, ctypes.c_void_p]
sys.stdout.flush()
stream = libc.fdopen(1, b"w")
libc.malloc_info(0, stream)
libc.fflush(ctypes.c_void_p(stream))
"""


def test_all_threads_share_one_heap() -> None:
    told = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True).stdout
    assert told.count("<heap nr=") <= 1


def test_the_collector_leaves_alone_what_is_there() -> None:
    script = (
        "import gc; from fhir_server.memory import keep_what_is_there as keep; keep(); print(gc.get_freeze_count())"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert int(told) > 1000
