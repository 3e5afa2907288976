"""One registry is worked with at a time, in each thread its own; types have the parameters of their bases."""

import threading

from resources.definitions import SearchParam
from resources.search_param.parameters import parameters, standard
from resources.search_param.registry import BUILT_IN, Custom, Registry, current, meant, search_params, using


def _custom(number: int, code: str, *base: str) -> Custom:
    return Custom(number, code, SearchParam(code, f"u:{code}", "token", base, "Resource.id"))


REGISTRY = Registry(3, (_custom(1, "all", "Resource"), _custom(2, "own", "Patient", "Group")), frozenset({2}))


def test_a_type_has_those_of_its_bases() -> None:
    assert [custom.number for custom in REGISTRY.of("Patient")] == [1, 2]
    assert [custom.number for custom in REGISTRY.of("Binary")] == [1]
    assert BUILT_IN.of("Patient") == ()


def test_it_is_in_use_inside_the_block_and_in_this_thread() -> None:
    seen = []
    with using(REGISTRY):
        assert current() is REGISTRY
        assert {"all", "own", "name"} <= set(parameters("Patient")) & set(search_params("Patient"))
        assert "own" not in standard("Patient")
        other = threading.Thread(target=lambda: seen.append(current()))
        other.start()
        other.join()
    assert seen == [BUILT_IN]
    assert current() is BUILT_IN
    assert "own" not in parameters("Patient")


def test_two_that_say_the_same_are_alike() -> None:
    assert REGISTRY.is_like(Registry(3, REGISTRY.customs, frozenset({2})))
    assert not REGISTRY.is_like(Registry(3, REGISTRY.customs))
    assert not REGISTRY.is_like(Registry(4, REGISTRY.customs, frozenset({2})))


def test_what_a_base_means() -> None:
    assert meant("Patient") == {"Patient"}
    assert {"Binary", "Patient"} <= meant("Resource")
    assert "Binary" not in meant("DomainResource")
