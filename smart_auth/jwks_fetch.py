"""Gets the JWK Set of a client from its registered URL without being led into our own network.

OWASP SSRF Prevention; RFC 7517. The name is resolved first, every address must be public, and the connection goes to
the address that was checked. No redirect is followed; size and time are bounded over all, not per read.
"""

import ipaddress
import socket
import ssl
import time
import typing
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

import httpcore

from smart_auth.oauth.client_keys import Fetched

LARGEST = 131_072  # bytes read, headers and TLS apart from it
LONGEST = 5.0  # seconds, from the resolved name to the last byte
_LOOPBACK_NAMES = frozenset({"127.0.0.1", "::1", "localhost"})
_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Unreachable(OSError):
    """Nothing to be had from there; the text names the rule."""


def public(text: str) -> bool:
    """Whether an address is of the open Internet, whatever it is wrapped in (mapped, 6to4, Teredo, NAT64)."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return all(_unicast(inner) for inner in _unwrapped(address))


def _unicast(address: _Address) -> bool:
    """Global unicast: of IPv6 only 2000::/3, so that no old way of writing an IPv4 address slips through."""
    if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST:
        return False
    return address.is_global and not address.is_multicast


def _unwrapped(address: _Address) -> list[_Address]:
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    inner = [address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    found = [wrapped for wrapped in inner if wrapped is not None]
    return [address, *found] if address not in _NAT64 else list(found)


def jwks_fetch(url: str, loopback_http: bool = False) -> Fetched:
    """The body and headers at ``url``. Raises Unreachable.

    ``loopback_http`` also allows http and https to this machine, for development.
    """
    parts = _parsed(url, loopback_http)
    host = parts.hostname or ""
    development = loopback_http and host in _LOOPBACK_NAMES
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = _resolved(host, port, development)
    try:
        return _got(url, _Pinned(address, time.monotonic() + LONGEST))
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, ssl.SSLError) as error:
        raise Unreachable(f"the URL did not answer: {type(error).__name__}") from None


def _parsed(url: str, loopback_http: bool) -> SplitResult:
    try:
        parts = urlsplit(url)
        plain = loopback_http and parts.scheme == "http" and parts.hostname in _LOOPBACK_NAMES
        if parts.scheme != "https" and not plain:
            raise Unreachable("a JWK Set is fetched by https alone")
        if not parts.hostname or parts.username is not None or parts.fragment or parts.port == 0:
            raise Unreachable("no URL to fetch from")
    except ValueError:
        raise Unreachable("no URL to fetch from") from None
    return parts


def _resolved(host: str, port: int, development: bool) -> str:
    """The address to connect to. One private address among several refuses them all: names are not to be tricked."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable("the name of the host is not known") from None
    addresses = [str(info[4][0]) for info in found]
    if not addresses or not (development or all(map(public, addresses))):
        raise Unreachable("the host is not on the open Internet")
    return addresses[0]


def _got(url: str, backend: httpcore.NetworkBackend) -> Fetched:
    headers = [("Accept", "application/json"), ("Accept-Encoding", "identity"), ("User-Agent", "hearth")]
    context = ssl.create_default_context()
    with httpcore.ConnectionPool(ssl_context=context, network_backend=backend) as pool:
        answer = pool.request("GET", url, headers=headers, extensions={"timeout": dict.fromkeys(_TIMEOUTS, LONGEST)})
    if answer.status != 200:
        raise Unreachable(f"the URL answered {answer.status}")
    return Fetched(answer.content, {name.decode("latin-1").lower(): v.decode("latin-1") for name, v in answer.headers})


_TIMEOUTS = ("connect", "read", "write", "pool")


class _Pinned(httpcore.NetworkBackend):
    """Connects to one address, whatever the name says by now."""

    def __init__(self, address: str, deadline: float) -> None:
        self._address, self._deadline, self._real = address, deadline, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._real.connect_tcp(self._address, port, _left(self._deadline), local_address, socket_options)
        return _Bounded(stream, self._deadline)


class _Bounded(httpcore.NetworkStream):
    """A stream that ends at a deadline and after so many bytes."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline, self._room = stream, deadline, LARGEST

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._stream.read(max_bytes, _left(self._deadline))
        self._room -= len(data)
        if self._room < 0:
            raise httpcore.ReadError("too much")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Bounded(self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline)), self._deadline)

    def get_extra_info(self, info: str) -> typing.Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("too slow")
    return left
