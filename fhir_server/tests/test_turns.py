import multiprocessing
import threading
import time

from fhir_server.turns import Turns


def hold(folder, begun, seconds):
    turns = Turns(folder)
    turns.acquire()
    begun.set()
    time.sleep(seconds)


def busy(folder, begun, stop):
    """Writes again and again, as two threads that have more to do than there is time."""
    turns = Turns(folder)

    def thread():
        while not stop.is_set():
            with turns:
                begun.set()
                time.sleep(0.01)

    threads = [threading.Thread(target=thread) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


CONTEXT = multiprocessing.get_context("spawn")


def test_threads_take_turns(tmp_path):
    turns = Turns(tmp_path)
    with turns:
        assert not turns.acquire(timeout=0.01)
    assert turns.acquire(timeout=1)
    turns.release()
    turns.close()


def test_what_a_killed_process_held_is_free(tmp_path):
    begun = CONTEXT.Event()
    process = CONTEXT.Process(target=hold, args=(tmp_path, begun, 60))
    process.start()
    assert begun.wait(30)
    done = threading.Event()
    turns = Turns(tmp_path)
    waiting = threading.Thread(target=lambda: (turns.acquire(), done.set()))
    waiting.start()
    assert not done.wait(0.1)
    process.kill()
    assert done.wait(30)
    waiting.join()


def test_a_busy_process_does_not_keep_others_out(tmp_path):
    begun, stop = CONTEXT.Event(), CONTEXT.Event()
    process = CONTEXT.Process(target=busy, args=(tmp_path, begun, stop))
    process.start()
    assert begun.wait(30)
    turns = Turns(tmp_path)
    for _ in range(20):
        with turns:
            pass
    stop.set()
    process.join()
    assert process.exitcode == 0
