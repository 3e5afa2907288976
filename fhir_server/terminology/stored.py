"""Terminology as a caller may see it: the resources they can find, and below them those that FHIR R4 publishes.

FHIR R4 canonical references (https://hl7.org/fhir/R4/references.html#canonical): of several versions of one URL the
latest is meant, unless one is named.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from threading import Lock
from typing import Any, NamedTuple, Protocol

from resources import json_codec
from resources.definitions.terminology import published, published_urls
from resources.literal_reference import is_id
from resources.terminology.code_system import CodeSystem
from resources.terminology.source import canonical, version_key

Json = dict[str, Any]
MOST_CONCEPTS = 300_000
"""Of the code systems that a process remembers, all together."""


class Document(Protocol):
    """A stored version, as search and repository both give it."""

    @property
    def doc(self) -> bytes: ...
    @property
    def updated(self) -> int: ...


class Asked(NamedTuple):
    """One question to the record: search parameter (url, _id or supplements) and value of a type."""

    type: str
    parameter: str
    value: str


Find = Callable[[Asked], Sequence[Document]]
"""Finds what the caller may see; nothing where the type is not open to them."""


class Stored:
    """See `resources.terminology.source.Source`. ``asked`` is what answers depended on."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self.asked: set[Asked] = set()
        self._systems: dict[tuple[str, str], CodeSystem | None] = {}

    def value_set(self, canonical: str) -> Json | None:
        """The ValueSet of ``url``, ``url|version``, or ``ValueSet/id``."""
        if is_local(canonical):
            found = self._documents(Asked("ValueSet", "_id", canonical.removeprefix("ValueSet/")))
            return json_codec.decode_stored(found[0].doc) if found else None
        return self._canonical("ValueSet", canonical)

    def code_system(self, url: str, version: str = "") -> CodeSystem | None:
        """The CodeSystem of ``url``, with its supplements."""
        if (url, version) not in self._systems:
            self._systems[url, version] = self._code_system(url, version)
        return self._systems[url, version]

    def _code_system(self, url: str, version: str) -> CodeSystem | None:
        own = _chosen(self._documents(Asked("CodeSystem", "url", url)), version)
        supplements = [doc for _, doc in _latest_of_each(self._documents(Asked("CodeSystem", "supplements", url)), url)]
        if own is not None:
            return CODE_SYSTEMS.of(own.doc, supplements)
        known = published("CodeSystem", url)
        if known is None or version not in ("", known.get("version")):
            return None
        if supplements:
            return CODE_SYSTEMS.of(json_codec.encode(known), supplements)
        return _published_system(url)

    def concept_maps(self, url: str) -> Sequence[Json]:
        """The ConceptMap of ``url`` or ``url|version``; with '' all there are."""
        if url:
            found = self._canonical("ConceptMap", url)
            return [] if found is None else [found]
        stored = [json_codec.decode_stored(each.doc) for each in self._documents(Asked("ConceptMap", "", ""))]
        known = {each.get("url") for each in stored}
        others = (published("ConceptMap", each) for each in published_urls("ConceptMap") if each not in known)
        return [*stored, *(each for each in others if each is not None)]

    def _canonical(self, type: str, name: str) -> Json | None:
        url, version = canonical(name)
        found = _chosen(self._documents(Asked(type, "url", url)), version)
        if found is not None:
            return json_codec.decode_stored(found.doc)
        known = published(type, url)
        return known if known is not None and version in ("", known.get("version")) else None

    def _documents(self, asked: Asked) -> Sequence[Document]:
        self.asked.add(asked)
        return self._find(asked)


def is_local(name: str) -> bool:
    """Whether ``name`` is ``ValueSet/id`` rather than a canonical URL."""
    return name.startswith("ValueSet/") and is_id(name.removeprefix("ValueSet/"))


def _chosen(found: Iterable[Document], version: str) -> Document | None:
    """The document of ``version``; without one the latest, retired ones last."""
    read = [(json_codec.decode_stored(each.doc), each) for each in found]
    fitting = [(r, each) for r, each in read if version in ("", r.get("version")) and r.get("content") != "supplement"]
    return max(fitting, key=lambda pair: _rank(*pair))[1] if fitting else None


def _rank(resource: Json, document: Document) -> tuple[Any, ...]:
    return resource.get("status") != "retired", version_key(resource.get("version", "")), document.updated


def _latest_of_each(found: Iterable[Document], url: str) -> list[tuple[str, Json]]:
    """The supplements of ``url``, of several versions of one the latest, by their URLs."""
    kept: dict[str, tuple[tuple[Any, ...], Json]] = {}
    for document in found:
        resource = json_codec.decode_stored(document.doc)
        name, rank = str(resource.get("url", "")), _rank(resource, document)
        if resource.get("content") == "supplement" and (name not in kept or kept[name][0] < rank):
            kept[name] = (rank, resource)
    return sorted((name, resource) for name, (_, resource) in kept.items())


@lru_cache(64)
def _published_system(url: str) -> CodeSystem | None:
    known = published("CodeSystem", url)
    return None if known is None else CodeSystem(known)


class CodeSystems:
    """Code systems that were indexed lately, by what was in them: the same bytes are the same system everywhere."""

    def __init__(self, most: int) -> None:
        self._most, self._held = most, 0
        self._systems: OrderedDict[bytes, CodeSystem] = OrderedDict()
        self._guard = Lock()

    def of(self, document: bytes, supplements: Sequence[Json] = ()) -> CodeSystem:
        digest = hashlib.blake2b(document)
        for each in supplements:
            digest.update(json_codec.encode(each))
        key = digest.digest()
        with self._guard:
            found = self._systems.get(key)
            if found is not None:
                self._systems.move_to_end(key)
                return found
        return self._remember(key, CodeSystem(json_codec.decode_stored(document), supplements))

    def _remember(self, key: bytes, made: CodeSystem) -> CodeSystem:
        with self._guard:
            if key not in self._systems:
                self._systems[key] = made
                self._held += len(made.concepts)
            while self._held > self._most and len(self._systems) > 1:
                self._held -= len(self._systems.popitem(last=False)[1].concepts)
        return made


CODE_SYSTEMS = CodeSystems(MOST_CONCEPTS)
