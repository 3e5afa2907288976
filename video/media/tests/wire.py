"""A socket of the server that watches where datagrams go and loses some on demand, and the socket of a stranger.

RFC 8445 section 7 (checks), RFC 5764 section 5.1.2.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from aioice import stun

from video.media.ice import Address
from video.media.sdp import Credentials
from video.media.sockets import Port

_ANSWER = b"\1\1"


def _nothing(datagram: bytes) -> bool:
    return False


class Watched(Port):
    """``met``: addresses whose check was answered; ``wrong``: what went to any other; ``loses`` says what is lost."""

    loses: Callable[[bytes], bool] = staticmethod(_nothing)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.met: set[Address] = set()
        self.wrong: list[Address] = []
        self.left = 0

    def send(self, datagram: bytes, address: Address) -> None:
        if datagram[:2] == _ANSWER:
            self.met.add(address)
        elif address not in self.met:
            self.wrong.append(address)
        self.left += 1
        if not self.loses(datagram):
            super().send(datagram, address)


class Stranger:
    """A socket of somebody on the way to the server."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.connect(("127.0.0.1", port))

    async def flood(self, datagrams: list[bytes]) -> None:
        """A few at a time, so that nothing but the server drops them."""
        for number, datagram in enumerate(datagrams):
            self._socket.send(datagram)
            if number % 20 == 19:
                await asyncio.sleep(0.001)

    def heard(self) -> list[bytes]:
        """What came back since the last time."""
        found: list[bytes] = []
        while True:
            try:
                found.append(self._socket.recv(2048))
            except BlockingIOError:
                return found

    def close(self) -> None:
        self._socket.close()


def check(credentials: Credentials) -> bytes:
    """A connectivity check signed with ``credentials``, of its own transaction."""
    attributes = {"USERNAME": f"{credentials.ufrag}:page", "USE-CANDIDATE": None}
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes=attributes)
    message.add_message_integrity(credentials.password.encode())
    return bytes(message)
