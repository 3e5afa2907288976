"""The characters that separate: what MSH-1 and MSH-2 declare.

HL7 v2.5.1 section 2.5.4; the truncation character is of v2.7.
"""

from typing import NamedTuple


class Delimiters(NamedTuple):
    """The characters MSH-1 and MSH-2 declare; ``truncation`` (v2.7) is empty when there is none."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    truncation: str = ""

    @property
    def encoding(self) -> str:
        """MSH-2."""
        return self.component + self.repetition + self.escape + self.subcomponent + self.truncation
