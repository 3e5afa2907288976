"""An HTTP/1.1 client that sends any bytes: requests no well-behaved client makes, and what comes back.

RFC 9112. Only for servers on this machine.
"""

import http.client
import socket
from contextlib import suppress
from dataclasses import dataclass, field

_LOOPBACK = "127.0.0.1"
Header = tuple[str, str | bytes]


@dataclass(frozen=True, slots=True)
class Sent:
    """A request. ``target`` and header values may hold any text; what is not Latin-1 goes as UTF-8."""

    method: str
    target: str
    headers: tuple[Header, ...] = ()
    body: bytes = b""

    def message(self) -> bytes:
        """The bytes on the wire; Content-Length is added when there is a body and no header about its length."""
        lines = [b"%s %s HTTP/1.1" % (_bytes(self.method), _bytes(self.target)), b"Host: 127.0.0.1"]
        lines += [b"%s: %s" % (_bytes(name), _bytes(value)) for name, value in self._framed()]
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body

    def _framed(self) -> tuple[Header, ...]:
        named = {name.lower() for name, _ in self.headers}
        if named & {"content-length", "transfer-encoding"} or not (self.body or self.method in ("POST", "PUT")):
            return self.headers
        return (*self.headers, ("Content-Length", str(len(self.body))))

    def __str__(self) -> str:
        message = self.message()
        return repr(message if len(message) <= 1500 else message[:1500] + b"... %d bytes" % len(message))


@dataclass(frozen=True, slots=True)
class Answer:
    """``status`` is 0 when the server closed the connection without an answer and -1 when it took too long."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class RawClient:
    """One connection, opened when needed. Sends the request as it is and reads one answer."""

    def __init__(self, port: int, timeout: float = 30.0) -> None:
        self._address = (_LOOPBACK, port)
        self._timeout = timeout
        self._socket: socket.socket | None = None

    def send(self, sent: Sent) -> Answer:
        """One exchange; again on a new connection when the old one had been closed while idle."""
        message, reused = sent.message(), self._socket is not None
        answer = self._exchange(sent.method, message)
        return self._exchange(sent.method, message) if reused and answer.status == 0 else answer

    def _exchange(self, method: str, message: bytes) -> Answer:
        try:
            self._socket = self._socket or socket.create_connection(self._address, self._timeout)
            with suppress(ConnectionError):  # a server may answer and close before it has read everything
                self._socket.sendall(message)
            return self._read(method)
        except TimeoutError:
            self.close()
            return Answer(-1)
        except (OSError, http.client.HTTPException):
            self.close()
            return Answer(0)

    def _read(self, method: str) -> Answer:
        assert self._socket is not None
        response = http.client.HTTPResponse(self._socket, method=method)
        try:
            response.begin()
            body = response.read()
            answer = Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)
            if response.will_close or response.status in (400, 413):
                self.close()
            return answer
        finally:
            response.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def get(port: int, target: str, *headers: Header) -> Answer:
    """One GET on a connection of its own."""
    return once(port, Sent("GET", target, tuple(headers)))


def once(port: int, sent: Sent, timeout: float = 60.0) -> Answer:
    """One exchange on a connection of its own."""
    client = RawClient(port, timeout)
    try:
        return client.send(sent)
    finally:
        client.close()


def json_body(*extra: Header, kind: str = "application/fhir+json") -> tuple[Header, ...]:
    """The headers of a FHIR JSON body."""
    return (("Content-Type", kind), *extra)


def _bytes(text: str | bytes) -> bytes:
    if isinstance(text, bytes):
        return text
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
