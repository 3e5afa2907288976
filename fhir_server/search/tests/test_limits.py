"""Bounds of one search."""

import pytest

from fhir_server.search import limits
from resources.errors import TooCostly


@pytest.mark.parametrize(
    "params",
    [
        (("name", "x"),) * (limits.PARAMETERS + 1),
        (("name", "x" * (limits.CHARACTERS + 1)),),
        (("name", "," * limits.VALUES),),
        (("_id", "," * limits.IDS),),
        (("name:contains", "," * limits.SOUGHT),),
        (("subject:Patient._text", "a"),) * limits.SOUGHT + (("_has:Encounter:location:near", "1|2"),),
        (("_sort", ",".join(["name"] * (limits.SORT_KEYS + 1))),),
    ],
)
def test_more_than_the_bound_is_refused(params: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(TooCostly, match="at most"):
        limits.check(params)


def test_ten_thousand_ids_are_taken() -> None:
    limits.check((("_id", ",".join(f"{number:064}" for number in range(limits.IDS))),))
