"""The modifier :text of tokens: the names that stand beside the codes of a resource itself.

FHIR R4 Search, :text (https://hl7.org/fhir/R4/search.html#modifiers). The index knows which codes were ever called so,
by anybody; were that the answer, what others wrote would show in the results of who may not read it. So it only finds.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from resources.search_param.escapes import plain
from resources.search_param.extract import reader_of
from resources.search_param.normal_form import AS_WRITTEN, PIECE, normal
from resources.search_param.parameter import Parameter
from resources.search_param.sink import Sink
from resources.search_param.terms import Checked, Or, Term
from resources.search_param.token import TEXT
from resources.search_param.token import term as token_term


class Named(msgspec.Struct, frozen=True):
    """Whether one of the names under a parameter begins with one of ``beginnings``, both in normal form and as far as
    the index keeps names."""

    type: str
    code: str
    beginnings: tuple[str, ...]

    def possible(self, doc: bytes) -> bool:
        return True

    def fits(self, resource: Mapping[str, Any]) -> bool:
        out = Sink()
        reader_of(self.type, self.code)(resource, out)
        return any(name.startswith(self.beginnings) for name in _names(out))


def _names(out: Sink) -> Iterator[str]:
    yield from (normal(entry.display) for entry in out.dictionary if entry.display)
    yield from (entry.norm.partition(AS_WRITTEN)[0] for entry in out.strings if entry.key.form == TEXT)


def term(parameter: Parameter, values: list[str]) -> Term:
    """Resources where a code of ``parameter`` is called as one of ``values`` begins."""
    near = Or(tuple(token_term(parameter, "text", value) for value in values))
    test = Named(parameter.type, parameter.code, tuple(normal(plain(value))[:PIECE] for value in values))
    return Checked(parameter.type, near, test)
