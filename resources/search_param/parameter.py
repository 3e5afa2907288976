"""A search parameter of one type, its branches resolved; and how a query that misuses it is refused.

FHIR R4 SearchParameter (https://hl7.org/fhir/R4/searchparameter.html).
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, NoReturn

from resources.errors import BadSearch
from resources.search_param.expression import Branch
from resources.search_param.sink import Factory
from resources.search_param.terms import Term


class Parameter(NamedTuple):
    """Parameter ``code`` of a resource type; ``kind`` is its search type, ``targets`` what a reference may name."""

    type: str
    code: str
    kind: str
    branches: tuple[Branch, ...]
    targets: tuple[str, ...] = ()

    def refuse(self, value: str, expected: str) -> NoReturn:
        """Raise BadSearch: this parameter was given ``value`` where ``expected`` is allowed."""
        raise BadSearch(f"Parameter '{self.code}' of {self.type} has the value '{value}'; expected {expected}.")


class Kind(NamedTuple):
    """A type of search parameter: what it indexes by FHIR type, the modifiers it takes, the term of one value."""

    leaves: Mapping[str, Factory]
    modifiers: frozenset[str]
    term: Callable[[Parameter, str, str], Term]
