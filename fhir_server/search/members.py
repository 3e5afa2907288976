"""What sets of a search are run by, as the code that makes the sets sees it.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html). ``fhir_server.search.execute`` is what runs them.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from fhir_server.store import Stored
from fhir_server.store.search_sets import Lists, Set
from fhir_server.store.search_sql import SearchSql
from resources.errors import TooCostly


class TooMany(TooCostly):
    """A set has more members than can be named at once (a statement that ran out of time is a plain TooCostly)."""


class Far(Protocol):
    """A test that SQL alone cannot make; ``keep`` gives the order keys of the rows that pass."""

    def keep(self, rows: Sequence[Stored]) -> set[int]: ...


class Members(Protocol):
    """The members of sets; every method raises TooMany beyond ``limit``."""

    def names(self, type: str, near: Set, far: Sequence[Far], limit: int) -> list[tuple[int, str]]:
        """(o, id) of the members, in any order."""
        ...

    def rows(self, type: str, near: Set, far: Sequence[Far], limit: int) -> list[Stored]:
        """The members, in any order."""
        ...

    def places(self, type: str, ids: Iterable[str]) -> dict[str, int]:
        """``o`` of those ids that exist and are not deleted, unrestricted."""
        ...

    def any_on(self, hashes: Sequence[int], near: Set) -> set[int]:
        """Those lists that hold a member of ``near``."""
        ...

    def sql(self, descending: bool = True) -> SearchSql:
        """A new statement of this database's kind."""
        ...

    def any(self, near: Set, far: Sequence[Far]) -> bool:
        """Whether there are members."""
        ...

    def measured(self, near: Set, everything: Callable[[], Set] | None) -> Set:
        """``near`` with those sizes counted that decide what to walk."""
        ...

    def all_orders(self, near: Set, far: Sequence[Far], limit: int) -> list[int]:
        """The order keys of the members."""
        ...

    def rids(self, near: Set, limit: int) -> list[int]:
        """The row numbers of the members, in any order."""
        ...

    def references(self, near: Set, limit: int) -> list[str]:
        """``Type/id`` of the members, in any order."""
        ...

    def count(self, near: Set, cap: int) -> int:
        """The number of members, counted no further than ``cap``."""
        ...

    def versions(self, near: Set, limit: int = 10_000) -> list[tuple[str, str, int]]:
        """(type, id, version) of the members, in any order."""
        ...

    def length(self, part: Lists) -> int:
        """The rows of all its lists together, counted no further than 2,000."""
        ...
