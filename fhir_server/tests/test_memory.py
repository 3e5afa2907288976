"""How a process is set for long service."""

import subprocess
import sys
from pathlib import Path

import pytest

_SHARE = "from fhir_server.memory import share_one_heap; share_one_heap()"
_LOAD = """
from fhir_server.cli import main
main(["load", FOLDER + "/patient.json", "--quiet", "--data-dir", FOLDER + "/var"])
"""
_WORKER = """
import os, signal
from fhir_server import worker
from fhir_server.preparation import prepare
from fhir_server.settings import load
settings = load({"DATA_DIR": FOLDER + "/var", "OPEN": True}, {})
prepare(settings)
signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
signal.alarm(2)
worker.run(settings)
"""
_HEAPS = """
libc = ctypes.CDLL(None)
if not hasattr(libc, "malloc_info"):
    print("1 0")
    sys.exit()
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


def heaps(first: str, folder: Path) -> int:
    """How many heaps four threads have that allocate in a process which did ``first`` before."""
    script = f"import ctypes, sys, threading\nFOLDER = {str(folder)!r}\n{first}\n{_HEAPS}"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    return told.count("<heap nr=")


@pytest.mark.parametrize("first", [_SHARE, _LOAD, _WORKER], ids=["alone", "load", "worker"])
def test_all_threads_share_one_heap(tmp_path: Path, first: str) -> None:
    (tmp_path / "patient.json").write_text('{"resourceType": "Patient", "id": "p1"}')
    assert heaps(first, tmp_path) <= 1


def test_what_that_is_measured_against(tmp_path: Path) -> None:
    assert heaps("", tmp_path) != 1


def test_the_collector_leaves_alone_what_is_there() -> None:
    script = (
        "import gc; from fhir_server.memory import keep_what_is_there as keep; keep(); print(gc.get_freeze_count())"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert int(told) > 1000
