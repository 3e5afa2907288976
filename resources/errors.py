"""The one error vocabulary of the record: what went wrong, where, and what to do.

FHIR R4 OperationOutcome (https://hl7.org/fhir/R4/operationoutcome.html) and HTTP status codes (http.html#operations).

    FhirError                     status  issue code
    ├── BadSyntax                 400     structure
    ├── Invalid                   400     invalid          (all issues of a failed validation at once)
    │   └── BadDefinition         422     business-rule    (valid FHIR that defines what cannot work)
    ├── BadSearch                 400     invalid
    ├── LoginRequired             401     login
    ├── Forbidden                 403     forbidden
    ├── NotFound                  404     not-found
    ├── MethodNotAllowed          405     not-supported
    ├── NotAcceptable             406     not-supported
    ├── Conflict                  409     conflict
    ├── Gone                      410     deleted
    ├── PreconditionFailed        412     conflict         (If-Match, If-None-Match: *)
    │   └── MultipleMatches       412     multiple-matches
    ├── TooLarge                  413     too-long
    ├── UnsupportedMediaType      415     not-supported
    ├── BusinessRule              422     business-rule    (referential integrity and the like)
    ├── TooCostly                 422     too-costly
    └── Unavailable               503     transient
        └── OutcomeUnknown        503     timeout          (the change may have been stored, or not)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue of an OperationOutcome.

    ``code`` is from the issue-type value set, ``text`` a sentence that says what was found and what is expected,
    ``expression`` the FHIRPath of the element (empty when the issue has no place).
    """

    code: str
    text: str
    expression: str = ""
    severity: str = "error"

    def as_fhir(self) -> dict[str, Any]:
        """This issue as OperationOutcome.issue."""
        issue: dict[str, Any] = {"severity": self.severity, "code": self.code, "details": {"text": self.text}}
        issue["diagnostics"] = self.text
        if self.expression:
            issue["expression"] = [self.expression]
        return issue


class FhirError(Exception):
    """Base of everything that ends an interaction; rendered once, at the edge, as an OperationOutcome."""

    status = 400
    code = "invalid"
    audited = False
    """Whether the audit trail has this refusal already; the repository sets it, the edge records what came before."""

    def __init__(self, text: str = "", *, expression: str = "", issues: Iterable[Issue] = ()) -> None:
        self.issues: tuple[Issue, ...] = tuple(issues) or (Issue(self.code, text, expression),)
        super().__init__("; ".join(issue.text for issue in self.issues))

    def within(self, prefix: str) -> "FhirError":
        """The same error with ``prefix`` (such as ``Bundle.entry[3]``) named in every issue; for bundle entries."""
        moved = tuple(
            Issue(i.code, f"{prefix}: {i.text}", _joined(prefix, i.expression), i.severity) for i in self.issues
        )
        return self.telling(moved)

    def telling(self, issues: "Iterable[Issue]") -> "FhirError":
        """The same error with other issues. Not made anew: a kind of error may ask for more than its issues."""
        again = type(self).__new__(type(self))
        again.__dict__.update(self.__dict__)
        FhirError.__init__(again, issues=issues)
        return again


def _joined(prefix: str, expression: str) -> str:
    root, _, rest = expression.partition(".")
    return f"{prefix}.resource.{rest}" if rest and root[:1].isupper() else prefix


def operation_outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """An OperationOutcome resource that holds ``issues``."""
    return {"resourceType": "OperationOutcome", "issue": [issue.as_fhir() for issue in issues]}


class BadSyntax(FhirError):
    """The body is no JSON or XML that FHIR allows."""

    code = "structure"


class Invalid(FhirError):
    """The resource breaks basic FHIR rules; ``issues`` names every breach."""


class BadDefinition(Invalid):
    """The resource is valid FHIR, but what it defines cannot work here."""

    status, code = 422, "business-rule"


class BadSearch(FhirError):
    """The query names an unknown parameter or modifier, or a malformed value."""


class LoginRequired(FhirError):
    status, code = 401, "login"


class Forbidden(FhirError):
    status, code = 403, "forbidden"


class NotFound(FhirError):
    status, code = 404, "not-found"


class MethodNotAllowed(FhirError):
    status, code = 405, "not-supported"


class NotAcceptable(FhirError):
    status, code = 406, "not-supported"


class Conflict(FhirError):
    status, code = 409, "conflict"


class Gone(FhirError):
    status, code = 410, "deleted"


class PreconditionFailed(FhirError):
    status, code = 412, "conflict"


class MultipleMatches(PreconditionFailed):
    code = "multiple-matches"


class TooLarge(FhirError):
    status, code = 413, "too-long"


class UnsupportedMediaType(FhirError):
    status, code = 415, "not-supported"


class BusinessRule(FhirError):
    status, code = 422, "business-rule"


class TooCostly(FhirError):
    status, code = 422, "too-costly"


class Unavailable(FhirError):
    status, code = 503, "transient"


class OutcomeUnknown(Unavailable):
    """The store did not tell whether the change was stored: who asked for it has to look before asking again, and
    nothing here asks again for them."""

    code = "timeout"
