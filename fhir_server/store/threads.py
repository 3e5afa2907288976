"""One session for each thread, and none carried over a fork: two processes on one socket would mix their answers.

POSIX fork; the parent's connections are kept, unclosed, in the child so that nothing is sent over them.
"""

import os
import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar
from weakref import WeakSet

S = TypeVar("S")


class PerThread(Generic[S]):
    """Calls ``make`` once in each thread of each process."""

    def __init__(self, make: Callable[[], S]) -> None:
        self._make = make
        self._local = threading.local()
        self._abandoned: list[object] = []
        after_fork(self)

    def get(self) -> S:
        """This thread's."""
        try:
            made: S = self._local.made
        except AttributeError:
            made = self._local.made = self._make()
        return made

    def forked(self) -> None:
        """In the child: start with nothing."""
        self._abandoned.append(self._local)
        self._local = threading.local()


class Forkable(Protocol):
    def forked(self) -> None: ...


_all: WeakSet[Forkable] = WeakSet()


def after_fork(object: Forkable) -> None:
    """Have ``object.forked()`` called in every child process, as long as it lives."""
    _all.add(object)


def _tell_all() -> None:
    for each in list(_all):
        each.forked()


os.register_at_fork(after_in_child=_tell_all)
