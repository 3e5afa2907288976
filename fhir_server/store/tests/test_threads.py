"""One session for each thread of each process."""

import os
import threading

from fhir_server.store.threads import PerThread


def test_each_thread_has_its_own_and_keeps_it() -> None:
    each: PerThread[object] = PerThread(object)
    mine, theirs = each.get(), list[object]()
    thread = threading.Thread(target=lambda: theirs.extend((each.get(), each.get())))
    thread.start()
    thread.join()
    assert each.get() is mine and theirs[0] is theirs[1] and theirs[0] is not mine


def test_a_child_starts_with_nothing_and_the_parent_keeps_its_own() -> None:
    each: PerThread[list[int]] = PerThread(lambda: [os.getpid()])
    mine = each.get()
    child = os.fork()
    if not child:
        os._exit(0 if each.get() == [os.getpid()] and each.get() is not mine else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert each.get() is mine
