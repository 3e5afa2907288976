"""What a biller does with a draft: edit it, check it, or say that the visit is not to be billed.

FHIR R4 Claim.status (draft to active or cancelled), ChargeItem.status; Provenance. Each needs the versions looked at.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from fhir_server.billing.papers import diagnoses, labelled, names, priced
from fhir_server.billing.tariff import Tariff
from resources.errors import BusinessRule, Invalid, PreconditionFailed
from resources.instant import instant
from resources.json_codec import decode_stored
from resources.repository import Command, Create, Patch, Repository

Json = dict[str, Any]

LONGEST = 500
_HL7 = "http://terminology.hl7.org/CodeSystem"
_SETTLED = {"active": "checked", "cancelled": "cancelled"}


class Seen(msgspec.Struct, frozen=True):
    """The papers of the Encounter with the id ``encounter`` as they were shown: their versions (0: there is none)."""

    encounter: str
    charge: int
    claim: int


class Edit(msgspec.Struct, frozen=True):
    """What the biller chose; ``modifier`` and ``place`` may be ''. ``conditions`` are references, the main first."""

    code: str
    modifier: str
    place: str
    conditions: tuple[str, ...]


class Hand(msgspec.Struct, frozen=True):
    """Who does it (a reference, '' where nobody is logged in), and when (ms since 1970 UTC)."""

    by: str
    at: int


def save(repository: Repository, tariff: Tariff, seen: Seen, edit: Edit, hand: Hand, *, check: bool = False) -> None:
    """The draft as ``edit`` has it, and with ``check`` no draft any more. Raises PreconditionFailed when it changed
    since it was shown, Invalid, BusinessRule, and what commit raises."""
    ids = names(seen.encounter)
    charge = decode_stored(repository.read("ChargeItem", ids["ChargeItem"]).doc)
    concept = _concept(tariff, edit.code, charge)
    _refuse_unknown(tariff, edit)
    conditions = _conditions(repository, edit, charge["subject"].get("reference", ""))

    def edited(claim: Json) -> Json:
        _refuse_settled(claim)
        _refuse_unbillable(charge)
        made = labelled(applied(claim, charge, tariff, edit), conditions)
        return {**made, "status": "active"} if check else made

    what = ("Checked.", "verifier") if check else ("Edited.", "author")
    commands = [_patch("Claim", ids, seen.claim, edited)]
    if charge["code"] != concept:
        commands.append(_patch("ChargeItem", ids, seen.charge, lambda current: {**current, "code": concept}))
    _commit(repository, commands, hand, *what)


def not_billable(repository: Repository, seen: Seen, reason: str, hand: Hand) -> None:
    """Nobody is asked to pay for the visit, for a ``reason`` in words. Raises as ``save``."""
    reason = reason.strip()[:LONGEST]
    if not reason:
        raise Invalid("Say why the visit is not billed.", expression="reason")
    ids = names(seen.encounter)
    if not seen.claim and repository.identified((), [("Claim", ids["Claim"])]):
        raise PreconditionFailed("There is a claim by now, which was not there when the visit was looked at.")
    note: Json = {"time": instant(hand.at), "text": f"Not billed: {reason}"}
    note |= {"authorReference": {"reference": hand.by}} if hand.by else {}

    def refused(charge: Json) -> Json:
        _refuse_unbillable(charge)
        return {**charge, "status": "not-billable", "note": [*charge.get("note", ()), note]}

    def cancelled(claim: Json) -> Json:
        _refuse_settled(claim)
        return {**claim, "status": "cancelled"}

    commands = [_patch("ChargeItem", ids, seen.charge, refused)]
    if seen.claim:
        commands.append(_patch("Claim", ids, seen.claim, cancelled))
    _commit(repository, commands, hand, "Not billed.", "author")


def _commit(repository: Repository, commands: Sequence[Command], hand: Hand, words: str, role: str) -> None:
    targets = [f"{command.type}/{command.id}" for command in commands if isinstance(command, Patch)]
    who = {"reference": hand.by} if hand.by else {"display": "Nobody is logged in"}
    said: Json = {
        "resourceType": "Provenance",
        "target": [{"reference": target} for target in targets],
        "recorded": instant(hand.at),
        "activity": {"coding": [{"system": f"{_HL7}/v3-DataOperation", "code": "UPDATE"}], "text": words},
        "agent": [{"type": {"coding": [{"system": f"{_HL7}/provenance-participant-type", "code": role}]}, "who": who}],
    }
    repository.commit([*commands, Create(said)])


def _patch(type: str, ids: dict[str, str], version: int, apply: Callable[[Json], Json]) -> Patch:
    return Patch(type, apply, id=ids[type], if_match=version)


def _refuse_unbillable(charge: Json) -> None:
    if charge.get("status") != "billable":
        raise BusinessRule(f"The charge is {charge.get('status')} already.")


def _refuse_settled(claim: Json) -> None:
    if claim.get("status") != "draft":
        status = claim.get("status", "of no known status")
        raise BusinessRule(f"This claim is {_SETTLED.get(status, status)} already.")


def applied(claim: Json, charge: Json, tariff: Tariff, edit: Edit) -> Json:
    """``claim`` as ``edit`` has it, of what was checked to be of the tariff. Raises Invalid for a code that is not."""
    if not claim.get("item"):
        raise BusinessRule("This claim has no item any more: somebody has changed it elsewhere.")
    first, *others = claim["item"]
    changed = {
        "productOrService": _concept(tariff, edit.code, charge),
        "modifier": [tariff.modifier(edit.modifier)] if edit.modifier else None,
        "locationCodeableConcept": tariff.place(edit.place) if edit.place else None,
        "diagnosisSequence": list(range(1, len(edit.conditions) + 1)),
    }
    rest = {name: value for name, value in first.items() if name not in changed}
    item = priced(rest | {name: value for name, value in changed.items() if value}, tariff, tariff.coded(edit.code))
    items = [item, *others]
    told = {"item": items, "diagnosis": diagnoses(edit.conditions), "total": _total(items)}
    return {name: value for name, value in (claim | told).items() if value}


def _total(items: Sequence[Json]) -> Json | None:
    """Of all, when each has a price in one currency."""
    nets = [item.get("net") for item in items]
    known = [net for net in nets if net and "value" in net]
    if len(known) < len(nets) or len({net.get("currency") for net in known}) != 1 or "currency" not in known[0]:
        return None
    return {"value": sum((Decimal(str(net["value"])) for net in known), Decimal(0)), "currency": known[0]["currency"]}


def _concept(tariff: Tariff, code: str, charge: Json) -> Json:
    """Of the tariff, or the one that the charge has: a tariff changes, and papers of before stay what they are."""
    row = tariff.coded(code)
    if row is not None:
        return tariff.concept(row)
    kept: Json = charge["code"]
    if code in {coding.get("code") for coding in kept.get("coding", ())}:
        return kept
    raise Invalid(f"The tariff has no code {code[:40]!r}.", expression="code")


def _refuse_unknown(tariff: Tariff, edit: Edit) -> None:
    if edit.place and edit.place not in tariff.places:
        raise Invalid(f"{edit.place[:40]!r} is no place of service of the tariff.", expression="place")
    if edit.modifier and edit.modifier not in tariff.modifiers.values():
        raise Invalid(f"{edit.modifier[:40]!r} is no modifier of the tariff.", expression="modifier")


def _conditions(repository: Repository, edit: Edit, patient: str) -> list[Json]:
    """Those that were chosen. Raises Invalid for what is no Condition of ``patient``, or stands there twice."""
    wanted = [("Condition", one.removeprefix("Condition/")) for one in edit.conditions]
    found = [decode_stored(version.doc) for version in repository.identified((), wanted)] if wanted else []
    theirs = {f"Condition/{one['id']}" for one in found if one["subject"].get("reference") == patient}
    if set(edit.conditions) - theirs or len(set(edit.conditions)) < len(edit.conditions):
        raise Invalid("A diagnosis is a Condition of the patient, each once.", expression="diagnosis")
    return found
