"""Whose request it is behind reverse proxies.

RFC 7239 section 8.1: X-Forwarded-For is believed only of who is known. The last address that no proxy of ours has.
"""

from collections.abc import Callable, Collection

from aiohttp import web


def behind(proxies: Collection[str]) -> Callable[[web.Request], str]:
    """The address for the limits, '' when there is none; ``proxies``: addresses whose X-Forwarded-For is believed."""

    def address(request: web.Request) -> str:
        found = request.remote or ""
        for told in reversed(",".join(request.headers.getall("X-Forwarded-For", [])).split(",")):
            if found not in proxies or not told.strip():
                break
            found = told.strip()
        return found

    return address
