"""Uri parameters: exact URIs, and those above and below one.

FHIR R4 Search, uri (https://hl7.org/fhir/R4/search.html#uri). Canonicals are found with and without their version.
"""

from collections.abc import Mapping
from types import MappingProxyType

from resources.search_param.escapes import plain
from resources.search_param.normal_form import PIECE
from resources.search_param.parameter import Kind, Parameter
from resources.search_param.sink import Factory, Indexer, Sink
from resources.search_param.terms import DictionaryEntry, Key, Lookup, Or, Post, Str, StringEntry, Term

FORM = "uri"
PATH = "path"
"""Form of the string rows that ``:below`` reads."""

SOURCE = ".meta.source"


def _uri(type: str, branch: str) -> Indexer:
    path_key = Key(type, branch, PATH, "")

    def index(value: str, out: Sink) -> None:
        out.posts.append(Key(type, branch, FORM, value))
        out.strings.append(StringEntry(path_key, value[:PIECE]))

    def source(value: str, out: Sink) -> None:
        """``meta.source``: its fragment, which tells one message or run of the source, is also searched apart."""
        index(value, out)
        head, mark, fragment = value.partition("#")
        if head and mark:
            out.posts += [Key(type, branch, FORM, head), Key(type, branch, FORM, mark + fragment)]

    return source if branch.endswith(SOURCE) else index


def _canonical(type: str, branch: str) -> Indexer:
    """Canonicals repeat (profiles): they go to the dictionary, which answers ``:below`` without a row per resource."""

    def index(value: str, out: Sink) -> None:
        url, _, version = value.partition("|")
        for text in {url, value} if version else {url}:
            key = Key(type, branch, FORM, text)
            out.posts.append(key)
            out.dictionary.append(DictionaryEntry(key, "", "", "", text[:PIECE]))

    return index


LEAVES: Mapping[str, Factory] = MappingProxyType(
    {"uri": _uri, "url": _uri, "oid": _uri, "uuid": _uri, "canonical": _canonical}
)


def term(parameter: Parameter, modifier: str, value: str) -> Term:
    """Resources with the URI ``value``; ``:above``: a URI that is a path prefix of it; ``:below``: one it begins."""
    text = plain(value)
    if not text or any(c.isspace() for c in text):
        parameter.refuse(value, "a URI")
    terms = [t for branch in parameter.branches for t in _terms(parameter.type, branch.text, modifier, text)]
    return Or(tuple(terms))


def _terms(type: str, branch: str, modifier: str, text: str) -> list[Term]:
    if modifier == "below":
        folder = text.rstrip("/") + "/"
        below = (
            Str(Key(type, branch, PATH, ""), folder[:PIECE], "prefix"),
            Lookup(type, branch, FORM, display=folder[:PIECE]),
        )
        return [Post(Key(type, branch, FORM, text)), *below]
    if modifier == "above":
        return [Post(Key(type, branch, FORM, prefix)) for prefix in _above(text)]
    return [Post(Key(type, branch, FORM, text))]


def _above(text: str) -> list[str]:
    """The URI and its path prefixes, with and without the closing slash, down to the host."""
    scheme, _, rest = text.partition("://")
    parts = rest.split("/")
    heads = [f"{scheme}://{'/'.join(parts[:n])}" for n in range(1, len(parts) + 1)] if rest else [text]
    return sorted({text, *heads, *(f"{head}/" for head in heads[:-1])})


KIND = Kind(LEAVES, frozenset({"above", "below"}), term)
