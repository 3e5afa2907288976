"""A visit and its papers in words, as the biller's pages show them.

FHIR R4 Encounter, ChargeItem, Claim, Coverage. What is not in the record is said to be missing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from fhir_server.billing.facts import minutes_of, modality_of, practitioners_of
from fhir_server.billing.lacks import lacks
from fhir_server.billing.papers import names
from fhir_server.billing.tariff import MODALITIES
from fhir_server.pages.chart.words import concept, name, when
from fhir_server.visits.people import patient_of
from resources.errors import BusinessRule
from resources.json_codec import decode_stored
from resources.literal_reference import local
from resources.repository import Repository

Json = dict[str, Any]

_CHUNK = 100
_SELF_PAY = "pay"
NO_NAME = "Name unknown"


@dataclass(frozen=True)
class Papers:
    """Of one Encounter, as far as there are any."""

    charge: Json | None
    claim: Json | None

    @property
    def state(self) -> str:
        """open: not charged; waits: charged without a claim; draft; done."""
        if self.charge is None:
            return "open"
        if self.charge.get("status") == "billable" and self.claim is None:
            return "waits"
        return "draft" if self.claim is not None and self.claim.get("status") == "draft" else "done"

    @property
    def became(self) -> tuple[str, str]:
        """Of what is done: words, and how they are shown."""
        if self.claim is not None and self.claim.get("status") == "active":
            return "Checked", "good"
        return "Not billed", ""


@dataclass(frozen=True)
class Row:
    """A visit on a list; ``lacks`` what is missing."""

    id: str
    patient: str
    born: str
    when: str
    facts: tuple[str, ...]
    lacks: tuple[str, ...]
    what: str
    became: tuple[str, str]


def papers_of(repository: Repository, encounters: Sequence[str]) -> dict[str, Papers]:
    """By the ids of Encounters. Raises as Repository.identified."""
    wanted = {id: names(id) for id in encounters}
    found = read(repository, (f"{type}/{one}" for ids in wanted.values() for type, one in ids.items()))
    return {
        id: Papers(found.get(f"ChargeItem/{ids['ChargeItem']}"), found.get(f"Claim/{ids['Claim']}"))
        for id, ids in wanted.items()
    }


def read(repository: Repository, references: Iterable[str]) -> dict[str, Json]:
    """Those of ``references`` that exist and may be seen."""
    wanted = [(one.type, one.id) for text in dict.fromkeys(references) if (one := local(text))]
    parts = (wanted[at : at + _CHUNK] for at in range(0, len(wanted), _CHUNK))
    return {v.reference: decode_stored(v.doc) for part in parts for v in repository.identified((), part)}


def row(encounter: Json, papers: Papers, people: Mapping[str, Json], zone: tzinfo) -> Row:
    """``people`` by reference: patients and practitioners."""
    patient = people.get(patient_of(encounter))
    item = (papers.claim or {}).get("item", [{}])[0]
    code = item.get("productOrService") or (papers.charge or {}).get("code")
    missing = lacks(papers.claim, papers.charge, encounter) if papers.charge and papers.state != "done" else ()
    return Row(
        id=encounter["id"],
        patient=name(patient) or NO_NAME,
        born=(patient or {}).get("birthDate", ""),
        when=when(encounter.get("period", {}).get("start", ""), zone) or "Time unknown",
        facts=tuple(filter(None, (minutes(encounter), MODALITIES[modality_of(encounter)], who(encounter, people)))),
        lacks=tuple(missing),
        what=concept(code),
        became=papers.became,
    )


def minutes(encounter: Json) -> str:
    """How long it was, as exactly as the record says it."""
    try:
        found = minutes_of(encounter)
    except BusinessRule:
        return ""
    return f"{found.normalize():f} minutes" if found >= 1 else f"{round(found * 60)} seconds"


def who(encounter: Json, people: Mapping[str, Json]) -> str:
    """Their names, each once: somebody may be there by a role and by themselves."""
    return ", ".join(dict.fromkeys(person(one, people) for one in practitioners_of(encounter)))


def person(reference: str, people: Mapping[str, Json]) -> str:
    """A role by the name of its practitioner."""
    one = people.get(reference, {})
    of = one.get("practitioner", {}).get("reference", "") if one.get("resourceType") == "PractitionerRole" else ""
    return name(people.get(of) or one) or reference


def coverage(one: Json | None, payors: Mapping[str, Json]) -> str:
    """Who pays, and under which number."""
    if one is None:
        return "A Coverage that you may not see"
    kinds = {coding.get("code") for coding in one.get("type", {}).get("coding", ())}
    named = [row.get("display") or name(payors.get(row.get("reference", ""))) for row in one.get("payor", ())]
    pays = "Pays themselves" if _SELF_PAY in kinds else concept(one.get("type"))
    number = one.get("subscriberId", "")
    return (
        ", ".join(filter(None, (pays, *named, f"number {number}" if number else "")))
        or "Coverage without a payor's name"
    )


def money(found: Json | None) -> str:
    return f"{found['value']:.2f} {found.get('currency', '')}".strip() if found and "value" in found else ""
