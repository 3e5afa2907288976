"""A keep-alive HTTP/1.1 client on plain asyncio streams, cheap enough to load a server from one core.

Only for servers on this machine: it refuses any address but loopback.
"""

import asyncio
from typing import NamedTuple

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
FHIR_JSON = "application/fhir+json"


class Answer(NamedTuple):
    """Status, headers in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One connection, opened at the first request and again when the server closed it."""

    def __init__(self, host: str, port: int) -> None:
        if host not in _LOOPBACK:
            raise ValueError(f"{host} is not this machine")
        self._host, self._port = host, port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def request(self, method: str, path: str, body: bytes = b"", content_type: str = FHIR_JSON) -> Answer:
        """Send and await the answer; a connection that the server closed while idle is opened again once."""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nAccept: {FHIR_JSON}\r\n"
        if method in ("POST", "PUT", "PATCH"):
            head += f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
        message = head.encode() + b"\r\n" + body
        if self._writer is not None:
            try:
                return await self._exchange(method, message)
            except (ConnectionError, asyncio.IncompleteReadError):
                self.close()
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=1 << 22)
        return await self._exchange(method, message)

    async def _exchange(self, method: str, message: bytes) -> Answer:
        assert self._reader and self._writer
        self._writer.write(message)
        await self._writer.drain()
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)
        }
        body = b""
        if method != "HEAD":
            body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(lines[0].split(" ", 2)[1]), headers, body)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None
