"""Fuzzes a running server: no request may be answered 500, closed unanswered, or take longer than it should.

``python -m bench.fuzz PORT --seconds 60``. A run is known by its seed; what is found is told with its request.
"""

import argparse
import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.fuzz_requests import BASE, Requests
from bench.fuzz_seeds import SEEDS
from bench.raw_http import Answer, RawClient, Sent, get, json_body, once

SLOWEST = 10.0
"""Seconds any one request may take."""
THREADS = 2
_WRONG = frozenset({-1, 0, 500, 502, 504})


@dataclass
class Found:
    """What a run saw: requests, how often each status, the slowest, and the wrong answers with their requests."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    slow: str = ""
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, sent: Sent, answer: Answer, seconds: float) -> None:
        self.requests += 1
        self.statuses[answer.status] += 1
        if seconds > self.slowest:
            self.slowest, self.slow = seconds, str(sent)
        if answer.status in _WRONG or seconds > SLOWEST:
            self.wrong.append(f"{answer.status} in {seconds:.1f} s: {sent} {answer.body[-200:]!r}")

    def __str__(self) -> str:
        counted = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        return f"{self.requests} requests, {len(self.wrong)} wrong, slowest {self.slowest:.1f} s ({counted})"


def search_parameters(port: int) -> dict[str, dict[str, str]]:
    """Type of every search parameter by resource type, from the server's own statement; '' for those of all types."""
    [rest] = json.loads(get(port, f"{BASE}/metadata").body)["rest"]
    found = {row["type"]: {p["name"]: p["type"] for p in row.get("searchParam", ())} for row in rest["resource"]}
    found[""] = {p["name"]: p["type"] for p in rest.get("searchParam", ())} or {"_id": "token"}
    return {type: parameters or {"_id": "token"} for type, parameters in found.items()}


def plant(port: int) -> None:
    """Store the patient that the seeds refer to. Raises RuntimeError when the server does not take it."""
    body = json.dumps(SEEDS[0]).encode()
    answer = once(port, Sent("PUT", f"{BASE}/Patient/seed", json_body(), body))
    if answer.status not in (200, 201):
        raise RuntimeError(f"the seed patient was answered {answer.status}: {answer.body[:300]!r}")


def fuzz(port: int, seconds: float, seed: int) -> Found:
    """Send hostile requests on a few connections for ``seconds``."""
    plant(port)
    parameters = search_parameters(port)
    found, lock = Found(seconds=seconds), threading.Lock()
    deadline = time.monotonic() + seconds
    runs = [
        threading.Thread(target=_run, args=(port, Requests(seed + number, parameters), deadline, found, lock))
        for number in range(THREADS)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    return found


def _run(port: int, requests: Requests, deadline: float, found: Found, lock: threading.Lock) -> None:
    client = RawClient(port)
    for sent in _until(deadline, requests):
        started = time.monotonic()
        answer = client.send(sent)
        requests.learn(sent, answer)
        with lock:
            found.add(sent, answer, time.monotonic() - started)
    client.close()


def _until(deadline: float, requests: Requests) -> Iterator[Sent]:
    while time.monotonic() < deadline:
        yield requests.next()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    found = fuzz(arguments.port, arguments.seconds, arguments.seed)
    print(found, *found.wrong[:50], f"slowest: {found.slow}", sep="\n")
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
