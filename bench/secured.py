"""A secured Hearth with whom to speak to it: tokens, families and clients made beside it, on the same database."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from bench.server import Server, serving
from fhir_server.settings import load
from fhir_server.wiring import Process
from smart_auth.service import AuthService


class Secured(NamedTuple):
    """The server, and the authorization server of this process on the same records."""

    server: Server
    service: AuthService

    def token(self, scope: str, patient: str = "") -> str:
        from smart_auth.development import development_token

        return development_token(self.service, scope, patient)


@contextmanager
def secured(database: str, *options: str, pinned: bool = False) -> Iterator[Secured]:
    """A server with authentication on a fresh database."""
    with serving(database, *options, pinned=pinned, secured=True) as server:
        given = {"DATA_DIR": str(server.log.parent), "DATABASE": server.database, "PORT": str(server.port)}
        with Process(load(given, {})) as process:
            yield Secured(server, process.authorization.service)


class Line:
    """A keep-alive connection with a token."""

    def __init__(self, port: int, token: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str) -> tuple[int, bytes]:
        return self.send("GET", path)

    def send(self, method: str, path: str, body: bytes = b"", type: str = "application/fhir+json") -> tuple[int, bytes]:
        headers = self._headers | ({"Content-Type": type} if body else {})
        self._connection.request(method, path, body or None, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        self._connection.close()
