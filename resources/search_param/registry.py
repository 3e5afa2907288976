"""Which search parameters there are: those of the specification and those that are stored as SearchParameter resources.

FHIR R4 SearchParameter (https://hl7.org/fhir/R4/searchparameter.html). A Registry is what was stored at one moment and
never changes. Each search and each attempt of a write is done with one, by ``using``; where nobody chose one, the
specification's parameters are all there are. What is compiled is kept by type and by the stored parameters of the type.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache
from types import MappingProxyType
from typing import NamedTuple

from resources import definitions
from resources.definitions import SearchParam

MOST = 200
"""Stored parameters in force together: each is evaluated on every write of its types."""
ROOTS = ("Resource", "DomainResource")
MARK = "#"
"""Begins the branches of stored parameters; no path of the specification does."""


class Custom(NamedTuple):
    """A stored parameter in force. ``number``, never given twice, names its index entries; ``id`` is its resource."""

    number: int
    id: str
    param: SearchParam

    @property
    def branch(self) -> str:
        """The branch that its index entries are under."""
        return f"{MARK}{self.number} {self.param.code}"


class Registry:
    """The stored parameters as of ``generation``, a number that every change of a SearchParameter raises.

    ``indexing`` are the numbers of those whose index is not complete.
    """

    __slots__ = ("_by_base", "customs", "generation", "indexing")

    def __init__(
        self, generation: int = 0, customs: tuple[Custom, ...] = (), indexing: frozenset[int] = frozenset()
    ) -> None:
        self.generation, self.customs, self.indexing = generation, customs, indexing
        bases = dict.fromkeys(base for custom in customs for base in custom.param.base)
        self._by_base = {base: tuple(c for c in customs if base in c.param.base) for base in bases}

    def is_like(self, other: "Registry") -> bool:
        """Whether both say the same."""
        mine = (self.generation, self.customs, self.indexing)
        return mine == (other.generation, other.customs, other.indexing)

    def of(self, type: str) -> tuple[Custom, ...]:
        """The stored parameters of a resource type, those of its base types first."""
        if not self.customs:
            return ()
        return tuple(c for base in _ancestry(type) for c in self._by_base.get(base, ()))


BUILT_IN = Registry()
_current: ContextVar[Registry] = ContextVar("search_parameters", default=BUILT_IN)


def current() -> Registry:
    """The registry that is worked with here."""
    return _current.get()


@contextmanager
def using(registry: Registry) -> Iterator[Registry]:
    """Work with ``registry`` inside the block."""
    token = _current.set(registry)
    try:
        yield registry
    finally:
        _current.reset(token)


def search_params(type: str) -> Mapping[str, SearchParam]:
    """The search parameters of a resource type by code, the stored ones too."""
    customs = current().of(type)
    return _joined(type, customs) if customs else definitions.search_params(type)


@lru_cache(1024)
def _joined(type: str, customs: tuple[Custom, ...]) -> Mapping[str, SearchParam]:
    stored = {custom.param.code: custom.param for custom in customs}
    return MappingProxyType({**stored, **definitions.search_params(type)})


@cache
def meant(base: str) -> frozenset[str]:
    """The resource types that a parameter for ``base`` is for."""
    return frozenset(type for type in definitions.RESOURCE_TYPES if base in _ancestry(type))


@cache
def _ancestry(type: str) -> tuple[str, ...]:
    """Base types first: Resource, DomainResource, Patient."""
    base = definitions.type_def(type).base
    return (*(_ancestry(base) if base else ()), type)
