"""The network address of who asks, also from behind a reverse proxy.

RFC 7239 section 5.2 in its older form, X-Forwarded-For: each proxy adds whom it was asked by, so that what the last
trusted one added is true and what stands before it is anybody's word.
"""

from collections.abc import Collection
from ipaddress import ip_address

_MAPPED = "::ffff:"


def plain(address: str) -> str:
    """An IPv4 address as itself, also where a socket for both kinds names it as IPv6 (RFC 4291 section 2.5.5.2): lists
    of addresses and the lockout know it by one name."""
    return address[len(_MAPPED) :] if "." in address and address.lower().startswith(_MAPPED) else address


def behind_proxies(peer: str, forwarded_for: str, proxies: Collection[str]) -> str:
    """``peer``, or whom the trusted ``proxies`` were asked by when the peer is one of them."""
    hops = [*(plain(hop.strip()) for hop in forwarded_for.split(",") if hop.strip()), peer]
    while len(hops) > 1 and hops[-1] in proxies:
        peer = hops.pop()
    return hops[-1] if _is_address(hops[-1]) else peer


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False
