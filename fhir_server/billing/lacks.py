"""What a claim still needs before anybody could be asked to pay it, in words.

FHIR R4 Claim.insurance (1..*), .provider (1..1), .diagnosis, .item; ours what a biller looks at.
"""

from collections.abc import Iterator
from typing import Any

from fhir_server.billing.facts import modality_of, provider_of

Json = dict[str, Any]

_NO_COVERAGE = (
    "No active Coverage of the patient covers the day of the visit: record one (one of type self-pay for who pays "
    "themselves), then charge again; until then there is no claim."
)
_NO_PROVIDER = (
    "The Encounter names neither an organization (serviceProvider) nor a practitioner who charges: until then there is "
    "no claim."
)


def lacks(claim: Json | None, charge: Json, encounter: Json) -> Iterator[str]:
    """Sentences; none when nothing is missing."""
    if charge.get("status") != "billable":
        return
    if claim is None:
        yield _NO_PROVIDER if not provider_of(encounter) else _NO_COVERAGE
        return
    yield from unmet(claim, modality_of(encounter) != "in-person")


def unmet(claim: Json, remote: bool) -> Iterator[str]:
    """Of a claim that is there; ``remote`` when the visit was held over a distance."""
    item: Json = next(iter(claim.get("item", ())), {})
    if not claim.get("diagnosis"):
        yield "No diagnosis: no Condition is recorded for the visit."
    if not item.get("locationCodeableConcept"):
        yield "No place of service: the record does not say where the patient was."
    if remote and not item.get("modifier"):
        yield "No modifier for a visit held over a distance."
    if not item.get("net"):
        yield "No price: the site's tariff has none for this code."
