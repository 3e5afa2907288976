"""TURN: time-limited credentials for browsers, and the configuration of a coturn that takes them.

draft-uberti-behave-turn-rest-00 (username ``expiry:word``, password HMAC-SHA1 by a shared secret), RFC 8656; coturn's
turnserver.conf(5). No server is ever taken for granted: without one that was configured there is none.
"""

import hmac
from base64 import b64encode
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import urlsplit

LIFE = 6 * 3600
"""Seconds for which credentials are good: a visit and some more."""
_USER_QUOTA, _TOTAL_QUOTA = 30, 3000
"""Allocations at a time: a browser makes one for each server and network, and those of before live for ten minutes."""
_PRIVATE = (
    "0.0.0.0-0.255.255.255",
    "10.0.0.0-10.255.255.255",
    "100.64.0.0-100.127.255.255",
    "127.0.0.0-127.255.255.255",
    "169.254.0.0-169.254.255.255",
    "172.16.0.0-172.31.255.255",
    "192.0.0.0-192.0.0.255",
    "192.168.0.0-192.168.255.255",
    "198.18.0.0-198.19.255.255",
    "224.0.0.0-255.255.255.255",
    "::-::1",
    "64:ff9b::-64:ff9b::ffff:ffff",
    "fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
)


class Relay(NamedTuple):
    """A TURN server's listening side, of a URL such as ``turn:turn.example.org:3478?transport=udp``."""

    host: str
    port: int
    tls: bool


def credentials(secret: str, word: str, now: int, life: int = LIFE) -> tuple[str, str]:
    """(username, password) for ``word``, which says nothing about anybody; ``now`` in s since 1970 UTC."""
    username = f"{now + life}:{word}"
    digest = hmac.new(secret.encode(), username.encode(), "sha1").digest()
    return username, b64encode(digest).decode()


def ice_servers(urls: Sequence[str], secret: str, word: str, now: int, life: int = LIFE) -> list[dict[str, Any]]:
    """RTCIceServer list of a page (W3C WebRTC section 4.2.4), good for ``life`` s; empty without ``urls``."""
    if not urls:
        return []
    username, password = credentials(secret, word, now, life)
    return [{"urls": list(urls), "username": username, "credential": password}]


def relay(url: str) -> Relay:
    """What ``url`` (RFC 7065) names. Raises ValueError."""
    scheme, _, rest = url.partition(":")
    parts = urlsplit(f"//{rest}")
    if scheme not in ("turn", "turns") or not parts.hostname:
        raise ValueError(f"{url!r} is no turn: or turns: address")
    return Relay(parts.hostname, parts.port or (5349 if scheme == "turns" else 3478), scheme == "turns")


def configuration(
    urls: Sequence[str], secret: str, media: Sequence[str], realm: str, cert: str = "", key: str = ""
) -> str:
    """turnserver.conf for the first of ``urls`` that has no TLS and the first that has, whose certificate and key are
    the files ``cert`` and ``key``; it relays to ``media``, the addresses of the media servers, and to no other private
    address. Raises ValueError."""
    relays = [relay(url) for url in urls]
    plain, tls = (next((one for one in relays if one.tls is wanted), None) for wanted in (False, True))
    lines = ["# Written by `hearth video turn-config`. Holds a secret: for the user of coturn alone.", "fingerprint"]
    lines += [f"listening-port={plain.port}"] if plain else ["no-udp", "no-tcp"]
    lines += _tls(tls.port, cert, key) if tls else ["no-tls", "no-dtls"]
    lines += ["use-auth-secret", f"static-auth-secret={secret}", f"realm={realm}", "stale-nonce=600"]
    lines += ["no-cli", "no-multicast-peers", "no-rfc5780", "no-tcp-relay", "log-file=stdout", "simple-log"]
    lines += [f"user-quota={_USER_QUOTA}", f"total-quota={_TOTAL_QUOTA}"]
    lines += [f"denied-peer-ip={span}" for span in _PRIVATE]
    lines += [f"allowed-peer-ip={address}" for address in media]
    if any(ip_address(address).is_loopback for address in media):
        lines.append("allow-loopback-peers")
    return "\n".join(lines) + "\n"


def _tls(port: int, cert: str, key: str) -> list[str]:
    files = [f"cert={cert}", f"pkey={key}"] if cert and key else ["# cert= and pkey= name the certificate of this side"]
    return [f"tls-listening-port={port}", "no-dtls", "no-tlsv1", "no-tlsv1_1", *files]
