"""$expand, $validate-code, $lookup, $subsumes and $translate.

FHIR R4 (https://hl7.org/fhir/R4/terminology-service.html) on what the caller may see and what FHIR R4 publishes.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from capability.rows import Operation
from fhir_server.http.response import Response
from fhir_server.interactions.exchange import Exchange
from fhir_server.operations.parameters import Parameters, read_parameters
from fhir_server.search.coded import escaped
from fhir_server.search.restriction import granted, restriction
from fhir_server.terminology.stored import Asked, Stored
from resources import json_codec, validation
from resources.errors import BusinessRule, Invalid, Issue, NotFound
from resources.repository import Repository, SearchRequest, Version
from resources.terminology import expansion, lookup, translate, validate_code
from resources.terminology.code_system import CodeSystem
from resources.terminology.source import canonical
from resources.terminology.validate_code import Coded

Json = dict[str, Any]
MOST_FOUND = 1_000
LONGEST_NUMBER = 9

_CODED = ("code", "system", "display", "coding", "codeableConcept")
_EXPAND = (
    "url", "valueSet", "valueSetVersion", "filter", "offset", "count", "includeDesignations", "includeDefinition",
    "activeOnly", "excludeNested", "excludeNotForUI", "displayLanguage",
)  # fmt: skip
_NOT_DONE = (
    "context", "contextDirection", "date", "designation", "excludePostCoordinated", "exclude-system",
    "system-version", "check-system-version", "force-system-version",
)  # fmt: skip
"""Parameters that R4 defines and that would change the answer; leaving them out silently would be a lie."""


def expand_value_set(exchange: Exchange) -> Response:
    """ValueSet/$expand. Raises NotFound, Unknown, TooCostly (what cannot be listed), BusinessRule, Invalid."""
    given = _read(exchange, _EXPAND)
    source = _source(exchange)
    count = given.value("count")
    wanted = expansion.Wanted(
        filter=given.value("filter"),
        offset=_number(given, "offset"),
        count=_number(given, "count") if count else None,
        designations=_flag(given, "includeDesignations"),
        definition=_flag(given, "includeDefinition"),
        active_only=_flag(given, "activeOnly"),
        for_display=_flag(given, "excludeNotForUI"),
        language=given.value("displayLanguage"),
    )
    return _answer(expansion.expand(source, _value_set(exchange, given, source), wanted))


def validate_in_value_set(exchange: Exchange) -> Response:
    """ValueSet/$validate-code. Raises like $expand."""
    given = _read(
        exchange, (*_CODED, "url", "valueSet", "valueSetVersion", "systemVersion", "abstract", "displayLanguage")
    )
    source = _source(exchange)
    asked = _asked(given)
    value_set = _value_set(exchange, given, source)
    return _answer(
        validate_code.in_value_set(
            source, value_set, asked, abstract=_flag(given, "abstract"), language=given.value("displayLanguage")
        )
    )


def validate_in_code_system(exchange: Exchange) -> Response:
    """CodeSystem/$validate-code. Raises NotFound, Invalid."""
    given = _read(exchange, (*_CODED, "url", "codeSystem", "version", "abstract", "displayLanguage"))
    source = _source(exchange)
    known = _own_code_system(exchange, given, source)
    asked = _asked(given, known.url if known else canonical(given.value("url"))[0])
    found = []
    for coded in asked:
        there = source.code_system(coded.system, given.value("version")) if known is None else known
        if known is not None and coded.system != known.url:
            found.append(validate_code.Verdict(False, f"The code {coded} is of another code system than {known.url}."))
            continue
        found.append(validate_code.in_code_system(there, coded, language=given.value("displayLanguage")))
    return _answer(validate_code.best(found))


def look_up(exchange: Exchange) -> Response:
    """CodeSystem/$lookup. Raises NotFound (system or code), Invalid."""
    given = _read(exchange, ("code", "system", "version", "coding", "displayLanguage", "property"))
    [coded] = _asked(given)
    known = _known(_source(exchange), coded.system, given.value("version"))
    return _answer(lookup.lookup(known, coded.code, given.all("property"), given.value("displayLanguage")))


def subsumption(exchange: Exchange) -> Response:
    """CodeSystem/$subsumes. Raises NotFound, Invalid, BusinessRule."""
    given = _read(exchange, ("codeA", "codeB", "system", "version", "codingA", "codingB"))
    source = _source(exchange)
    own = _read_code_system(exchange, source) if exchange.id else None
    system = own.url if own else given.value("system")
    a, b = (_side(given, side, system) for side in "AB")
    if a.system != b.system:
        raise Invalid("$subsumes compares codes of one code system.", expression="codingB")
    known = own if own and a.system == own.url else _known(source, a.system, given.value("version"))
    return _answer(lookup.subsumes(known, a.code, b.code))


def translate_code(exchange: Exchange) -> Response:
    """ConceptMap/$translate. Raises NotFound (the map), Invalid, BusinessRule."""
    given = _read(
        exchange,
        (
            *_CODED, "url", "conceptMap", "conceptMapVersion", "version", "source", "target", "targetsystem",
            "dependency", "reverse",
        ),
    )  # fmt: skip
    source = _source(exchange)
    wanted = translate.Wanted(
        given.value("targetsystem"),
        given.value("source"),
        given.value("target"),
        _flag(given, "reverse"),
        frozenset(_dependencies(given)),
    )
    asked = _asked(given)
    return _answer(translate.translate(source, _maps(exchange, given, source), asked, wanted))


# --- input --------------------------------------------------------------------------------------------------------


def _read(exchange: Exchange, known: Sequence[str]) -> Parameters:
    """The parameters; the right to search the type is needed to name one of its resources by URL."""
    given = read_parameters(exchange, (*known, "resource", *(name for name in _NOT_DONE if name not in known)))
    refused = [name for name in dict(given.values) if name in _NOT_DONE and name not in known]
    refused += [name for name in given.complex if name in _NOT_DONE]
    if refused:
        raise Invalid(issues=[Issue("not-supported", f"{name} is not supported here.", name) for name in refused])
    if not exchange.id:
        restriction(exchange.repository.caller, exchange.type, "s")
    return given


def _number(given: Parameters, name: str) -> int:
    text = given.value(name)
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        raise Invalid(f"{name} is a whole number of 0 or more, not {text[:40]!r}.", expression=name)
    return int(text)


def _flag(given: Parameters, name: str) -> bool:
    text = given.value(name)
    if text not in ("", "true", "false"):
        raise Invalid(f"{name} is true or false, not {text[:40]!r}.", expression=name)
    return text == "true"


def _asked(given: Parameters, system: str = "") -> list[Coded]:
    """The codings that are asked about; ``system`` is that of a code or coding without one. Raises Invalid."""
    concept, coding, code = given.complex.get("codeableConcept"), given.complex.get("coding"), given.value("code")
    _check_complex(given)
    found = [*(concept or {}).get("coding", ()), *([coding] if coding else ())]
    if code:
        found.append({"system": given.value("system"), "code": code, "display": given.value("display")})
    if not found:
        raise Invalid(
            "A code with its system, a coding or a codeableConcept with codings is needed.", expression="code"
        )
    codings = [Coded(c.get("system") or system, c.get("code", ""), c.get("display") or "") for c in found]
    if not all(each.system and each.code for each in codings):
        raise Invalid("A code is asked about together with its system.", expression="system")
    return codings


def _check_complex(given: Parameters) -> None:
    kinds = {"coding": "valueCoding", "codingA": "valueCoding", "codingB": "valueCoding"}
    parts = [
        {"name": name, kinds.get(name, "valueCodeableConcept"): value}
        for name, value in given.complex.items()
        if name in kinds or name == "codeableConcept"
    ]
    if parts:
        validation.check({"resourceType": "Parameters", "parameter": parts})


def _side(given: Parameters, side: str, system: str) -> Coded:
    """One of the two codes of $subsumes."""
    _check_complex(given)
    coding = given.complex.get(f"coding{side}") or {"code": given.value(f"code{side}")}
    found = Coded(coding.get("system") or system, coding.get("code", ""))
    if not (found.system and found.code):
        raise Invalid(f"code{side} with system, or coding{side}, is needed.", expression=f"code{side}")
    return found


def _dependencies(given: Parameters) -> Iterable[tuple[str, str]]:
    for name, held in given.parts:
        if name != "dependency":
            raise Invalid(f"{name[:60]} is no parameter of this operation that consists of others.", expression=name)
        concept = held.complex.get("concept", {})
        if concept:
            part = {"name": "concept", "valueCodeableConcept": concept}
            validation.check({"resourceType": "Parameters", "parameter": [part]})
        yield from ((held.value("element"), coding.get("code", "")) for coding in concept.get("coding", ()))


# --- what it is about ---------------------------------------------------------------------------------------------


def _source(exchange: Exchange) -> Stored:
    return source_of(exchange.repository)


def source_of(repository: Repository) -> Stored:
    """Terminology as the caller of ``repository`` may see it."""
    return Stored(partial(_find, repository))


def _find(repository: Repository, asked: Asked) -> Sequence[Version]:
    """What the caller finds. Nothing where the type is not open to them: as if there were none."""
    if not granted(repository.caller, asked.type, "s"):
        return ()
    named = ((asked.parameter, escaped(asked.value)),) if asked.parameter else ()
    page = repository.search(SearchRequest(asked.type, (*named, ("_count", str(MOST_FOUND)))))
    return [hit.version for hit in page.hits if hit.mode == "match"]


def _given(given: Parameters, name: str, type: str) -> Json | None:
    """The resource in the input, checked as a write would."""
    found = given.resources.get(name) or given.resources.get("resource")
    if found is None:
        return None
    if found.get("resourceType") != type:
        raise Invalid(f"The parameter {name} holds a {type}.", expression=name)
    validation.check(found)
    return found


def _read_own(exchange: Exchange) -> Json:
    return json_codec.decode_stored(exchange.repository.read(exchange.type, exchange.id).doc)


def _value_set(exchange: Exchange, given: Parameters, source: Stored) -> Json:
    if exchange.id:
        return _read_own(exchange)
    sent = _given(given, "valueSet", "ValueSet")
    if sent is not None:
        return sent
    name = _named(given, "valueSet", "valueSetVersion")
    found = source.value_set(name)
    if found is None:
        raise NotFound(f"The ValueSet {name[:300]} is not known here; store it, or send it as valueSet.")
    return found


def _named(given: Parameters, resource: str, version: str) -> str:
    url = given.value("url")
    if not url:
        raise Invalid(f"Name what this is about: url, {resource}, or the id of a stored one.", expression="url")
    return f"{url}|{given.value(version)}" if given.value(version) and "|" not in url else url


def _own_code_system(exchange: Exchange, given: Parameters, source: Stored) -> CodeSystem | None:
    """The code system that is named; None when only the codings say which."""
    if exchange.id:
        return _read_code_system(exchange, source)
    sent = _given(given, "codeSystem", "CodeSystem")
    if sent is not None:
        return CodeSystem(sent)
    url, version = canonical(given.value("url"))
    return _known(source, url, version or given.value("version")) if url else None


def _read_code_system(exchange: Exchange, source: Stored) -> CodeSystem:
    own = CodeSystem(_read_own(exchange))
    if own.content == "supplement":
        raise BusinessRule("A supplement is no code system; ask the one that it supplements.")
    return source.code_system(own.url, own.version) or own if own.url and own.version else own


def _known(source: Stored, system: str, version: str) -> CodeSystem:
    found = source.code_system(system, version)
    if found is None:
        which = f"{system}|{version}" if version else system
        raise NotFound(f"The CodeSystem {which[:300]} is not known here; store it first (PUT CodeSystem/[id]).")
    return found


def _maps(exchange: Exchange, given: Parameters, source: Stored) -> Sequence[Json]:
    if exchange.id:
        return [_read_own(exchange)]
    sent = _given(given, "conceptMap", "ConceptMap")
    if sent is not None:
        return [sent]
    if not given.value("url"):
        return source.concept_maps("")
    name = _named(given, "conceptMap", "conceptMapVersion")
    found = source.concept_maps(name)
    if not found:
        raise NotFound(f"The ConceptMap {name[:300]} is not known here; store it, or send it as conceptMap.")
    return found


def _answer(resource: Json) -> Response:
    return Response(200, json_codec.encode(resource))


_BASE = "http://hl7.org/fhir/OperationDefinition"
_BOTH = frozenset({"type", "instance"})
_ROWS = (
    ("expand", "ValueSet", _BOTH, expand_value_set, "Lists the codes of a value set, filtered and in pages."),
    ("validate-code", "ValueSet", _BOTH, validate_in_value_set, "Says whether a code is in a value set."),
    ("validate-code", "CodeSystem", _BOTH, validate_in_code_system, "Says whether a code is in a code system."),
    ("lookup", "CodeSystem", frozenset({"type"}), look_up, "Display, designations and properties of a code."),
    ("subsumes", "CodeSystem", _BOTH, subsumption, "Says how two codes relate in the hierarchy of their system."),
    ("translate", "ConceptMap", _BOTH, translate_code, "Translates a code by concept maps, forward and in reverse."),
)

TERMINOLOGY: tuple[Operation, ...] = tuple(
    Operation(name, f"{_BASE}/{type}-{name}", levels, frozenset({type}), handler, documentation)
    for name, type, levels, handler, documentation in _ROWS
)
