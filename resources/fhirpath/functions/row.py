"""The row that declares a function.

FHIRPath N1, functions (http://hl7.org/fhirpath/N1/#functions).
"""

from collections.abc import Callable
from typing import NamedTuple

from resources.fhirpath.environment import Items


class Function(NamedTuple):
    """``call(env, input, *arguments)`` takes and gives collections; ``least`` to ``most`` arguments are allowed."""

    call: Callable[..., Items]
    least: int = 0
    most: int = 0
