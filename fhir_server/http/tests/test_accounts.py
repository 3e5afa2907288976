"""Metrics and access log, told behind the answers."""

import os
from threading import Event, Thread
from time import monotonic, sleep

from fhir_server.http.access_log import AccessLog, Line
from fhir_server.http.accounts import MOST_WAITING, Accounts
from fhir_server.http.metrics import Metrics

LINE = Line(1.5, "r1", "GET", "read", "Patient", 200, 0.001, 42)


def _counted(metrics: Metrics) -> bool:
    return b'hearth_http_request_seconds_count{interaction="read",status="200"} 1.0' in metrics.exposition()


def test_before_the_start_it_is_told_at_once() -> None:
    metrics = Metrics()
    Accounts(metrics, None).add(LINE)
    assert _counted(metrics)


def test_the_thread_tells_soon() -> None:
    metrics = Metrics()
    accounts = Accounts(metrics, None)
    accounts.start()
    accounts.add(LINE)
    late = monotonic() + 10
    while not _counted(metrics) and monotonic() < late:
        sleep(0.01)
    assert _counted(metrics)
    accounts.stop()


def test_the_stop_tells_the_rest_and_what_comes_later() -> None:
    reader, writer = os.pipe()
    accounts = Accounts(Metrics(), AccessLog(writer))
    accounts.start()
    accounts.add(LINE)
    accounts.stop()
    accounts.add(LINE)
    os.close(writer)
    assert os.read(reader, 10_000).count(b"\n") == 2
    os.close(reader)


def test_every_request_is_told_once_and_none_waits_in_memory_for_ever() -> None:
    reader, writer = os.pipe()
    accounts = Accounts(Metrics(), AccessLog(writer))
    accounts.start()
    count = MOST_WAITING + 1000
    adding = [Thread(target=lambda: [accounts.add(LINE) for _ in range(count)]) for _ in range(2)]
    for thread in adding:
        thread.start()
    lines = 0
    while lines < 2 * count - MOST_WAITING:  # the pipe holds far less: it is read while they add
        lines += os.read(reader, 100_000).count(b"\n")
    closing = Thread(target=lambda: [*(thread.join() for thread in adding), accounts.stop(), os.close(writer)])
    closing.start()
    while part := os.read(reader, 100_000):
        lines += part.count(b"\n")
    closing.join()
    os.close(reader)
    assert lines == 2 * count


def test_counts_of_elsewhere_are_told_now_and_then() -> None:
    called = Event()
    accounts = Accounts(Metrics(), None, called.set)
    accounts.start()
    assert called.wait(10)
    accounts.stop()
