"""The service in a thread of its own, and tabs of a browser that visit a room of it."""

import asyncio
import itertools
import time
from collections.abc import Coroutine
from pathlib import Path
from threading import Thread
from typing import Any, Self

import msgspec
from playwright.sync_api import Browser, Page, expect

from video.media.backend import ForwardingBackend
from video.page.routes import routes
from video.ports import Role
from video.room.model import Rules
from video.signalling.limits import LIMITS, Limit
from video.signalling.tests.consult import AesSealer, Consult
from video.signalling.tickets import new_ticket, seal_ticket
from video.visit.files import FileStore

PATIENCE = 60_000
ANNA, BEN, CARL = "Anna Example", "Dr. Ben Wolf", "Carl Pen"
_HOOK = """
window.asked = []; window.connections = [];
const given = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
if (given) navigator.mediaDevices.getUserMedia = (what) => {
  asked.push(Object.keys(what).sort().join());
  return given(what);
};
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...of) { super(...of); connections.push(this); }
};
"""
"""Notes what the page asks the browser for."""


class Site:
    """A running service; rooms are made by their tickets."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        # Every test comes from one address.
        generous = {name: Limit(1000, 1000) for name in LIMITS}
        kept = FileStore(folder / "files", AesSealer())
        self._options: dict[str, Any] = {"limits": generous, "slots": 2, "files": kept, "file_largest": 20_000}
        self._options["rules"] = Rules(recording=True)
        self._folder = folder
        self.rooms = itertools.count(1)

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self._start())
        return self

    async def _start(self) -> None:
        pages: Any = lambda application: application.add_routes(routes())  # noqa: E731
        self.consult = Consult(self._folder, pages=pages, **self._options)
        await self._begin()

    async def _begin(self) -> None:
        self.media = ForwardingBackend(("127.0.0.1",), 0)
        self.consult.backend = self.media  # type: ignore[assignment]
        await self.consult.start()

    def kill_and_start(self) -> None:
        """Another process at the same address, which knows what the disk of the one before knew."""
        self.run(self._kill_and_start())

    async def _kill_and_start(self) -> None:
        port = self.consult.service.port
        await self.consult.kill()
        await self.media.close()
        self.consult.options = msgspec.structs.replace(self.consult.options, port=port)
        await self._begin()

    async def _stop(self) -> None:
        await self.consult.service.stop()
        await self.media.close()

    def __exit__(self, *error: object) -> None:
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    @property
    def url(self) -> str:
        return self.consult.url


class Hall:
    """One room and the tabs in it."""

    def __init__(self, site: Site, browser: Browser) -> None:
        self.site, self.browser = site, browser
        self.room = f"room{next(site.rooms)}"
        self.encrypted = False
        self.complaints: list[str] = []
        self.contexts: list[Any] = []

    def tab(self, browser: Browser | None = None, width: int = 1280, height: int = 800) -> Page:
        """A browser of its own, as far as cookies go."""
        context = (browser or self.browser).new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce"
        )
        context.add_init_script(_HOOK)
        self.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self._note(said.text))
        return page

    def _note(self, said: str) -> None:
        if "Content Security" in said or "Permissions-Policy" in said or "TrustedScript" in said:
            self.complaints.append(said)

    def link(self, member: str, name: str, role: Role = Role.PATIENT) -> str:
        now = int(time.time())
        of = {"encounter": "Encounter/1", "patient": "Patient/1", "encrypted": self.encrypted}
        ticket = new_ticket(self.room, member, role, name, now, **of)
        return f"{self.site.url}/visit#ticket={seal_ticket(self.site.consult.sealer, ticket)}"

    def patient(self, **of: Any) -> Page:
        """Before the question for the name."""
        page = self.tab(**of)
        page.goto(self.link("pt", ANNA))
        expect(page.get_by_role("heading", name=f"Are you {ANNA}?")).to_be_visible()
        return page

    def waiting(self, **of: Any) -> Page:
        page = self.patient(**of)
        page.get_by_role("button", name="Yes, test camera and microphone").click()
        page.get_by_role("button", name="Go to the waiting room").click()
        expect(page.get_by_role("heading", name="You are in the waiting room")).to_be_visible()
        return page

    def clinician(self, **of: Any) -> Page:
        """In the visit."""
        page = self.tab(**of)
        page.goto(self.link("dr", BEN, Role.PRACTITIONER))
        page.get_by_role("button", name="Enter the visit").click()
        expect(page.get_by_role("button", name="Leave", exact=True)).to_be_visible()
        return page

    def interpreter(self) -> Page:
        page = self.tab()
        page.goto(self.link("in", CARL, Role.INTERPRETER))
        page.get_by_role("button", name="Yes, test camera and microphone").click()
        page.get_by_role("button", name="Go to the waiting room").click()
        return page

    def talking(self, **of: Any) -> tuple[Page, Page]:
        """Clinician and patient, both in the visit."""
        patient, clinician = self.waiting(**of), self.clinician(**of)
        clinician.get_by_role("button", name=f"Admit {ANNA}").click()
        expect(patient.get_by_role("button", name="Leave", exact=True)).to_be_visible()
        return clinician, patient

    def close(self) -> None:
        for context in self.contexts:
            context.close()
