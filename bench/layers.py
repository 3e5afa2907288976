"""Where the CPU of a request goes: the application called in this process, its time summed by layer.

``python -m bench.layers [--database URL]``. The total is measured without the profiler; the shares come from a second
run under it, which makes layers of many small calls look larger than they are.
"""

import argparse
import cProfile
import io
import os
import pstats
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import msgspec

from bench.workload import SEARCHES, Clinic
from fhir_server import wiring
from fhir_server.preparation import prepare
from fhir_server.settings import load
from fhir_server.wsgi import Application

# The first that fits the path of the code's file names the layer.
LAYERS = (
    ("fhir_server/wsgi", "edge"),
    ("fhir_server/http", "edge"),
    ("fhir_server/interactions", "edge"),
    ("prometheus_client", "edge"),
    ("urllib", "edge"),
    ("fhir_server/audit", "audit"),
    ("fhir_server/repository", "repository"),
    ("fhir_server/search", "search"),
    ("fhir_server/store/search", "search"),
    ("fhir_server/store/connection", "driver and wait"),
    ("fhir_server/store", "store"),
    ("fhir_server/at_rest", "store"),
    ("psycopg", "driver and wait"),
    ("resources/json_codec", "JSON"),
    ("resources/validation", "validation"),
    ("resources/search_param", "index extraction"),
    ("search parameters", "index extraction"),
)
_encode = msgspec.json.Encoder().encode
Call = Callable[[], object]


def layer(file: str) -> str:
    """The layer a source file belongs to."""
    return next((name for part, name in LAYERS if part in file), "rest")


class InProcess:
    """The application without a server around it, and a clinic of resources in it."""

    def __init__(self, application: Application, clinic: Clinic) -> None:
        self.application, self.clinic = application, clinic

    def call(self, method: str, path: str, query: str = "", body: bytes = b"") -> tuple[int, bytes]:
        told: list[str] = []
        environ = {
            "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "application/fhir+json",
            "HTTP_ACCEPT": "application/fhir+json", "REMOTE_ADDR": "127.0.0.1",
        }  # fmt: skip
        answer = b"".join(self.application(environ, lambda status, headers, *rest: told.append(status)))
        return int(told[0][:3]), answer

    def create(self, type: str = "Observation") -> None:
        resource = self.clinic.make(type)
        status, body = self.call("POST", f"/fhir/{type}", body=_encode(resource))
        assert status == 201, body
        self.clinic.remember(resource, msgspec.json.decode(body)["id"], "1")

    def read(self) -> None:
        assert self.call("GET", f"/fhir/Observation/{self.clinic.any('Observation')[0]}")[0] == 200

    def search(self, name: str) -> None:
        path, _, query = self.clinic.chance.choice(SEARCHES[name])(self.clinic).partition("?")
        status, body = self.call("GET", f"/fhir/{path}", quote(query, safe="=&:|%"))
        assert status == 200, body


def shares(work: Call, times: int) -> tuple[float, dict[str, float]]:
    """CPU microseconds of one ``work`` in this thread, and the share of each layer in it."""
    started = time.thread_time()
    for _ in range(times):
        work()
    each = (time.thread_time() - started) / times * 1e6
    profile = cProfile.Profile(time.thread_time)
    profile.runcall(lambda: [work() for _ in range(times)])
    seconds = _by_layer(pstats.Stats(profile))
    whole = sum(seconds.values())
    return each, {name: value / whole for name, value in seconds.most_common()}


def _by_layer(stats: pstats.Stats) -> Counter[str]:
    """Own seconds by layer; what is built in counts for the layer that called it, our workload for none."""
    seconds: Counter[str] = Counter()
    for (file, _, _), (_, _, own, _, callers) in stats.stats.items():  # type: ignore[attr-defined]
        if file == "~":
            for (caller, _, _), (_, _, part, _) in callers.items():
                seconds[layer(caller)] += part
        elif "bench/" not in file and "/random.py" not in file:
            seconds[layer(file)] += own
    return seconds


def report(database: str, times: int) -> list[str]:
    """The table as lines of text."""
    with tempfile.TemporaryDirectory(prefix="hearth-layers-") as folder:
        url = database or f"sqlite:///{Path(folder) / 'hearth.sqlite'}"
        settings = load({"DATA_DIR": folder, "DATABASE": url, "OPEN": True}, {})
        prepare(settings)
        with wiring.Process(settings) as process:
            inside = InProcess(wiring.compose(process), Clinic(5))
            for type in ("Patient", "Encounter", "Observation"):
                for _ in range(300):
                    inside.create(type)
            rows: dict[str, Call] = {"read": inside.read, "create": inside.create}
            rows |= {name: lambda name=name: inside.search(name) for name in SEARCHES}  # type: ignore[misc]
            return [_line(name, *shares(work, times)) for name, work in rows.items()]


def _line(name: str, each: float, found: dict[str, float]) -> str:
    parts = ", ".join(f"{part} {share:.0%}" for part, share in found.items() if share >= 0.01)
    return f"{name:<18}{each:>7.0f} µs   {parts}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="", help="PostgreSQL URL of an empty database; default: SQLite")
    parser.add_argument("--times", type=int, default=1000)
    arguments = parser.parse_args()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the access log
    print("\n".join(report(arguments.database, arguments.times)))


if __name__ == "__main__":
    main()
