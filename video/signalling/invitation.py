"""The link of an invitation over HTTP: what it holds buys a ticket, as often as somebody opens it.

Ours; docs/video.md. The secret comes in a body, never in an address that logs would keep.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from aiohttp import web

from video.errors import Refused
from video.signalling.limits import Limit, Limits, network

_LONGEST = 1024
LIMITS = {"invitation": Limit(30, 0.5)}
"""Of an address: a clinic may have one, and nobody guesses 256 bits."""


Redeemed = Mapping[str, str]


class Opening(msgspec.Struct, frozen=True):
    invitation: str


class Invitations:
    """``redeem`` gives the answer for the secret of a link and the address of who opens it; it may wait for the
    database and is called in a thread. Raises Refused, which says the same of every link that is not good."""

    def __init__(
        self,
        redeem: Callable[[str, str], Redeemed],
        address: Callable[[web.Request], str],
        thread: Callable[[Callable[[str, str], Redeemed], str, str], Awaitable[Redeemed]] = asyncio.to_thread,
    ) -> None:
        self._redeem, self._address, self._thread = redeem, address, thread
        self._limits = Limits(asyncio.get_running_loop().time, LIMITS)

    def add_to(self, application: web.Application) -> None:
        application.router.add_post("/visit/invitation", self.open)

    async def open(self, request: web.Request) -> web.StreamResponse:
        """``{"invitation": secret}`` to ``{"ticket": sealed}``; with ``url`` the visit is at another process."""
        address = self._address(request)
        self._limits.take("invitation", network(address))
        if request.content_type != "application/json":
            raise Refused("type", "The body must be application/json.", 415)
        try:
            secret = msgspec.json.decode(await request.read(), type=Opening).invitation
        except (msgspec.MsgspecError, RecursionError):
            raise Refused("malformed", "This request cannot be read.") from None
        return web.json_response(await self._thread(self._redeem, secret[:_LONGEST], address))
