"""One MLLP connection with every byte in the test's hand, and acknowledgements taken apart.

HL7 v2.5.1 appendix C.4 (minimal lower layer protocol) and section 2.9 (acknowledgements).
"""

import socket
import ssl
import time
from dataclasses import dataclass
from functools import cached_property

START, END = b"\x0b", b"\x1c\r"
SECONDS = 15.0


def framed(*messages: bytes | str) -> bytes:
    """``messages`` as frames, one behind the other."""
    return b"".join(START + (each.encode() if isinstance(each, str) else each) + END for each in messages)


@dataclass(frozen=True)
class Problem:
    """One error of an acknowledgement: where (``MSH^1^11``), code of table 0357, severity."""

    place: str
    code: str
    severity: str


@dataclass(frozen=True)
class Ack:
    """An answer: ``raw`` without framing."""

    raw: bytes

    @cached_property
    def segments(self) -> list[list[str]]:
        """Segments cut into fields at the usual delimiter; [0] is the name."""
        return [line.split("|") for line in self.raw.decode("utf-8", "replace").split("\r") if line]

    def all(self, name: str) -> list[list[str]]:
        return [segment for segment in self.segments if segment[0] == name]

    def field(self, name: str, number: int) -> str:
        """Of the first segment of that name; MSH counts as in the standard."""
        [segment, *_] = self.all(name)
        at = number - 1 if name in ("MSH", "BHS", "FHS") else number
        return segment[at] if at < len(segment) else ""

    @property
    def code(self) -> str:
        """MSA-1."""
        return self.field("MSA", 1)

    @property
    def id(self) -> str:
        """MSA-2."""
        return self.field("MSA", 2)

    @property
    def problems(self) -> list[Problem]:
        """ERR as since 2.5: location, code, severity."""
        return [Problem(_shortened(err[2]), err[3].split("^")[0], err[4]) for err in self.all("ERR")]


def _shortened(location: str) -> str:
    """Segment, sequence and field: what is the first repetition or the whole is the server's choice to say."""
    return "^".join(location.split("^")[:3])


class Wire:
    """A connection. ``answer`` raises TimeoutError when none comes and ConnectionError when the server closed."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        raw = socket.create_connection((host, port), timeout=SECONDS)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = tls.wrap_socket(raw, server_hostname=host) if tls else raw
        self._rest = bytearray()

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *ended: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def finish(self) -> None:
        """Say that no more comes, and go on reading."""
        self._socket.shutdown(socket.SHUT_WR)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def answer(self, seconds: float = SECONDS) -> Ack:
        """The next one."""
        deadline = time.monotonic() + seconds
        while END not in self._rest:
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            data = self._socket.recv(1 << 16)
            if not data:
                raise ConnectionError("the server closed the connection")
            self._rest += data
        raw, _, rest = bytes(self._rest).partition(END)
        self._rest = bytearray(rest)
        assert raw.startswith(START), raw[:40]
        return Ack(raw[1:])

    def ask(self, *messages: bytes | str) -> Ack:
        """All sent at once; the answer to the last, when each has one."""
        self.send(framed(*messages))
        return [self.answer() for _ in messages][-1]

    def is_silent(self, seconds: float = 1.0) -> bool:
        """Whether nothing comes for so long; the connection stays usable."""
        try:
            self._rest[:0] = framed(self.answer(seconds).raw)
        except TimeoutError:
            return True
        return False

    def is_closed(self, seconds: float = SECONDS) -> bool:
        """Whether the server closes within so long, whatever it says before."""
        self._socket.settimeout(seconds)
        try:
            while self._socket.recv(1 << 16):
                pass
        except TimeoutError:
            return False
        except OSError:
            return True
        return True
