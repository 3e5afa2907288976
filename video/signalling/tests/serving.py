"""A service in a process of its own, for tests that kill it: media flow with the offer, facts go to a file.

python -m video.signalling.tests.serving FOLDER PORT; prints its port when it serves.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from video.ports import Fact, MediaState, Source
from video.signalling.service import Options, VideoService
from video.signalling.tests.consult import AesSealer, CountingWatch, MemoryBackend
from video.visit.files import FileStore


class FlowingBackend(MemoryBackend):
    """Sees media as soon as it has answered."""

    async def offer(self, room: str, member: str, sdp: str) -> tuple[str, str]:
        session, answer = await super().offer(room, member, sdp)
        asyncio.get_running_loop().call_later(0.01, self._flow, session)
        return session, answer

    def _flow(self, session: str) -> None:
        if session in self.sessions:
            self.see(session, MediaState.CONNECTED)
            self.see(session, MediaState.SENDING, Source.CAMERA)


class FileSpool:
    """A line for each fact; those that are there already are passed over."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self, facts: list[Fact]) -> None:
        known = {number for number, _ in spooled(self._path)}
        with self._path.open("a") as file:
            file.writelines(json.dumps([f.number, f.kind]) + "\n" for f in facts if f.number not in known)
            file.flush()
            os.fsync(file.fileno())


def spooled(path: Path) -> list[tuple[int, str]]:
    return [tuple(json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []


async def serve(folder: Path, port: int) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    spool = FileSpool(folder / "facts")
    options = Options(port=port, files=FileStore(folder / "files", AesSealer()))
    service = VideoService(options, FlowingBackend(), spool, AesSealer(), CountingWatch(), folder / "visits.sqlite")
    await service.run(stop, lambda port: print(port, flush=True))


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
