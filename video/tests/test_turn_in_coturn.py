"""The configuration and the credentials before a real coturn: who is let in, and where it relays to."""

import asyncio
import datetime
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aioice import stun
from aioice.turn import create_turn_endpoint
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy import coturn, debian
from video.turn import configuration, credentials

SECRET = "of coturn and us"


def free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def certificate(folder: Path) -> tuple[Path, Path]:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    cert, private = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    private.write_bytes(key.private_bytes(*plain))
    return cert, private


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """The plain and the TLS port of a coturn whose media server is at 127.0.0.1."""
    folder, plain, tls = tmp_path_factory.mktemp("turn"), free(), free()
    cert, key = certificate(folder)
    urls = (f"turn:127.0.0.1:{plain}", f"turns:127.0.0.1:{tls}")
    text = configuration(urls, SECRET, ("127.0.0.1",), "t.example.org", str(cert), str(key))
    try:
        with coturn.running(folder, text, plain):
            yield plain, tls
    except debian.Missing as error:
        pytest.skip(str(error))


class Echo(asyncio.DatagramProtocol):
    """Answers what it gets; or keeps it, as the side of the relay."""

    def __init__(self, *, answers: bool) -> None:
        self.answers, self.came = answers, asyncio.Queue[bytes]()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        self.came.put_nowait(data)
        if self.answers:
            self.transport.sendto(data, address)


async def allocated(port: int, *, username: str, password: str, **more: Any) -> Any:
    made = create_turn_endpoint(lambda: Echo(answers=False), ("127.0.0.1", port), username, password, **more)
    return await asyncio.wait_for(made, 30)


def good() -> dict[str, str]:
    return dict(zip(("username", "password"), credentials(SECRET, "member", int(time.time())), strict=True))


async def relayed(port: int, **more: Any) -> bytes:
    loop = asyncio.get_running_loop()
    media, _ = await loop.create_datagram_endpoint(lambda: Echo(answers=True), ("127.0.0.1", 0))
    transport, side = await allocated(port, **good(), **more)
    transport.sendto(b"by way of the relay", media.get_extra_info("sockname"))
    heard: bytes = await asyncio.wait_for(side.came.get(), 30)
    transport.close()
    media.close()
    return heard


def test_it_relays_to_the_media_server(ports):
    assert asyncio.run(relayed(ports[0])) == b"by way of the relay"


def test_it_relays_over_tls(ports):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    assert asyncio.run(relayed(ports[1], transport="tcp", ssl=context)) == b"by way of the relay"


@pytest.mark.parametrize("peer", ["10.0.0.1", "192.168.7.7", "169.254.169.254", "127.0.0.2", "0.0.0.1", "224.0.0.1"])
def test_it_relays_to_nobody_else_of_the_house(ports, peer):
    async def tried() -> int:
        transport, _ = await allocated(ports[0], **good())
        inner = transport._TurnTransport__inner_protocol
        with pytest.raises(stun.TransactionFailed) as refused:
            await inner.channel_bind(0x4000, (peer, 40000))
        transport.close()
        code: int = refused.value.response.error_code
        return code

    assert asyncio.run(tried()) == 403


def test_credentials_end_with_their_time_and_are_of_the_secret(ports):
    then = int(time.time())
    for username, password in (
        credentials(SECRET, "member", then - 61, 60),
        credentials("guessed", "member", then),
        (f"{then + 60}:member", "guessed"),
    ):
        with pytest.raises(stun.TransactionFailed) as refused:
            asyncio.run(allocated(ports[0], username=username, password=password))
        assert refused.value.response.error_code == 401
