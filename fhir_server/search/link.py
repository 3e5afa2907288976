"""The references of a resource under some branches, read from stored bytes without decoding the rest of the document.

FHIR R4 references (https://hl7.org/fhir/R4/references.html). The elements on the way to a reference become a typed
decoder; a parameter with conditions on the way is answered by the index extraction instead.
"""

from functools import lru_cache
from typing import Any

import msgspec

from resources import search_param
from resources.json_codec import decode_stored
from resources.literal_reference import local
from resources.search_param.expression import Leaf
from resources.search_param.parameters import parameters
from resources.search_param.registry import MARK


class _Reference(msgspec.Struct, gc=False):
    reference: str = ""


Decoder = msgspec.json.Decoder[Any]


@lru_cache(2048)
def _decoders(type: str, texts: tuple[str, ...]) -> tuple[tuple[int, Decoder], ...] | None:
    """The steps and a decoder for each way to a reference under these branches; None when a way has conditions or
    is an expression."""
    if any(text.startswith(MARK) for text in texts):
        return None
    found = {b for param in parameters(type).values() for b in param.branches if b.text in texts}
    leaves = dict.fromkeys(leaf for branch in found for leaf in branch.leaves if leaf.type == "Reference")
    if any(step.test for leaf in leaves for step in leaf.steps):
        return None
    # Branches that differ in their target type only (subject, patient) share one way through the document.
    ways = {tuple(step.name for step in leaf.steps): leaf for leaf in leaves}
    return tuple((len(path), msgspec.json.Decoder(_shape(leaf))) for path, leaf in ways.items())


def _shape(leaf: Leaf) -> Any:
    inner: Any = _Reference
    for depth, step in reversed(list(enumerate(leaf.steps))):
        field = list[inner] if step.many else inner
        next = [("next", field | None, None)]
        inner = msgspec.defstruct(f"Level{depth}", next, rename={"next": step.name}, gc=False)
    return inner


def references(type: str, texts: tuple[str, ...], doc: bytes) -> list[tuple[str, str]]:
    """(type, id) of what the document refers to locally under the branches ``texts``."""
    decoders = _decoders(type, texts)
    found = _extracted(texts, doc) if decoders is None else _decoded(decoders, doc)
    return [name for text in found if (name := local(text))]


def _extracted(texts: tuple[str, ...], doc: bytes) -> list[str]:
    posts = search_param.extract(decode_stored(doc)).posts
    return sorted({key.value for key in posts if key.form == "ref" and key.branch in texts})


def _decoded(decoders: tuple[tuple[int, Decoder], ...], doc: bytes) -> list[str]:
    found: list[str] = []
    for steps, decoder in decoders:
        _collect(decoder.decode(doc).next, steps - 1, found)
    return found


def _collect(value: Any, steps: int, found: list[str]) -> None:
    """Add the references that stand ``steps`` below ``value``."""
    if value is None:
        return
    if isinstance(value, list):
        for item in value:
            _collect(item, steps, found)
    elif steps:
        _collect(value.next, steps - 1, found)
    else:
        found.append(value.reference)
