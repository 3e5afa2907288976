"""The sending side of MLLP: one message at a time over a connection that is kept, each with the answer that names it.

HL7 v2.5.1 section 2.9.2 (original mode) and chapter 2, appendix C.4. An answer that is late or names another message
closes the connection: what comes after it could be taken for the next message's.
"""

import asyncio
import contextlib
import ssl

from hl7_bridge.er7 import parse
from hl7_bridge.errors import Hl7Error
from hl7_bridge.mllp.framing import Decoder, Frame, encode
from hl7_bridge.reply import read_reply
from hl7_bridge.site.model import Receiver

ANSWER_MAX = 1024 * 1024
"""Bytes of one answer."""
_CHUNK = 65536


class Unanswered(Exception):
    """No answer to this message: not reached, closed, silent, or another message's answer. Sending again is right."""


class Client:
    """The connection to ``receiver``, made when needed; for one task at a time."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._tls = _tls(receiver)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, raw: bytes, control_id: str) -> bytes:
        """The answer to ``raw``, whose MSH-10 is ``control_id``. Raises Unanswered."""
        try:
            async with asyncio.timeout(self._receiver.timeout_seconds):
                return await self._ask(raw, control_id)
        except TimeoutError:
            await self.close()
            raise Unanswered(f"no answer within {self._receiver.timeout_seconds:g} s") from None
        except (OSError, ssl.SSLError) as error:
            await self.close()
            raise Unanswered(_reason(error)) from None
        except Unanswered:
            await self.close()
            raise

    async def close(self) -> None:
        if self._streams is None:
            return
        writer = self._streams[1]
        self._streams = None
        writer.close()
        with contextlib.suppress(OSError, ssl.SSLError, TimeoutError):
            await asyncio.wait_for(writer.wait_closed(), 1)

    async def _ask(self, raw: bytes, control_id: str) -> bytes:
        reader, writer = await self._connection()
        writer.write(encode(raw))
        await writer.drain()
        answer = await _frame(reader)
        named = acknowledged(answer)
        if named != control_id:
            raise Unanswered(f"the answer is to another message, not to {control_id!r}")
        return answer

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None and self._streams[0].at_eof():
            await self.close()
        if self._streams is None:
            receiver = self._receiver
            self._streams = await asyncio.open_connection(receiver.host, receiver.port, ssl=self._tls)
        return self._streams


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """The next whole message. Raises Unanswered when the peer closes or sends too much."""
    decoder = Decoder(ANSWER_MAX)
    while True:
        data = await reader.read(_CHUNK)
        events = decoder.receive(data) if data else decoder.end()
        for event in events:
            if isinstance(event, Frame):
                return event.raw
        if not data:
            raise Unanswered("the connection was closed before an answer came")


def acknowledged(answer: bytes) -> str:
    """MSA-2 of an answer; '' when there is none."""
    try:
        return read_reply(parse(answer, "latin-1")).control_id
    except Hl7Error:
        return ""


def _tls(receiver: Receiver) -> ssl.SSLContext | None:
    if not receiver.tls:
        return None
    context = ssl.create_default_context(cafile=receiver.ca or None)
    if receiver.certificate:
        context.load_cert_chain(receiver.certificate, receiver.key or None)
    return context


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not accepted: {error.verify_message}"
    return f"not reached: {getattr(error, 'strerror', None) or type(error).__name__}"
