"""What the tests of the media server share: aiortc on loopback, and a server for one visit."""

import asyncio
from collections.abc import Awaitable, Callable

import aioice.ice
import pytest

from video.media.backend import ForwardingBackend
from video.media.limits import Limits
from video.media.tests.pair import LOOPBACK
from video.media.tests.wire import Watched

Visit = Callable[[ForwardingBackend, Watched], Awaitable[None]]


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run a visit on a server whose socket is watched."""
    # aioice does not gather 127.0.0.1 by itself.
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])

    def run(body: Visit, limits: Limits | None = None) -> None:
        async def all_of_it() -> None:
            backend = ForwardingBackend(LOOPBACK, 0, limits, Watched)
            port = backend._ports[0]
            assert isinstance(port, Watched)
            try:
                await body(backend, port)
            finally:
                await backend.close()
            assert port.left and not port.wrong, "a datagram went to an address that passed no check"

        asyncio.run(asyncio.wait_for(all_of_it(), 60))

    return run
