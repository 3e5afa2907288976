"""What can go wrong with a FHIRPath expression: when it is read, when it is checked, when it runs.

FHIRPath N1 (http://hl7.org/fhirpath/N1/).

    FhirPathError
    ├── PathSyntaxError      the text is no FHIRPath
    ├── PathSemanticError    it names an unknown element, type or function, or misuses one
    └── PathExecutionError   it cannot be applied to these data, or it goes beyond a limit
"""


class FhirPathError(ValueError):
    """Base of all; the text names the expression's part at fault."""


class PathSyntaxError(FhirPathError):
    """``text`` and the zero-based ``position`` in the expression where reading stopped."""

    def __init__(self, text: str, position: int) -> None:
        super().__init__(f"{text} at character {position + 1}")
        self.position = position


class PathSemanticError(FhirPathError):
    """Unknown element, type or function, or a wrong number of arguments."""


class PathExecutionError(FhirPathError):
    """The data do not fit the operation (several items where one is needed, text where a number is needed, ...)."""
