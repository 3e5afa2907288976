"""Files that members send: taken from those admitted, sealed on the disk, given to those who heard of them.

Ours; docs/video.md, "HTTP". The bytes are on the disk before the room knows of them, so that a kill at any moment
leaves no file that is told of and not there.
"""

import asyncio
import hashlib
import secrets

from aiohttp import web

from video.errors import Refused
from video.ports import Files
from video.room import events
from video.room.model import SentFile
from video.signalling.file_kinds import called, disposition, kind
from video.signalling.ledger import Place
from video.signalling.visits import Visits

AT_ONCE = 4
"""Uploads that are held in memory; others wait."""
_PATIENCE = 300.0
"""Seconds that an upload may take."""
_CHUNK = 64 * 1024
_ID = 64
_GUARDS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class SharedFiles:
    """Over ``visits``; ``files`` None: nothing can be sent. ``largest`` in bytes."""

    def __init__(self, visits: Visits, files: Files | None, largest: int) -> None:
        self._visits, self._files = visits, files
        self.largest = largest if files else 0
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def send(self, request: web.Request, place: Place) -> web.StreamResponse:
        """201 with the id of the file, 200 when it was sent before under the same ``id`` of the page.

        Raises Refused."""
        self._admitted(place)
        command = request.query.get("id") or secrets.token_urlsafe(16)
        if len(command) > _ID:
            raise Refused("malformed", "A command needs an id of 1 to 64 characters.")
        id = hashlib.sha256(f"{place.room}/{place.member}/{command}".encode()).hexdigest()[:32]
        if self._known(place, id):
            return web.json_response({"id": id})
        self._fits(request.content_length or 0)
        try:
            async with asyncio.timeout(_PATIENCE), self._turns:
                await self._keep(request, place, command, id)
        except TimeoutError:
            raise Refused("too-slow", "The file took too long. Please try again.", 408) from None
        return web.json_response({"id": id}, status=201)

    async def _keep(self, request: web.Request, place: Place, command: str, id: str) -> None:
        assert self._files is not None  # else nothing fits
        content = await self._content(request)
        type = kind(content)
        name = called(request.query.get("name", ""), type)
        self._admitted(place)
        await asyncio.to_thread(self._files.put, place.room, id, content)
        sent = events.SendFile(place.member, place.member, command, file=id, name=name, type=type, size=len(content))
        try:
            self._visits.feed(place.room, sent)
            if self._known(place, id) is None:  # the room did another command under this id before
                raise Refused("not-now", "A file needs an id of its own.", 409)
        except Refused:
            await asyncio.to_thread(self._files.discard, place.room, id)
            raise

    async def _content(self, request: web.Request) -> bytes:
        """Never more of it in memory than may be sent, whatever the request says of itself."""
        content = bytearray()
        async for chunk in request.content.iter_chunked(_CHUNK):
            content += chunk
            self._fits(len(content))
        return bytes(content)

    def _fits(self, size: int) -> None:
        if not self.largest:
            raise Refused("no-files", "No files can be sent in this visit.", 409)
        if size > self.largest:
            raise Refused("too-large", f"A file may have {_words(self.largest)}.", 413)

    def _admitted(self, place: Place) -> None:
        if not self._visits.member(place.room, place.member).admitted:
            raise Refused("not-now", "Files can be sent once you are in the visit.", 409)

    def _known(self, place: Place, id: str) -> SentFile | None:
        return next((file for file in self._visits.room(place.room).files if file.id == id), None)

    async def fetch(self, place: Place, id: str) -> web.StreamResponse:
        """The file, to be saved. Raises Refused, the same for one that is not there and one not for the member."""
        file = self._known(place, id)
        admitted = self._visits.member(place.room, place.member).admitted
        if self._files is None or file is None or not admitted or place.member not in file.heard:
            raise Refused("file", "There is no such file.", 404)
        try:
            content = await asyncio.to_thread(self._files.read, place.room, id)
        except FileNotFoundError:
            raise Refused("file", "There is no such file.", 404) from None
        head = _GUARDS | {"Content-Type": file.type, "Content-Disposition": disposition(file.name)}
        return web.Response(body=content, headers=head)


def _words(size: int) -> str:
    return f"{size >> 20} MB at most" if size >= 1 << 20 else f"{size} bytes at most"
