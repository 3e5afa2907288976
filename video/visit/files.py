"""Files of visits on their way to the record: sealed beside the spool, one file each, gone when the record has them.

Ours; written under another name and renamed (POSIX rename), so that a kill leaves a whole file or none. The process
that carries media puts, the one that writes the record takes and erases.
"""

import os
import re
from pathlib import Path

from video.errors import Refused
from video.ports import Sealer

_WORD = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_HALF = ".half"


class FileStore:
    """Meets video.ports.Files; any thread may call. Rooms and ids are opaque words."""

    def __init__(self, folder: Path, sealer: Sealer) -> None:
        self._folder, self._sealer = folder, sealer

    def put(self, room: str, id: str, content: bytes) -> None:
        """Durable when it returns. What is there already stays: what comes twice under one id is the same file."""
        path = self._path(room, id)
        if path.exists():
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        half = path.with_name(f"{id}.{os.urandom(4).hex()}{_HALF}")
        with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(self._sealer.seal(_purpose(room, id), content))
            file.flush()
            os.fsync(file.fileno())
        half.rename(path)
        for folder in (path.parent, self._folder):
            _sync(folder)

    def discard(self, room: str, id: str) -> None:
        """What the room did not take."""
        self._path(room, id).unlink(missing_ok=True)

    def read(self, room: str, id: str) -> bytes:
        """Raises FileNotFoundError, and video.errors.Refused for what was not sealed here under this name."""
        return self._sealer.open(_purpose(room, id), self._path(room, id).read_bytes())

    def holds(self, room: str) -> bool:
        """Whether there are files of ``room``."""
        return (self._folder / _word(room)).is_dir()

    def rooms(self) -> list[str]:
        """Those of which there are files."""
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.iterdir() if _WORD.fullmatch(path.name))

    def erase(self, room: str) -> None:
        """All of ``room``, also what a kill left half written."""
        folder = self._folder / _word(room)
        if not folder.is_dir():
            return
        for path in folder.iterdir():
            path.unlink(missing_ok=True)
        folder.rmdir()

    def _path(self, room: str, id: str) -> Path:
        return self._folder / _word(room) / _word(id)


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise Refused("file", "There is no such file.", 404)
    return text


def _purpose(room: str, id: str) -> str:
    return f"visit file {room} {id}"


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
