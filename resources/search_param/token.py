"""Token parameters: codes, codings, identifiers, contacts and flags.

FHIR R4 Search, token (https://hl7.org/fhir/R4/search.html#token). A coding is on one list, system and code together;
the dictionary finds the lists for a code or a system alone. Identifiers, being unbounded, are on a list for each form.
Codes fold case, as servers should when in doubt; identifiers do not, so that conditional creates stay exact.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from resources.definitions import codes
from resources.search_param import value_set
from resources.search_param.escapes import plain, split
from resources.search_param.expression import Branch
from resources.search_param.normal_form import PIECE, normal, short, stored
from resources.search_param.parameter import Kind, Parameter
from resources.search_param.sink import Factory, Indexer, Sink
from resources.search_param.terms import DictionaryEntry, Key, Lookup, Not, Or, Post, Str, StringEntry, Term

CODED = "s|c"
PLAIN = "c"
IDENTIFIER = "s|v"
VALUE = "v"
SYSTEM = "s|"
OF_TYPE = "of-type"
TEXT = "text"
TRUE = "true"

CASE_SENSITIVE = frozenset({"http://unitsofmeasure.org"})
"""Code systems in which two codes may differ by case alone."""

_FORMS = MappingProxyType(
    {"CodeableConcept": CODED, "Coding": CODED, "Identifier": IDENTIFIER, "ContactPoint": IDENTIFIER}
)


def folded(system: str, code: str) -> str:
    """The code as keys hold it."""
    return short(code if system in CASE_SENSITIVE else code.casefold())


@lru_cache(maxsize=8192)
def coded(type: str, branch: str, system: str, code: str, display: str) -> DictionaryEntry:
    """The dictionary entry of a coding under a branch; its key is the list of resources."""
    code = folded(system, code)
    return DictionaryEntry(Key(type, branch, CODED, f"{system}|{code}"), system, code, "", shown(display))


def shown(display: str) -> str:
    """The beginning of a display, normalised, as the dictionary holds it."""
    return normal(display)[:PIECE]


@lru_cache(maxsize=8192)
def plain_key(type: str, branch: str, code: str) -> Key:
    """The list of a code that has no system of its own."""
    return Key(type, branch, PLAIN, code.casefold())


@lru_cache(maxsize=8192)
def _system(type: str, branch: str, system: str) -> DictionaryEntry:
    """The list of identifiers of a system ('' for those without); the dictionary has them all, for ``:missing``."""
    return DictionaryEntry(Key(type, branch, SYSTEM, system), system, "", "", "")


# --- Index --------------------------------------------------------------------------------------------------------


def _coding(type: str, branch: str) -> Indexer:
    text_key = Key(type, branch, TEXT, "")

    def index(value: Mapping[str, Any], out: Sink) -> None:
        code = value.get("code")
        if code is not None:
            entry = coded(type, branch, value.get("system", ""), code, value.get("display", ""))
            out.posts.append(entry.key)
            out.dictionary.append(entry)
        elif "display" in value:
            out.strings += [StringEntry(text_key, norm) for norm in stored(value["display"])]

    return index


def _concept(type: str, branch: str) -> Indexer:
    text_key = Key(type, branch, TEXT, "")
    coding = _coding(type, branch)

    def index(value: Mapping[str, Any], out: Sink) -> None:
        text = value.get("text")
        for item in value.get("coding", ()):
            coding(item, out)
            if text == item.get("display"):
                text = None
        if text:
            out.strings += [StringEntry(text_key, norm) for norm in stored(text)]

    return index


def _identifier(type: str, branch: str) -> Indexer:
    text_key = Key(type, branch, TEXT, "")

    def index(value: Mapping[str, Any], out: Sink) -> None:
        system, text = value.get("system", ""), value.get("value")
        entry = _system(type, branch, system)
        out.posts.append(entry.key)
        out.dictionary.append(entry)
        if text is None:
            return
        out.posts += (Key(type, branch, IDENTIFIER, f"{system}|{text}"), Key(type, branch, VALUE, text))
        kind = value.get("type")
        if kind:
            for coding in kind.get("coding", ()):
                of_type = f"{coding.get('system', '')}|{coding.get('code', '')}|{text}"
                out.posts.append(Key(type, branch, OF_TYPE, of_type))
            for words in {kind.get("text"), *(c.get("display") for c in kind.get("coding", ()))} - {None}:
                out.strings += [StringEntry(text_key, norm) for norm in stored(words)]

    return index


def _contact(type: str, branch: str) -> Indexer:
    def index(value: Mapping[str, Any], out: Sink) -> str:
        system, text = value.get("system", ""), value.get("value")
        if text is not None:
            text = text.casefold()
            out.posts += (Key(type, branch, IDENTIFIER, f"{system}|{text}"), Key(type, branch, VALUE, text))
        return str(system)

    return index


def _code(type: str, branch: str) -> Indexer:
    def index(value: str, out: Sink) -> None:
        out.posts.append(plain_key(type, branch, value))

    return index


def _boolean(type: str, branch: str) -> Indexer:
    keys = {flag: Key(type, branch, PLAIN, word) for flag, word in ((True, "true"), (False, "false"))}

    def index(value: bool, out: Sink) -> None:
        out.posts.append(keys[value])

    return index


def truth(type: str, branch: str) -> Indexer:
    """The indexer of a branch that asks whether there is a value other than false (Patient.deceased)."""
    key = Key(type, branch, TRUE, "")

    def index(value: Any, out: Sink) -> None:
        if value is not False:
            out.posts.append(key)

    return index


LEAVES: Mapping[str, Factory] = MappingProxyType(
    {
        "CodeableConcept": _concept, "Coding": _coding, "Identifier": _identifier, "ContactPoint": _contact,
        "boolean": _boolean, "code": _code, "id": _code, "string": _code, "uri": _code, "canonical": _code,
    }
)  # fmt: skip


# --- Query --------------------------------------------------------------------------------------------------------


def term(parameter: Parameter, modifier: str, value: str) -> Term:
    """Resources with the token ``value`` (``code``, ``system|code``, ``|code``, ``system|``)."""
    if modifier == "text":
        return Or(tuple(_text(parameter.type, branch, normal(plain(value))) for branch in parameter.branches))
    if modifier == "of-type":
        return Or(tuple(_of_type(parameter, branch, value) for branch in parameter.branches))
    if modifier in value_set.MODIFIERS:
        return value_set.term(parameter, modifier, value, dict(_FORMS), PLAIN)
    return Or(tuple(t for branch in parameter.branches for t in token_terms(parameter, branch, value)))


def token_terms(parameter: Parameter, branch: Branch, value: str) -> list[Term]:
    """The lists of one branch that hold ``value``, one for each form the branch has."""
    parts = [plain(part) for part in split(value, "|", 1)]
    system, code = parts if len(parts) == 2 else (None, parts[0])
    if not (system or code):
        parameter.refuse(value, "code, system|code, |code or system|")
    if branch.truth:
        return [_truth(parameter, branch, code)]
    forms = {_FORMS.get(leaf.type, PLAIN): leaf for leaf in branch.leaves}
    found = [_QUERIES[form](parameter.type, branch, system, code) for form in forms]
    return [t for t in found if t is not None]


def identifier_keys(type: str, branches: Iterable[Branch], system: str, value: str) -> list[Key]:
    """The lists of what has an Identifier of ``system`` and ``value``, as written, in one of ``branches``."""
    return [Key(type, branch.text, IDENTIFIER, f"{system}|{value}") for branch in branches]


def _truth(parameter: Parameter, branch: Branch, code: str) -> Term:
    if code not in ("true", "false"):
        parameter.refuse(code, "true or false")
    present = Post(Key(parameter.type, branch.text, TRUE, ""))
    return present if code == "true" else Not(parameter.type, present)


def _coded_term(type: str, branch: Branch, system: str | None, code: str) -> Term:
    if not code:
        return Lookup(type, branch.text, CODED, system=system)
    if system is None:
        # A system with case has the code as written, all others have it folded.
        spellings = {short(code), folded("", code)}
        return Or(tuple(Lookup(type, branch.text, CODED, code=spelling) for spelling in sorted(spellings)))
    return Post(Key(type, branch.text, CODED, f"{system}|{folded(system, code)}"))


def _identifier_term(type: str, branch: Branch, system: str | None, code: str) -> Term:
    if branch.leaves[0].type == "ContactPoint":
        code = code.casefold()
        system = branch.system or system
        if not code:
            return Or(())
    if not code:
        return Post(Key(type, branch.text, SYSTEM, system or ""))
    if system is None:
        return Post(Key(type, branch.text, VALUE, code))
    return Post(Key(type, branch.text, IDENTIFIER, f"{system}|{code}"))


def _plain_term(type: str, branch: Branch, system: str | None, code: str) -> Term | None:
    known = systems(branch)
    if system and known:
        if system not in known:
            return None
        if not code:
            return Or(tuple(Post(plain_key(type, branch.text, c)) for c in sorted(known[system])))
        if code not in known[system] and code.casefold() not in {c.casefold() for c in known[system]}:
            return None
    return Post(plain_key(type, branch.text, code)) if code else None


def systems(branch: Branch) -> Mapping[str, frozenset[str]]:
    """The code systems of a ``code`` element with a required binding; {} where unknown."""
    bindings = [leaf.binding for leaf in branch.leaves if leaf.type == "code"]
    return codes(bindings[0]) if bindings and bindings[0] else {}


_QUERIES = MappingProxyType({CODED: _coded_term, IDENTIFIER: _identifier_term, PLAIN: _plain_term})


def _text(type: str, branch: Branch, norm: str) -> Term:
    free = Str(Key(type, branch.text, TEXT, ""), norm, "prefix")
    return Or((Lookup(type, branch.text, CODED, display=norm[:PIECE]), free))


def _of_type(parameter: Parameter, branch: Branch, value: str) -> Term:
    parts = [plain(part) for part in split(value, "|")]
    if len(parts) != 3 or not all(parts) or branch.leaves[0].type != "Identifier":
        parameter.refuse(value, "type-system|type-code|value of an identifier")
    return Post(Key(parameter.type, branch.text, OF_TYPE, "|".join(parts)))


KIND = Kind(LEAVES, frozenset({"not", "not-in", "text", "of-type"}) | value_set.MODIFIERS, term)
