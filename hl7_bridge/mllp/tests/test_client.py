"""The sending side over real sockets: answers, silence, foreign answers, closed connections."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from hl7_bridge.mllp.client import Client, Unanswered
from hl7_bridge.mllp.framing import Decoder, Frame, encode
from hl7_bridge.site.model import Receiver

MESSAGE = b"MSH|^~\\&|A||B||2026||ADT^A08|{n}|P|2.5.1\r"
Answer = Callable[[int, asyncio.StreamWriter], Awaitable[None]]


def ack(control_id: int) -> bytes:
    return encode(b"MSH|^~\\&|B||A||2026||ACK|9|P|2.5.1\rMSA|AA|%d\r" % control_id)


class Peer:
    """Counts connections and messages; ``answer`` is given the number of each message."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.connections, self.messages = answer, 0, 0

    async def met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        decoder = Decoder()
        while data := await reader.read(4096):
            for event in decoder.receive(data):
                assert isinstance(event, Frame)
                self.messages += 1
                await self.answer(self.messages, writer)
        writer.close()


async def asked(peer: Peer, *numbers: int, pause: float = 0) -> list[object]:
    """What ``ask`` came to for each message, over one client."""
    server = await asyncio.start_server(peer.met, "127.0.0.1", 0)
    client = Client(Receiver("127.0.0.1", server.sockets[0].getsockname()[1], timeout_seconds=0.3))
    found: list[object] = []
    for number in numbers:
        try:
            found.append(await client.ask(MESSAGE.replace(b"{n}", b"%d" % number), str(number)))
        except Unanswered as error:
            found.append(str(error))
        await asyncio.sleep(pause)
    await client.close()
    server.close()
    return found


async def say(number: int, writer: asyncio.StreamWriter) -> None:
    writer.write(ack(number))


async def whisper(number: int, writer: asyncio.StreamWriter) -> None:
    for byte in ack(number):
        writer.write(bytes([byte]))
        await writer.drain()


@pytest.mark.parametrize("answer", [say, whisper])
def test_one_connection_carries_many_messages(answer: Answer) -> None:
    peer = Peer(answer)
    found = asyncio.run(asked(peer, 1, 2, 3))
    assert [b"MSA|AA|%d" % n in text for n, text in enumerate(found, 1)] == [True] * 3  # type: ignore[operator]
    assert peer.connections == 1


def test_silence_ends_the_connection_and_the_next_message_has_a_new_one() -> None:
    async def late(number: int, writer: asyncio.StreamWriter) -> None:
        if number > 1:
            writer.write(ack(2))

    peer = Peer(late)
    found = asyncio.run(asked(peer, 1, 2))
    assert found[0] == "no answer within 0.3 s"
    assert isinstance(found[1], bytes)
    assert peer.connections == 2


def test_an_answer_to_another_message_is_none() -> None:
    async def foreign(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(ack(77 if number == 1 else 2))

    found = asyncio.run(asked(Peer(foreign), 1, 2))
    assert found[0] == "the answer is to another message, not to '1'"
    assert isinstance(found[1], bytes)


def test_a_closed_connection_is_opened_again() -> None:
    async def hang_up(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(ack(number))
        await writer.drain()
        writer.close()

    peer = Peer(hang_up)
    found = asyncio.run(asked(peer, 1, 2, pause=0.05))
    assert all(isinstance(each, bytes) for each in found)
    assert peer.connections == 2


def test_closing_without_an_answer_is_told() -> None:
    async def leave(number: int, writer: asyncio.StreamWriter) -> None:
        writer.close()

    assert asyncio.run(asked(Peer(leave), 1)) == ["the connection was closed before an answer came"]


def test_nobody_there_is_told() -> None:
    async def nobody() -> str:
        with pytest.raises(Unanswered) as caught:
            await Client(Receiver("127.0.0.1", 1, timeout_seconds=1)).ask(b"x", "1")
        return str(caught.value)

    assert asyncio.run(nobody()).startswith("not reached")
