"""The visit over HTTP: join, session, media sessions, the WebSocket's handshake, health.

RFC 9725 (WHIP) for media; docs/video.md, "The protocol of the page".
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import web

from video.errors import Refused
from video.ports import Sealer, Ticket
from video.signalling.calls import Calls
from video.signalling.clock import Clock
from video.signalling.commands import LONGEST_CHAT
from video.signalling.headers import refusal
from video.signalling.ledger import Ledger, Place
from video.signalling.limits import Limits, network
from video.signalling.sessions import Sessions
from video.signalling.shared_files import SharedFiles
from video.signalling.socket import Sockets
from video.signalling.tickets import BadTicket, open_ticket, use_ticket
from video.signalling.visits import Visits
from video.signalling.words import Word

LARGEST = 64 * 1024
"""Bytes of a body."""
_SDP, _FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"


class Joining(msgspec.Struct, frozen=True):
    ticket: str


class Parts(msgspec.Struct, frozen=True):
    """What the routes work with. ``ice`` gives a member's ICE servers (RTCIceServer), ``relay`` and ``chart`` as of
    service.Options, ``address`` whose request it is;
    ``slots``: in how many sections a page receives; ``shared`` keeps what is sent."""

    sealer: Sealer
    ledger: Ledger
    visits: Visits
    calls: Calls
    sessions: Sessions
    sockets: Sockets
    limits: Limits
    clock: Clock
    ice: Callable[[str], list[dict[str, Any]]]
    relay: bool
    chart: Callable[[Mapping[str, str]], str]
    address: Callable[[web.Request], str]
    slots: int
    shared: SharedFiles


class Routes:
    """The handlers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def add_to(self, application: web.Application) -> None:
        application.router.add_post("/visit/join", self.join)
        application.router.add_get("/visit/session", self.session)
        application.router.add_get("/visit/events", self.events)
        application.router.add_post("/visit/media", self.offer)
        application.router.add_patch("/visit/media/{session}", self.restart)
        application.router.add_delete("/visit/media/{session}", self.leave)
        application.router.add_post("/visit/file", self.send_file)
        application.router.add_get("/visit/file/{id}", self.fetch_file)
        application.router.add_get("/visit/health", self.health)

    async def join(self, request: web.Request) -> web.StreamResponse:
        """A ticket for a seat and a session."""
        parts, address = self._parts, network(self._parts.address(request))
        parts.limits.take("join", address)
        sealed = (await _json(request)).ticket
        try:
            ticket = open_ticket(parts.sealer, sealed, parts.clock.wall())
            self._take_seat(ticket)
        except BadTicket:
            parts.limits.take("failure", address)
            raise
        answer = web.json_response(self._seat(ticket.room, ticket.member))
        parts.sessions.begin(answer, ticket.room, ticket.member)
        return answer

    def _take_seat(self, ticket: Ticket) -> None:
        """Raises BadTicket also when the room is of another visit, so that nobody learns that there is such a room."""
        parts = self._parts
        try:
            parts.visits.seat(ticket, lambda: use_ticket(parts.ledger, ticket))
        except Refused as refused:
            if refused.code != "foreign":
                raise
            raise BadTicket(Word.TICKET_FOREIGN, ticket.room, ticket.member) from None

    async def session(self, request: web.Request) -> web.StreamResponse:
        """The seat again, after a reload."""
        place = self._place(request)
        self._parts.limits.take("session", f"{place.room}/{place.member}")
        try:
            return web.json_response(self._seat(place.room, place.member))
        except Refused as refused:
            if refused.code != "ended":
                raise
            answer = refusal(refused)
            self._parts.sessions.end(answer, place.room)
            return answer

    def _seat(self, room: str, id: str) -> dict[str, Any]:
        parts, member = self._parts, self._parts.visits.member(room, id)
        seat: dict[str, Any] = {
            "room": room,
            "member": id,
            "role": member.role.value,
            "name": member.name,
            "slots": parts.slots,
            "ice": parts.ice(id),
            "policy": "relay" if parts.relay else "all",
            "events": parts.visits.posts.box((room, id)).n,
            "state": parts.calls.picture(room, id),
            "longest": {"chat": LONGEST_CHAT, "file": parts.shared.largest},
            "encrypted": parts.visits.room(room).encrypted,
        }
        if member.practises:
            there = parts.visits.room(room)
            record = {name: getattr(there, name) for name in ("encounter", "appointment", "patient")}
            seat |= {"record": record, "chart": parts.chart(record)}
            seat["recording"] = parts.visits.records and not there.encrypted
        return seat

    async def events(self, request: web.Request) -> web.StreamResponse:
        return await self._parts.sockets.serve(request, self._place(request))

    async def offer(self, request: web.Request) -> web.StreamResponse:
        place = self._place(request)
        self._parts.limits.take("offer", f"{place.room}/{place.member}")
        sdp = await _text(request, _SDP)
        session, answer = await self._parts.calls.offer(place.room, place.member, sdp)
        location = {"Location": f"/visit/media/{session}?room={quote(place.room, safe='')}"}
        return web.Response(text=answer, status=201, content_type=_SDP, headers=location)

    async def restart(self, request: web.Request) -> web.StreamResponse:
        place = self._place(request)
        self._parts.limits.take("restart", f"{place.room}/{place.member}")
        fragment = await _text(request, _FRAGMENT)
        session = request.match_info["session"]
        answer = await self._parts.calls.restart(place.room, place.member, session, fragment)
        return web.Response(text=answer, content_type=_FRAGMENT)

    async def leave(self, request: web.Request) -> web.StreamResponse:
        place = self._place(request)
        await self._parts.calls.leave(place.room, place.member, request.match_info["session"])
        return web.json_response({"done": True})

    async def send_file(self, request: web.Request) -> web.StreamResponse:
        place = self._place(request)
        self._parts.limits.take("file", f"{place.room}/{place.member}")
        return await self._parts.shared.send(request, place)

    async def fetch_file(self, request: web.Request) -> web.StreamResponse:
        place = self._place(request)
        self._parts.limits.take("fetch", f"{place.room}/{place.member}")
        return await self._parts.shared.fetch(place, request.match_info["id"])

    async def health(self, request: web.Request) -> web.StreamResponse:
        """For who balances load: 503 once this process drains."""
        visits = self._parts.visits
        if visits.draining:
            return web.json_response({"status": "draining"}, status=503)
        return web.json_response({"status": "up"})

    def _place(self, request: web.Request) -> Place:
        """Whose session it is; guessing is counted."""
        try:
            return self._parts.sessions.find(request)
        except Refused as refused:
            if refused.status != 401:
                raise
            self._parts.limits.take("failure", network(self._parts.address(request)))
            raise


async def _json(request: web.Request) -> Joining:
    if request.content_type != "application/json":
        raise Refused("type", "The body must be application/json.", 415)
    try:
        return msgspec.json.decode(await request.read(), type=Joining)
    except (msgspec.MsgspecError, RecursionError):
        raise Refused("malformed", "This request cannot be read.") from None


async def _text(request: web.Request, kind: str) -> str:
    if request.content_type != kind:
        raise Refused("type", f"The body must be {kind}.", 415)
    try:
        return (await request.read()).decode()
    except UnicodeDecodeError:
        raise Refused("malformed", "This request cannot be read.") from None
