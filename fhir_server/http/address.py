"""The network address of who asks, also from behind a reverse proxy.

RFC 7239 section 5.2 in its older form, X-Forwarded-For: each proxy adds whom it was asked by, so that what the last
trusted one added is true and what stands before it is anybody's word.
"""

from collections.abc import Collection
from ipaddress import ip_address


def behind_proxies(peer: str, forwarded_for: str, proxies: Collection[str]) -> str:
    """``peer``, or whom the trusted ``proxies`` were asked by when the peer is one of them."""
    hops = [*(hop.strip() for hop in forwarded_for.split(",") if hop.strip()), peer]
    while len(hops) > 1 and hops[-1] in proxies:
        peer = hops.pop()
    return hops[-1] if _is_address(hops[-1]) else peer


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False
