"""Fixtures of the tests of the edge, interactions and operations: the whole server in process on SQLite, no sockets."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

BASE = "https://fhir.example.org/fhir"


@dataclass
class Answer:
    """What came back: status, headers (names in lower case), body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body, parse_float=Decimal)

    @property
    def issue(self) -> dict[str, Any]:
        """The first issue of an OperationOutcome."""
        outcome = self.json
        assert outcome["resourceType"] == "OperationOutcome"
        found: dict[str, Any] = outcome["issue"][0]
        return found


class Client:
    """Calls a WSGI application. Header names are given as ``If_Match``."""

    def __init__(self, application: Any) -> None:
        self.application = application

    def send(self, method: str, path: str, body: Any = None, /, **headers: str) -> Answer:
        """One request below the base; ``body`` is JSON when it is no bytes."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body, default=float).encode()
        path, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": unquote(f"/fhir/{path}" if path else "/fhir", encoding="latin-1"),
            "QUERY_STRING": query,
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.input": io.BytesIO(data),
            "CONTENT_LENGTH": str(len(data)),
        }
        environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items() if name != "Content_Type"}
        if body is not None:
            environ["CONTENT_TYPE"] = headers.get("Content_Type", "application/fhir+json")
        return self.call(environ)

    def call(self, environ: dict[str, Any]) -> Answer:
        told: list[Any] = []
        parts = self.application(environ, lambda status, headers, *rest: told.extend((status, headers)))
        return Answer(int(told[0][:3]), {name.lower(): value for name, value in told[1]}, b"".join(parts))

    def create(self, resource: dict[str, Any]) -> str:
        """Create ``resource``; its id."""
        answer = self.send("POST", resource["resourceType"], resource)
        assert answer.status == 201, answer.body
        id: str = answer.json["id"]
        return id


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A server of its own for each test module."""
    from fhir_server import wiring
    from fhir_server.preparation import prepare
    from fhir_server.settings import load

    folder: Path = tmp_path_factory.mktemp("data")
    settings = load({"DATA_DIR": str(folder), "PUBLIC_URL": BASE, "OPEN": True}, {})
    prepare(settings)
    with wiring.Process(settings) as process:
        yield Client(wiring.compose(process))
