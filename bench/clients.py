"""Client processes: several at once, each with one connection, that tell what was answered to them.

HTTP/1.1 keep-alive on the standard library; every request carries an X-Request-Id so that its audit row can be found.
"""

import base64
import json
import multiprocessing
import os
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, RemoteDisconnected
from multiprocessing.connection import Connection as Pipe
from typing import Any, NamedTuple

PROCESSES = 8
JSON, JSON_PATCH = "application/fhir+json", "application/json-patch+json"
TRIES_SECONDS = 120.0
_fork = multiprocessing.get_context("fork")


class Unanswered(Exception):
    """The connection ended before the answer came: what was asked may or may not have been done."""


class Skipping(Exception):
    """A reader found what it must not find; it ends there, and its text is a failure."""


class Answer(NamedTuple):
    """Status, headers in lower case, decoded body (None without one)."""

    status: int
    headers: dict[str, str]
    json: Any

    @property
    def version(self) -> str:
        """The ETag as sent."""
        return self.headers.get("etag", "")


@dataclass
class Told:
    """What one client process reports: its result, and of all its requests the statuses, the ids of those that were
    answered (``public``: of the CapabilityStatement, which nobody audits), and the texts of the answers that no client
    can mend (500 and above)."""

    value: Any = None
    statuses: Counter[int] = field(default_factory=Counter)
    answered: list[str] = field(default_factory=list)
    public: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    crash: str = ""


class Client:
    """One connection to the server on ``port`` of this machine."""

    def __init__(self, port: int, name: str) -> None:
        self.told = Told()
        self._name, self._count = f"{name}-{os.urandom(3).hex()}", 0
        self._connection = HTTPConnection("127.0.0.1", port, timeout=TRIES_SECONDS)

    def send(self, method: str, path: str, body: Any = None, type: str = JSON, **headers: str) -> Answer:
        """One request below the base; ``body`` is encoded as JSON, headers are given as ``If_Match``.

        Raises Unanswered; the next request connects anew.
        """
        self._count += 1
        id = f"{self._name}-{self._count}"
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent |= {"X-Request-Id": id, "Accept": JSON} | ({"Content-Type": type} if body is not None else {})
        data = None if body is None else json.dumps(body).encode()
        idle = self._connection.sock is not None
        try:
            response, content = self._exchange(method, path, data, sent)
        except RemoteDisconnected as error:
            if not idle or method != "GET":
                raise Unanswered(repr(error)) from error
            return self.send(method, path, body, type, **headers)  # the server closes what is idle for long
        self._account(id, method, path, response.status, content)
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, json.loads(content) if content else None)

    def _exchange(self, method: str, path: str, data: bytes | None, headers: Any) -> tuple[HTTPResponse, bytes]:
        try:
            self._connection.request(method, "/fhir/" + path, data, headers)
            response = self._connection.getresponse()
            return response, response.read()
        except RemoteDisconnected:
            self._connection.close()
            raise
        except (OSError, HTTPException) as error:
            self._connection.close()
            raise Unanswered(repr(error)) from error

    def _account(self, id: str, method: str, path: str, status: int, content: bytes) -> None:
        self.told.statuses[status] += 1
        self.told.answered.append(id)
        if path.startswith("metadata"):
            self.told.public.append(id)
        if status >= 500 or b"waited for the same data" in content:  # the answer that a deadlock has
            self.told.failures.append(f"{method} {path} {id}: {status} {content[:300]!r}")

    def found(self, path: str) -> list[dict[str, Any]]:
        """All resources of a search, following its pages."""
        resources: list[dict[str, Any]] = []
        while path:
            page = self.send("GET", path).json
            resources += [entry["resource"] for entry in page.get("entry", ())]
            path = following(page)
        return resources

    def total(self, path: str) -> int:
        """How many resources meet a search."""
        return int(self.send("GET", path + ("&" if "?" in path else "?") + "_summary=count").json["total"])


def following(page: dict[str, Any]) -> str:
    """The path of a Bundle's next page below the base, '' at the last."""
    urls = (link["url"] for link in page["link"] if link["relation"] == "next")
    return str(next(urls, "")).partition("/fhir/")[2]


def together(port: int, work: Callable[..., Any], *given: Any, processes: int = PROCESSES) -> list[Told]:
    """Run ``work(client, index, barrier, *given)`` in so many processes; what each told. Raises when one broke."""
    return finished(launched(port, work, *given, processes=processes))


Launched = list[tuple[Any, Pipe]]


def launched(port: int, work: Callable[..., Any], *given: Any, processes: int = PROCESSES) -> Launched:
    """The same, without waiting for their end."""
    barrier = _fork.Barrier(processes, timeout=TRIES_SECONDS)
    running: Launched = []
    for index in range(processes):
        mine, theirs = _fork.Pipe(duplex=False)
        process = _fork.Process(target=_run, args=(theirs, port, index, barrier, work, given), daemon=True)
        process.start()
        theirs.close()
        running.append((process, mine))
    return running


def finished(running: Launched) -> list[Told]:
    """What each told at its end."""
    told: list[Told] = []
    for process, pipe in running:
        told.append(pipe.recv())
        process.join()
    for one in told:
        if one.crash:
            raise RuntimeError(f"a client process broke:\n{one.crash}")
    return told


def _run(pipe: Pipe, port: int, index: int, barrier: Any, work: Callable[..., Any], given: Sequence[Any]) -> None:
    client = Client(port, f"c{index}")
    try:
        client.told.value = work(client, index, barrier, *given)
    except Skipping as problem:
        client.told.failures.append(str(problem))
    except Exception:  # noqa: BLE001 the parent raises it
        client.told.crash = traceback.format_exc()
        barrier.abort()
    pipe.send(client.told)


def statuses(told: Sequence[Told]) -> Counter[int]:
    """The statuses of all."""
    return sum((one.statuses for one in told), Counter())


def failures(told: Sequence[Told]) -> list[str]:
    """The failures of all."""
    return [text for one in told for text in one.failures]


# --- Bundles ------------------------------------------------------------------------------------------------------


def entry(method: str, url: str, resource: dict[str, Any] | None = None, full: str = "", **request: str) -> Any:
    """A Bundle entry; ``request`` has ifMatch, ifNoneExist."""
    made: dict[str, Any] = {"request": {"method": method, "url": url, **request}}
    return made | ({"resource": resource} if resource else {}) | ({"fullUrl": full} if full else {})


def patch_entry(url: str, operations: list[Any], **request: str) -> Any:
    """An entry with a JSON Patch."""
    data = base64.b64encode(json.dumps(operations).encode()).decode()
    return entry("PATCH", url, {"resourceType": "Binary", "contentType": JSON_PATCH, "data": data}, **request)


def transaction(*entries: Any) -> dict[str, Any]:
    """A Bundle of type transaction."""
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}
