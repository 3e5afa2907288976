"""The demonstration says which port is taken before it begins, instead of talking to whoever answers there."""

import socket

import pytest

from deploy.demo.__main__ import check
from deploy.demo.house import Ports


@pytest.mark.parametrize(("name", "kind"), [("app", socket.SOCK_STREAM), ("media", socket.SOCK_DGRAM)])
def test_a_port_that_another_has_is_named(name: str, kind: socket.SocketKind) -> None:
    free = Ports(*[0] * len(Ports._fields))
    check(free)
    with socket.socket(type=kind) as other:
        other.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SystemExit, match=f"Port {port} is in use: .* --{name}-port"):
            check(free._replace(**{name: port}))
