"""The network address of who asks, also from behind a reverse proxy.

RFC 7239 section 5.2 in its older form, X-Forwarded-For: each proxy adds whom it was asked by, so that what the last
trusted one added is true and what stands before it is anybody's word.
"""

from collections.abc import Collection
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

_MAPPED = "::ffff:"


def plain(address: str) -> str:
    """An IPv4 address as itself, also where a socket for both kinds names it as IPv6 (RFC 4291 section 2.5.5.2): lists
    of addresses and the lockout know it by one name."""
    return address[len(_MAPPED) :] if "." in address and address.lower().startswith(_MAPPED) else address


def behind_proxies(peer: str, forwarded_for: str, proxies: Collection[str]) -> str:
    """``peer``, or whom the trusted ``proxies``, addresses and networks, were asked by when it is one of them."""
    hops = [*(plain(hop.strip()) for hop in forwarded_for.split(",") if hop.strip()), peer]
    while len(hops) > 1 and among(hops[-1], proxies):
        peer = hops.pop()
    return hops[-1] if _is_address(hops[-1]) else peer


def among(address: str, places: Collection[str]) -> bool:
    """Whether ``address`` is one of ``places`` or in a network (10.0.0.0/8) that is."""
    if address in places:
        return True
    networks = [place for place in places if "/" in place]
    return bool(networks) and _is_address(address) and any(ip_address(address) in _network(each) for each in networks)


@lru_cache(maxsize=64)
def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text)


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False
