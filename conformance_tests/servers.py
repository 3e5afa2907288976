"""Servers that tests share, each kind on each database once.

pytest ends a session's fixture whenever the next test wants another parameter, so with one file after the other a
parametrised fixture would start a server anew for each file and database; what is opened here stays until the end.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest

from conformance_tests.process import postgresql

T = TypeVar("T")
Kind = Callable[[Path, str], AbstractContextManager[T]]
"""Starts a server with its data in a folder, on SQLite when the URL of the database is empty."""


class Servers:
    """Opens servers as they are first asked for; ``opened`` closes them."""

    def __init__(self, opened: ExitStack, folders: pytest.TempPathFactory) -> None:
        self._opened = opened
        self._folders = folders
        self._made: dict[tuple[Any, str], Any] = {}

    def get(self, kind: Kind[T], database: str) -> T:
        """The server of ``kind`` on ``database``, which is sqlite or postgresql. Skips without PostgreSQL."""
        if (kind, database) not in self._made:
            folder = self._folders.mktemp(f"{kind.__name__}-{database}")
            url = self._opened.enter_context(postgresql()) if database == "postgresql" else ""
            self._made[kind, database] = self._opened.enter_context(kind(folder, url))
        made: T = self._made[kind, database]
        return made
