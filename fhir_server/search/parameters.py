"""Names in a query: search parameters, chains and ``_has``, compiled to terms.

FHIR R4 Search, chained parameters and reverse chaining (https://hl7.org/fhir/R4/search.html#chaining).
"""

from collections.abc import Iterable
from functools import lru_cache

from fhir_server.search import lists
from fhir_server.search.limits import check_ways
from resources import search_param
from resources.definitions import RESOURCE_TYPES, SearchParam
from resources.errors import BadSearch
from resources.nearest import did_you_mean
from resources.search_param import reference
from resources.search_param.parameter import Parameter
from resources.search_param.parameters import BY_ROW, FULL_TEXT, composites
from resources.search_param.parameters import parameters as indexed
from resources.search_param.registry import Custom, Registry, current, search_params
from resources.search_param.terms import Or, Referred, Refers, Term

DEPTH = 12


class UnknownParameter(BadSearch):
    """The one error that a lenient search turns into a warning."""

    code = "not-supported"


def parameter(type: str, name: str) -> SearchParam:
    """The search parameter ``name`` of ``type``. Raises UnknownParameter that names the nearest one."""
    found = search_params(type).get(name)
    if name == "_list":
        raise BadSearch("_list: it names Lists and reads no element: it can only be searched by")
    if found is None or name not in known(type):
        raise UnknownParameter(f"{type} has no search parameter '{name}'{nearest(name, known(type))}")
    return found


def known(type: str) -> frozenset[str]:
    """The names of the parameters that ``type`` can be searched by."""
    return _known(type, current().of(type))


@lru_cache(2048)
def _known(type: str, customs: tuple[Custom, ...]) -> frozenset[str]:
    return frozenset(indexed(type)) | frozenset(composites(type)) | BY_ROW | FULL_TEXT | {"_list"}


def reference_names(type: str) -> tuple[str, ...]:
    """The names of the reference parameters of ``type``."""
    return _reference_names(type, current().of(type))


@lru_cache(2048)
def _reference_names(type: str, customs: tuple[Custom, ...]) -> tuple[str, ...]:
    return tuple(name for name, param in indexed(type).items() if param.kind == "reference")


def branches(type: str, name: str) -> tuple[str, ...]:
    """The branches that a reference parameter's references are indexed under."""
    return _branches(indexed(type)[name])


@lru_cache(4096)
def _branches(parameter: Parameter) -> tuple[str, ...]:
    return tuple(dict.fromkeys(branch.text for branch in parameter.branches))


def nearest(name: str, names: Iterable[str]) -> str:
    """The end of a sentence: what was probably meant, or what there is."""
    return did_you_mean(name, names) or f"; it has {', '.join(sorted(names))}"


def checked_type(type: str, where: str) -> str:
    """``type`` if it is a resource type. Raises BadSearch."""
    if type not in RESOURCE_TYPES:
        raise BadSearch(f"{where}: '{type}' is no resource type{nearest(type, RESOURCE_TYPES)}")
    return type


def term(type: str, name: str, value: str) -> Term:
    """The term of one parameter as written, ``name`` with modifier, chain or _has. Raises BadSearch, TooCostly."""
    return _read(current(), type, name, value)


@lru_cache(8192)
def _read(registry: Registry, type: str, name: str, value: str) -> Term:
    if name.count(".") + name.count("_has:") > DEPTH:
        raise BadSearch(f"{name}: a chain of more than {DEPTH} steps")
    taken = ways(type, name)
    check_ways(name, taken, taken * (value.count(",") + 1))
    return _term(type, name, value)


def ways(type: str, name: str) -> int:
    """Through how many sequences of resource types ``name`` leads to a parameter: a chain that names no types branches
    at each step."""
    return _ways(current(), type, name)


@lru_cache(8192)
def _ways(registry: Registry, type: str, name: str) -> int:
    if name.startswith("_has:"):
        source, _, tail = name.removeprefix("_has:").partition(":")
        code, _, rest = tail.partition(":")
        return ways(source, rest) if rest and type in _referred(source, code) else 0
    head, dot, rest = name.partition(".")
    code, _, target = head.partition(":")
    if type not in RESOURCE_TYPES or code not in known(type):
        return 0
    if not dot:
        return 1
    to = (target,) if target else _referred(type, code)
    return sum(ways(each, rest) for each in to) if _referred(type, code) else 0


def _referred(source: str, code: str) -> tuple[str, ...]:
    """The types that a reference parameter may point to; none for what is no such parameter."""
    if source not in RESOURCE_TYPES or code not in known(source) or parameter(source, code).type != "reference":
        return ()
    return target_types(source, code)


def _term(type: str, name: str, value: str) -> Term:
    if name.startswith("_has:"):
        return _reverse(type, name, value)
    head, dot, rest = name.partition(".")
    if dot:
        return _chain(type, head, rest, value)
    code, _, modifier = name.partition(":")
    if code == "_list":
        return lists.term(type, name, value)
    parameter(type, code)
    return search_param.compile_param(type, code, modifier, value)


def _chain(type: str, head: str, rest: str, value: str) -> Term:
    """``subject:Patient.name``: an untyped chain goes to every target type that the rest leads on from."""
    code, _, target = head.partition(":")
    reference_parameter(type, code)
    allowed = target_types(type, code)
    targets = (checked_type(target, f"{head}.{rest}"),) if target else allowed
    if target and target not in allowed:
        raise BadSearch(f"{type}.{code} refers to {', '.join(allowed)}, never to {target}")
    leading = [to for to in targets if ways(to, rest)] or targets[-1:]  # of none, the last tells what is wrong
    found = [Refers(type, branches(type, code), to, _term(to, rest, value)) for to in leading]
    return found[0] if len(found) == 1 else Or(tuple(found))


def _reverse(type: str, name: str, value: str) -> Term:
    """``_has:Observation:patient:code``: resources that others which match refer to."""
    source, _, tail = name.removeprefix("_has:").partition(":")
    code, _, rest = tail.partition(":")
    if not rest:
        raise BadSearch(f"{name}: expected _has:[type]:[reference parameter]:[parameter]=[value]")
    reference_parameter(checked_type(source, name), code)
    allowed = target_types(source, code)
    if type not in allowed:
        raise BadSearch(f"{name}: {source}.{code} refers to {', '.join(allowed)}, never to {type}")
    return Referred(type, source, branches(source, code), _term(source, rest, value))


def reference_parameter(type: str, name: str) -> SearchParam:
    """The parameter, if it is of type reference. Raises BadSearch."""
    param = parameter(type, name)
    if param.type != "reference":
        raise BadSearch(f"{type}.{name} is a {param.type} parameter; only a reference can be followed")
    if not reference.is_followed(indexed(type)[name]):
        raise BadSearch(
            f"{type}.{name} refers by canonical URL, which is not followed; search {type} with {name}=[url], "
            "or the other resource by its url"
        )
    return param


def target_types(type: str, name: str) -> tuple[str, ...]:
    """The resource types a reference parameter may point to."""
    parameter(type, name)
    return reference.targets(indexed(type)[name])
