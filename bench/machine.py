"""How fast this machine is just now: what a fixed piece of well-known work costs, so that figures can be compared."""

import time
from typing import Any

from flask import Flask

GOALS_SET_AT = 55.0
"""Microseconds of the same work on the machine and day the goals were set (49 to 62 were measured)."""


def flask_hello(times: int = 3000) -> float:
    """CPU microseconds of a Flask request that answers hello, in this process; the least of three runs."""
    app = Flask("hello")
    app.add_url_rule("/", "hello", lambda: "hello")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/", "QUERY_STRING": "", "SERVER_NAME": "x", "SERVER_PORT": "80",
        "wsgi.url_scheme": "http", "SERVER_PROTOCOL": "HTTP/1.1",
    }  # fmt: skip
    runs = []
    for _ in range(3):
        started = time.thread_time()
        for _ in range(times):
            b"".join(app(dict(environ), lambda *told: None))  # type: ignore[arg-type, return-value]
        runs.append((time.thread_time() - started) / times * 1e6)
    return min(runs)


def line() -> str:
    """The machine in one line, for the head of a table of figures."""
    now = flask_hello()
    return (
        f"machine: a Flask hello costs {now:.0f} µs of CPU now and {GOALS_SET_AT:.0f} µs when the goals were set: "
        f"times are {now / GOALS_SET_AT:.1f} times as long"
    )
