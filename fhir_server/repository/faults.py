"""What the store refused, in the words of FHIR: which element refers to nothing, who still refers to what.

FHIR R4 http.html#integrity and #delete (a server may refuse for referential integrity: 409).
"""

from collections.abc import Sequence

from fhir_server.store import MarkMissed, MissingTargets, StillReferenced, StoreError, Write
from resources.errors import BusinessRule, Conflict, FhirError, Issue
from resources.json_codec import decode_stored
from resources.literal_reference import local
from resources.search_param import placed_references


def fault(error: StoreError, writes: Sequence[Write], places: Sequence[str]) -> FhirError:
    """The FHIR error for ``error``; ``places`` names each write's bundle entry, '' when there is but one."""
    if isinstance(error, MissingTargets):
        return BusinessRule(issues=_missing(error, writes, places))
    if isinstance(error, StillReferenced):
        return _still_referenced(error, writes, places)
    if isinstance(error, MarkMissed):
        return Conflict("What the commit was worked out from was changed by others at the same time; work it out anew.")
    return Conflict(
        "The resource was changed by others at the same time, again and again; read it anew and send the change again."
    )


def _missing(error: MissingTargets, writes: Sequence[Write], places: Sequence[str]) -> list[Issue]:
    missing = set(error.missing)
    issues = [
        _absent(reference, expression, place)
        for write, place in zip(writes, places, strict=True)
        for expression, reference in (placed_references(decode_stored(write.doc)) if write.doc else ())
        if (found := local(reference)) and f"{found.type}/{found.id}" in missing
    ]
    return issues or [_absent(reference, "", "") for reference in sorted(missing)]


def _absent(reference: str, expression: str, place: str) -> Issue:
    text = (
        f"{expression or 'An element'} refers to {reference}, which does not exist here; "
        "create it first, or send both in one transaction."
    )
    if not place:
        return Issue("not-found", text, expression)
    return Issue("not-found", f"{place}: {text}", f"{place}.resource.{expression.partition('.')[2]}")


def _still_referenced(error: StillReferenced, writes: Sequence[Write], places: Sequence[str]) -> FhirError:
    who = f"these refer to it: {', '.join(error.referrers)}" if error.referrers else "others refer to it"
    conflict = Conflict(
        f"{error.target} cannot be deleted while {who}. Delete or change them first, or delete all in one transaction."
    )
    here = [place for write, place in zip(writes, places, strict=True) if f"{write.type}/{write.id}" == error.target]
    return conflict.within(here[0]) if here and here[0] else conflict
