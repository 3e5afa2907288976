"""The parameters ``_text`` (the narrative) and ``_content`` (all that is written in a resource): words, phrases, heads.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html#content). A resource stands on one list for each word, and for
``_text`` for the first letters of each longer one, which finds what begins so. Words are compared as strings are.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import unescape
from types import MappingProxyType
from typing import Any, NoReturn

import msgspec

from resources.errors import BadSearch
from resources.search_param.escapes import plain, split
from resources.search_param.normal_form import normal
from resources.search_param.sink import Sink
from resources.search_param.terms import All, And, Checked, Key, Or, Post, Term

TEXT, CONTENT = "_text", "_content"
WORD, HEAD = "word", "head"
HEAD_LENGTH = 4
"""Letters of a word that ``abc*`` must give at least."""
MOST_WORDS = 32
_LONGEST = 60
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")
_TAG = re.compile(r"<!--.*?-->|<[^>]*>", re.DOTALL)
_ASKED = re.compile(r'"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+)')
_NOT_READ = frozenset({"resourceType", "reference", "system", "url", "data", "div", "contentType", "versionId"})
"""Elements whose values are addresses and names of the format, nothing that is written."""
_DATE = re.compile(r"\d{4}-\d\d(-\d\d.*)?")


def words(text: str) -> list[str]:
    """The words of a text in order, normalised; scripts that are written without spaces give one for each sign."""
    return [word[:_LONGEST] for word in _WORD.findall(normal(text))]


def narrative(resource: Mapping[str, Any]) -> str:
    """What a reader sees of the resource's ``text``."""
    text = resource.get("text")
    div = text.get("div", "") if isinstance(text, Mapping) else ""
    return unescape(_TAG.sub(" ", div)) if isinstance(div, str) else ""


def content(resource: Mapping[str, Any]) -> str:
    """The narrative and all values that are text, one per line."""
    return "\n".join((narrative(resource), *_values(resource, "")))


def _values(value: Any, name: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in _NOT_READ:
                yield from _values(inner, key)
    elif isinstance(value, list):
        for item in value:
            yield from _values(item, name)
    elif isinstance(value, str) and "://" not in value and not value.startswith("urn:") and not _DATE.fullmatch(value):
        yield value


Phrase = tuple[tuple[str, ...], bool]
"""Words that follow each other, and whether the last one may go on."""


class Words(msgspec.Struct, frozen=True, gc=False):
    """Whether all phrases of one of the ``alternatives`` are in the text."""

    name: str
    alternatives: tuple[tuple[Phrase, ...], ...]

    def possible(self, doc: bytes) -> bool:
        """Plain text without escapes holds its words as they are asked for, but for capitals."""
        if not doc.isascii() or b"&" in doc or b"\\u" in doc:
            return True
        text = doc.lower()
        return any(
            all(word.encode() in text for phrase, _ in phrases for word in phrase) for phrases in self.alternatives
        )

    def fits(self, resource: Mapping[str, Any]) -> bool:
        found = " ".join(("", *words(_TEXTS[self.name](resource)), ""))
        return any(
            all(" ".join(("", *phrase)) + ("" if open else " ") in found for phrase, open in phrases)
            for phrases in self.alternatives
        )


_TEXTS = MappingProxyType({TEXT: narrative, CONTENT: content})


def index(resource: Mapping[str, Any], out: Sink) -> None:
    """Put a resource's narrative into a sink."""
    if "text" in resource:
        type = resource["resourceType"]
        found = set(words(narrative(resource)))
        out.posts += [Key(type, TEXT, WORD, word) for word in found]
        heads = {word[:HEAD_LENGTH] for word in found if len(word) > HEAD_LENGTH}
        out.posts += [Key(type, TEXT, HEAD, head) for head in heads]


def term(type: str, name: str, modifier: str, value: str) -> Term:
    """Resources of ``type`` whose text has all the words of one of the alternatives. Raises BadSearch."""
    if modifier:
        raise BadSearch(f"Parameter '{name}' of {type} takes no modifier, but ':{modifier}' was given.")
    values = [plain(part) for part in split(value, ",") if part] or [value]
    alternatives = tuple(tuple(_phrases(type, name, each)) for each in values)
    if any(not 1 <= sum(len(phrase) for phrase, _ in phrases) <= MOST_WORDS for phrases in alternatives):
        _refuse(type, name, value)
    test = Words(name, alternatives)
    if name == CONTENT:
        return Checked(type, All(type), test)
    near = _any_of([_all_of(type, phrases) for phrases in alternatives])
    exact = all(len(phrase) == 1 and not open for phrases in alternatives for phrase, open in phrases)
    return near if exact else Checked(type, near, test)


def _any_of(terms: Sequence[Term]) -> Term:
    return terms[0] if len(terms) == 1 else Or(tuple(terms))


def _all_of(type: str, phrases: Iterable[Phrase]) -> Term:
    lists = tuple(dict.fromkeys(_lists(type, phrases)))
    return lists[0] if len(lists) == 1 else And(lists)


def _phrases(type: str, name: str, value: str) -> Iterator[Phrase]:
    if value.count('"') % 2:
        _refuse(type, name, value)
    for part in _ASKED.finditer(value):
        word = part["word"]
        open = word is not None and word.endswith("*")
        found = tuple(words(word if word is not None else part["phrase"]))
        if open and (not found or len(found[-1]) < HEAD_LENGTH):
            _refuse(type, name, value)
        if found:
            yield found, open


def _lists(type: str, phrases: Iterable[Phrase]) -> Iterator[Term]:
    for phrase, open in phrases:
        whole, last = (phrase[:-1], phrase[-1:]) if open else (phrase, ())
        yield from (Post(Key(type, TEXT, WORD, word)) for word in whole)
        for word in last:
            head = Post(Key(type, TEXT, HEAD, word[:HEAD_LENGTH]))
            yield Or((head, Post(Key(type, TEXT, WORD, word)))) if len(word) == HEAD_LENGTH else head


def _refuse(type: str, name: str, value: str) -> NoReturn:
    raise BadSearch(
        f"Parameter '{name}' of {type} has the value '{value}'; expected 1 to {MOST_WORDS} words, all of which are "
        f'looked for: pain, "chest pain" in this order, or card* for what begins so, {HEAD_LENGTH} letters or more.'
    )
