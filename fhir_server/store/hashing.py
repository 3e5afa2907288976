"""Keyed 64-bit hashes: the names of the posting lists, and of locks.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html): what is asked is hashed exactly as what was written.
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache

from resources.search_param.terms import Key

CACHE = 16384
"""Keys remembered by a process; an entry takes about 400 bytes."""


class Hasher:
    """Hashes under one secret ``key`` (16 to 64 bytes), so that nobody outside can aim for a collision.

    All results are signed 64-bit integers. Every part is length-prefixed: no two different keys feed the same bytes.
    """

    def __init__(self, key: bytes) -> None:
        if not 16 <= len(key) <= 64:
            raise ValueError("the hash key must be 16 to 64 bytes")
        self._seed = hashlib.blake2b(digest_size=8, key=key)
        self._list = lru_cache(CACHE)(self._branch)
        self._locks = lru_cache(CACHE)(self._lock_branch)
        self.h: Callable[[int, Key], int] = lru_cache(CACHE)(self.fresh)
        """(tenant, key) to the list of ``key``; remembered, for keys that come again."""

    def fresh(self, tenant: int, key: Key) -> int:
        """The same without remembering ``key``, for values that hardly repeat (identifiers, references)."""
        state = self._list(tenant, key.type, key.branch, key.form).copy()
        state.update(key.value.encode("utf-8", "surrogatepass"))
        return int.from_bytes(state.digest(), "big", signed=True)

    def target(self, tenant: int, reference: str) -> int:
        """The list of all resources that refer to ``reference`` (``Patient/1``) from whichever element."""
        return self.h(tenant, Key("", "target", "ref", reference))

    def subject(self, tenant: int, reference: str) -> int:
        """What column ``resource.subj`` holds for the main patient ``reference``: the number of its list."""
        return self.target(tenant, reference)

    def lock(self, tenant: int, *parts: str) -> int:
        """A key for ``Session.lock``: of criteria, an identifier, or a resource's type and id."""
        state = self._locks(tenant, len(parts), parts[:-1]).copy()
        state.update(_framed(parts[-1]))
        return int.from_bytes(state.digest(), "big", signed=True)

    def _lock_branch(self, tenant: int, count: int, first: tuple[str, ...]) -> hashlib.blake2b:
        state = self._list(tenant, "lock", str(count), "").copy()
        for part in first:
            state.update(_framed(part))
        return state

    def _branch(self, tenant: int, type: str, branch: str, form: str) -> hashlib.blake2b:
        state = self._seed.copy()
        for part in (str(tenant), type, branch, form):
            state.update(_framed(part))
        return state


def _framed(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return len(data).to_bytes(4, "big") + data
