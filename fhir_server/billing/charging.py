"""From a finished Encounter its charge and the draft of a claim: made once, however often it is asked for.

FHIR R4 ChargeItem, Claim; docs/adr/billing.md says why their ids are known before.
"""

from collections.abc import Callable
from itertools import islice
from typing import Any

import msgspec

from fhir_server.billing import facts, papers
from fhir_server.billing.lacks import lacks
from fhir_server.billing.tariff import Row, Tariff
from fhir_server.visits.people import patient_of
from resources.errors import BusinessRule, Conflict, Forbidden, Gone, NotFound, PreconditionFailed
from resources.json_codec import decode_stored
from resources.literal_reference import local
from resources.paging import every
from resources.repository import Command, Create, Put, Repository, SearchRequest, Version

Json = dict[str, Any]

_SELF_PAY = ("http://terminology.hl7.org/CodeSystem/coverage-selfpay", "pay")
_WRONG = frozenset({"entered-in-error", "refuted"})
_MOST = 50
_LAST = 1 << 31


class Charged(msgspec.Struct, frozen=True):
    """``claim`` is None while it cannot be drafted; ``lacks`` says what is missing, in words."""

    charge: Version
    claim: Version | None
    lacks: tuple[str, ...]


class Charging:
    """By the ``tariff`` of the site; ``now`` in ms since 1970 UTC."""

    def __init__(self, tariff: Tariff, now: Callable[[], int]) -> None:
        self.tariff, self.now = tariff, now

    def charged(self, repository: Repository, encounter: Json) -> Charged:
        """Of ``encounter``, in the name of who is bound to ``repository``: what is there, and made what is not.

        Raises BusinessRule for what cannot be charged, Forbidden, Conflict.
        """
        facts.refuse_unfinished(encounter)
        try:
            return self._charged(repository, encounter)
        except PreconditionFailed:  # somebody else made it meanwhile
            found = _found(repository, encounter)
        if "ChargeItem" not in found:
            raise Conflict("There is a charge of this visit already, and you may not see it.")
        return self._charged(repository, encounter)

    def _charged(self, repository: Repository, encounter: Json) -> Charged:
        found = _found(repository, encounter)
        kept = decode_stored(found["ChargeItem"].doc) if "ChargeItem" in found else None
        if kept is None or ("Claim" not in found and kept.get("status") == "billable"):
            found |= self._made(repository, self._visit(repository, encounter), kept)
        claim = found.get("Claim")
        told = lacks(decode_stored(claim.doc) if claim else None, decode_stored(found["ChargeItem"].doc), encounter)
        return Charged(found["ChargeItem"], claim, tuple(told))

    def _made(self, repository: Repository, visit: papers.Visit, kept: Json | None) -> dict[str, Version]:
        """One commit: the charge unless it is ``kept``, the claim if it can be drafted, where they come from."""
        charge = kept or papers.charge_item(visit, self.tariff, self._row(visit))
        made = [] if kept else [charge]
        if visit.coverages and visit.provider:
            made.append(papers.claim(visit, self.tariff, charge))
        if not made:
            return {}
        targets = [f"{one['resourceType']}/{one['id']}" for one in made]
        commands: list[Command] = [Put(one, one["resourceType"], one["id"], if_none_match=True) for one in made]
        try:
            outcomes = repository.commit([*commands, Create(papers.provenance(visit, targets))])
        except NotFound:
            raise Forbidden("Who is confined to one patient's compartment does not charge visits.") from None
        return {one.version.type: one.version for one in outcomes[: len(made)] if one.version}

    def _row(self, visit: papers.Visit) -> Row:
        row = self.tariff.row(visit.minutes, visit.modality)
        if row is None:
            raise BusinessRule(
                f"The site's tariff has no code for a visit of {visit.minutes} minutes ({visit.modality})."
            )
        return row

    def _visit(self, repository: Repository, encounter: Json) -> papers.Visit:
        patient = patient_of(encounter)
        return papers.Visit(
            encounter=encounter,
            minutes=facts.minutes_of(encounter),
            modality=facts.modality_of(encounter),
            place=facts.place_of(encounter, self.tariff, _looking(repository)),
            provider=facts.provider_of(encounter),
            account=_account(repository, encounter, patient),
            diagnosed=_diagnosed(repository, encounter),
            coverages=coverages(repository, patient, encounter),
            by=repository.caller.who,
            at=self.now(),
        )


def _found(repository: Repository, encounter: Json) -> dict[str, Version]:
    wanted = list(papers.names(encounter["id"]).items())
    return {version.type: version for version in repository.identified((), wanted)}


def coverages(repository: Repository, patient: str, encounter: Json) -> list[str]:
    """The active ones of ``patient`` that hold on the day of the visit, by their order; who pays themselves last."""
    asked = (("beneficiary", patient), ("status", "active"))
    held = [one for one in _some(repository, "Coverage", asked) if _holds(one, encounter)]
    held.sort(key=lambda one: (_is_self_pay(one), one.get("order", _LAST), one["id"]))
    return [f"Coverage/{one['id']}" for one in held]


def _holds(coverage: Json, encounter: Json) -> bool:
    """Dates as they are written: of a Coverage days are known, and years of some."""
    day = encounter.get("period", {}).get("start", "")[:10]
    start, end = (coverage.get("period", {}).get(name, "")[:10] for name in ("start", "end"))
    return not day or (start[: len(day)] <= day and (not end or day[: len(end)] <= end))


def _is_self_pay(coverage: Json) -> bool:
    codings = coverage.get("type", {}).get("coding", ())
    return any((one.get("system"), one.get("code")) == _SELF_PAY for one in codings)


def _diagnosed(repository: Repository, encounter: Json) -> list[Json]:
    """What the visit names first, then what was recorded in it; neither refuted nor entered in error, nor another's."""
    named = facts.stated_diagnoses(encounter)
    wanted = [(name.type, name.id) for text in named if (name := local(text))]
    known = {version.reference: decode_stored(version.doc) for version in repository.identified((), wanted)}
    recorded = _some(repository, "Condition", (("encounter", f"Encounter/{encounter['id']}"),))
    known |= {f"Condition/{one['id']}": one for one in recorded}
    order = dict.fromkeys([*(one for one in named if one in known), *known])
    theirs = [known[one] for one in order if known[one]["subject"].get("reference") == patient_of(encounter)]
    return [one for one in theirs if not _WRONG & _verification(one)]


def _verification(condition: Json) -> set[str]:
    return {one.get("code", "") for one in condition.get("verificationStatus", {}).get("coding", ())}


def _account(repository: Repository, encounter: Json, patient: str) -> str:
    """That of the visit, else the patient's active one if it is alone; ''."""
    stated = [one.get("reference", "") for one in encounter.get("account", ())]
    if stated:
        return str(stated[0])
    found = _some(repository, "Account", (("subject", patient), ("status", "active")))
    return f"Account/{found[0]['id']}" if len(found) == 1 else ""


def _some(repository: Repository, type: str, params: tuple[tuple[str, str], ...]) -> list[Json]:
    request = SearchRequest(type, (*params, ("_count", str(_MOST))))
    return [decode_stored(version.doc) for version in islice(every(repository, request), _MOST)]


def _looking(repository: Repository) -> facts.Look:
    def look(reference: str) -> Json | None:
        name = local(reference)
        try:
            return decode_stored(repository.read(*name).doc) if name else None
        except (NotFound, Gone):
            return None

    return look
