import asyncio
import contextlib
import datetime
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hl7_bridge.mllp.framing import encode
from hl7_bridge.mllp.listener import Answer, Limits, Listener, NoAnswer, said


class Echo:
    """Answers what was said; ``slow`` waits, ``later`` answers twice, ``never`` may not be answered."""

    def __init__(self, taken=None):
        self.seen, self.peers = [], []
        self.full = asyncio.Event()
        self.full.set()

    def welcome(self, peer):
        return not peer.names or "lab.example.org" in peer.names

    async def room(self):
        await self.full.wait()

    async def take(self, raw, peer):
        self.seen.append(raw)
        self.peers.append(peer)
        return self._answer(raw)

    async def _answer(self, raw):
        if raw == b"never":
            raise NoAnswer("away")
        if raw == b"fault":
            raise ZeroDivisionError
        if raw.startswith(b"slow"):
            await asyncio.sleep(0.2)
        return Answer(raw, self._then() if raw == b"later" else None)

    async def _then(self):
        await asyncio.sleep(0.05)
        return b"then"

    def refuse(self, event, peer):
        return type(event).__name__.encode()


def serve(scenario, tls=None, **limits):
    async def run():
        echo = Echo()
        listener = Listener(echo, Limits(**limits))
        await listener.start("127.0.0.1", 0, tls)
        try:
            await asyncio.wait_for(scenario(listener, echo), 30)
        finally:
            await listener.stop(5)

    asyncio.run(run())


async def connected(listener, **options):
    return await asyncio.open_connection("127.0.0.1", listener.ports[0], **options)


async def answers(reader, count):
    found = b""
    while found.count(b"\x1c\r") < count:
        data = await reader.read(65536)
        if not data:
            break
        found += data
    return [frame.lstrip(b"\x0b") for frame in found.split(b"\x1c\r")[:-1]]


def test_answers_come_in_the_order_of_the_questions():
    async def scenario(listener, echo):
        reader, writer = await connected(listener)
        writer.write(b"noise" + b"".join(map(encode, [b"slow1", b"2", b"later", b"slow4", b"5"])))
        first = await answers(reader, 6)
        assert [each for each in first if each != b"then"] == [b"slow1", b"2", b"later", b"slow4", b"5"]
        assert first.index(b"then") > first.index(b"later")

    serve(scenario)


def test_a_connection_persists_and_ends_when_the_peer_is_done():
    async def scenario(listener, echo):
        reader, writer = await connected(listener)
        for n in range(3):
            writer.write(encode(b"%d" % n))
            assert await answers(reader, 1) == [b"%d" % n]
        writer.write(encode(b"slow"))
        writer.write_eof()
        assert await answers(reader, 1) == [b"slow"]
        assert await reader.read() == b""
        while listener.connections:
            await asyncio.sleep(0.01)

    serve(scenario)


@pytest.mark.parametrize("word", [b"never", b"fault"])
def test_what_may_not_be_answered_ends_the_connection(word):
    async def scenario(listener, echo):
        reader, writer = await connected(listener)
        writer.write(encode(b"1") + encode(word) + encode(b"3"))
        assert await answers(reader, 3) == [b"1"]
        other, writer = await connected(listener)
        writer.write(encode(b"4"))
        assert await answers(other, 1) == [b"4"]

    serve(scenario)


def test_too_large_and_unfinished_messages_are_refused_and_the_next_taken():
    async def scenario(listener, echo):
        reader, writer = await connected(listener)
        writer.write(b"\x0b" + b"x" * 5000 + b"\x1c\r" + encode(b"1") + b"\x0bMSH|1" + encode(b"MSH|2"))
        assert await answers(reader, 4) == [b"Oversize", b"1", b"Unfinished", b"MSH|2"]

    serve(scenario, frame=1000)


def test_a_frame_without_its_last_character_is_taken_after_a_silence():
    async def scenario(listener, echo):
        reader, writer = await connected(listener)
        writer.write(b"\x0b1\x1c")
        assert await answers(reader, 1) == [b"1"]
        writer.write(b"\r" + encode(b"2"))
        assert await answers(reader, 1) == [b"2"]

    serve(scenario)


def test_limits_of_time_and_noise():
    async def scenario(listener, echo):
        silent, _ = await connected(listener)
        stalled, writer = await connected(listener)
        writer.write(b"\x0bMSH")
        loud, writer = await connected(listener)
        writer.write(b"x" * 5000)
        for reader in (silent, stalled, loud):
            assert await answers(reader, 1) in ([], [b"Unfinished"])

    serve(scenario, idle=0.3, stalled=0.3, noise=1000)


def test_more_connections_than_may_be_are_closed():
    async def scenario(listener, echo):
        kept = [await connected(listener) for _ in range(3)]
        while listener.connections < 3:
            await asyncio.sleep(0.01)
        refused, _ = await connected(listener)
        assert await refused.read() == b""
        kept[0][1].close()
        while listener.connections > 2:
            await asyncio.sleep(0.01)
        reader, writer = await connected(listener)
        writer.write(encode(b"1"))
        assert await answers(reader, 1) == [b"1"]

    serve(scenario, connections=3)


def test_nothing_is_read_while_there_is_no_room():
    async def scenario(listener, echo):
        echo.full.clear()
        reader, writer = await connected(listener)
        writer.write(encode(b"1") * 3)
        await asyncio.sleep(0.1)
        assert not echo.seen
        echo.full.set()
        assert await answers(reader, 3) == [b"1"] * 3

    serve(scenario)


def test_a_peer_that_reads_no_answers_is_not_read_without_end():
    async def scenario(listener, echo):
        _, writer = await connected(listener)
        writer.write(encode(b"slow") * 50)
        await asyncio.sleep(0.1)
        assert len(echo.seen) <= 6

    serve(scenario, unanswered=4)


def test_a_stop_answers_what_was_taken():
    async def run():
        listener = Listener(Echo(), Limits())
        await listener.start("127.0.0.1", 0)
        reader, writer = await connected(listener)
        writer.write(encode(b"slow1") + encode(b"slow2"))
        while len(listener.reception.seen) < 2:
            await asyncio.sleep(0.01)
        await listener.stop(5)
        assert await answers(reader, 2) == [b"slow1", b"slow2"]
        with pytest.raises(OSError):
            await connected(listener) if listener.ports else await asyncio.open_connection("127.0.0.1", 1)

    asyncio.run(run())


def certificate(folder, name, issuer=None):
    """A self-signed certificate of ``name``, or one that ``issuer`` signed, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    signer, signing = issuer or (subject, key)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .sign(signing, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    (folder / f"{name}.pem").write_bytes(made.public_bytes(pem))
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    (folder / f"{name}.key").write_bytes(secret)
    return subject, key


def test_a_certificate_names_the_peer(tmp_path):
    authority = certificate(tmp_path, "authority")
    for name in ("localhost", "lab.example.org", "other.example.org"):
        certificate(tmp_path, name, authority)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "localhost.pem", tmp_path / "localhost.key")
    tls.load_verify_locations(tmp_path / "authority.pem")
    tls.verify_mode = ssl.CERT_REQUIRED

    def client(name=""):
        context = ssl.create_default_context(cafile=str(tmp_path / "authority.pem"))
        if name:
            context.load_cert_chain(tmp_path / f"{name}.pem", tmp_path / f"{name}.key")
        return {"ssl": context, "server_hostname": "localhost"}

    async def scenario(listener, echo):
        reader, writer = await connected(listener, **client("lab.example.org"))
        writer.write(encode(b"1"))
        assert await answers(reader, 1) == [b"1"]
        [peer] = echo.peers
        assert peer.names == ("lab.example.org", "lab.example.org")
        der = ssl.PEM_cert_to_DER_cert((tmp_path / "lab.example.org.pem").read_text())
        digest = hashes.Hash(hashes.SHA256())
        digest.update(der)
        assert peer.fingerprint == digest.finalize().hex()
        unwelcome, _ = await connected(listener, **client("other.example.org"))
        assert await unwelcome.read() == b""
        with contextlib.suppress(ssl.SSLError, ConnectionError):  # or the end, when TLS 1.3 tells it later
            reader, writer = await connected(listener, **client())
            writer.write(encode(b"1"))
            assert await reader.read() == b""
        assert len(echo.seen) == 1

    serve(scenario, tls=tls)


def test_what_is_known_at_once():
    assert asyncio.run(said(b"x")) == Answer(b"x")


def test_large_messages_wait_for_place_and_small_ones_do_not():
    async def scenario(listener, echo):
        pairs = [await connected(listener) for _ in range(3)]
        for n, (_, writer) in enumerate(pairs[:2], 1):
            writer.write(b"\x0b" + b"x" * 600)
            while listener.unfinished < 600 * n:
                await asyncio.sleep(0.01)
        pairs[2][1].write(encode(b"small"))
        assert await answers(pairs[2][0], 1) == [b"small"]
        pairs[1][1].write(b"x\x1c\r")
        await asyncio.sleep(0.1)
        assert echo.seen == [b"small"]
        pairs[0][1].close()
        assert await answers(pairs[1][0], 1) == [b"x" * 601]
        assert listener.unfinished == 0

    serve(scenario, unfinished=1000, connections=10)


def test_messages_that_wait_for_each_other_are_given_up():
    async def scenario(listener, echo):
        pairs = [await connected(listener) for _ in range(3)]
        for _, writer in pairs:
            writer.write(b"\x0b" + b"x" * 500)
        ended = [asyncio.create_task(reader.read()) for reader, _ in pairs]
        await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        while listener.connections > 2:
            await asyncio.sleep(0.01)
        assert listener.unfinished <= 1000

    serve(scenario, unfinished=1000, connections=10, stalled=0.3)
