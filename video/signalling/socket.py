"""The WebSocket of a member: events out, commands in.

RFC 6455; docs/video.md, "The protocol of the page". Resumed by ``?after=N``, the number of the last event the page has.
"""

import asyncio
import logging
from contextlib import suppress

from aiohttp import WSCloseCode, WSMsgType, web

from video.errors import Refused
from video.ports import Watch
from video.room import events
from video.room.model import Standing
from video.signalling import commands
from video.signalling.calls import Calls
from video.signalling.ledger import Place
from video.signalling.limits import Limits, TooOften
from video.signalling.mailbox import encode
from video.signalling.posts import ENDED, TOO_OFTEN, Line
from video.signalling.visits import Visits
from video.signalling.words import Word

log = logging.getLogger("hearth.video")

HEARTBEAT = 15.0
"""Seconds between pings; a page that answers none for half of it is gone."""
_LARGEST = 16 * 1024
_STRIKES = 50
"""Messages out of turn after which the socket is closed."""
MOST_SOCKETS = 3000


class Sockets:
    """Of all members."""

    def __init__(self, visits: Visits, calls: Calls, limits: Limits, watch: Watch) -> None:
        self._visits, self._calls, self._limits, self._watch = visits, calls, limits, watch

    async def serve(self, request: web.Request, place: Place) -> web.WebSocketResponse:
        """Until either side closes. Raises Refused before the handshake."""
        after = self._admission(request, place)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=_LARGEST, compress=False, timeout=2.0)
        await socket.prepare(request)
        key = (place.room, place.member)
        line = Line(socket, self._visits.posts.box(key), after, lambda: self._calls.picture(*key))
        self._visits.posts.connect(key, line)
        self._visits.feed(place.room, events.Connected(place.member))
        if not self._visits.hears(*key):
            self._visits.posts.disconnect(key, line)
            await socket.close(code=ENDED)
            return socket
        writer = asyncio.create_task(self._write(line))
        try:
            await self._read(line, place)
        finally:
            writer.cancel()
            if self._visits.posts.disconnect(key, line):
                self._visits.feed(place.room, events.Disconnected(place.member))
        return socket

    def _admission(self, request: web.Request, place: Place) -> int:
        self._limits.take("socket", f"{place.room}/{place.member}")
        if len(self._visits.posts) >= MOST_SOCKETS:
            raise Refused("busy", "The server is full just now. Please try again in a minute.", 503)
        if self._visits.member(place.room, place.member).standing is Standing.DENIED:
            raise Refused("denied", "You were not let into this visit.", 403)
        given = request.query.get("after", "")
        return int(given) if given.isdecimal() and given.isascii() and len(given) < 16 else -1

    async def _write(self, line: Line) -> None:
        try:
            await line.write()
        except ConnectionError:
            return
        except Exception as error:  # noqa: BLE001 (a page that hears nothing any more must not think that it does)
            log.error("events not sent", extra={"error": type(error).__name__})
            await line.socket.close(code=WSCloseCode.INTERNAL_ERROR)

    async def _read(self, line: Line, place: Place) -> None:
        strikes = 0
        async for message in line.socket:
            if message.type is not WSMsgType.TEXT:
                return
            answer, struck = self._answer(line, place, message.data)
            strikes += struck
            if strikes > _STRIKES:
                await line.socket.close(code=TOO_OFTEN)
                return
            with suppress(ConnectionError):
                await line.socket.send_str(encode(answer))

    def _answer(self, line: Line, place: Place, text: str) -> tuple[dict[str, object], bool]:
        """The answer, and whether the page was out of turn."""
        id = ""
        try:
            message = commands.read(text)
            id = message.id
            self._limits.take("command", f"{place.room}/{place.member}")
            self._do(line, place, message)
        except Refused as refused:
            self._watch.refused(_word(refused), place.room, place.member)
            struck = refused.code in ("malformed", "too-often", "unknown")
            return {"id": id, "refused": refused.code, "text": refused.text}, struck
        return {"id": id, "done": True}, False

    def _do(self, line: Line, place: Place, message: commands.Message) -> None:
        if message.do == "state":
            line.anew()
            return
        if message.do == "chat":
            self._limits.take("chat", f"{place.room}/{place.member}")
        self._visits.feed(place.room, commands.command(message, place.member))


def _word(refused: Refused) -> Word:
    if isinstance(refused, TooOften):
        return Word.TOO_OFTEN
    return Word.MALFORMED if refused.code in ("malformed", "unknown") else Word.COMMAND
