"""The few questions that log-in and consent pages ask of the clinical record, each in the view of who asks.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html); every answer is audited like any other read.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from resources.errors import BadSearch, Forbidden, Gone, NotFound
from resources.json_codec import decode_stored
from resources.literal_reference import local
from resources.repository import Caller, Grant, Grants, Repository, SearchRequest, Version
from smart_auth.model import Clearance, Person
from smart_auth.ports import EncounterChoice, PatientChoice
from smart_auth.service import ADDRESS

MOST = 20
_CLIENT = "hearth pages"
_TYPES = ("Patient", "Encounter")
_SUBJECT = {"Encounter": "subject", "RelatedPerson": "patient"}
_WHOSE = {type: Grant(type, "r", confidential=True) for type in _SUBJECT}
_ESCAPED = str.maketrans({character: f"\\{character}" for character in "\\,$|"})
Json = dict[str, Any]
Params = tuple[tuple[str, str], ...]


class RecordChart:
    """Meets smart_auth.ports.Chart. ``repository_for`` binds the record to a caller; ``exist`` says which of some
    (type, id) the record has."""

    def __init__(
        self,
        repository_for: Callable[[Caller], Repository],
        exist: Callable[[Sequence[tuple[str, str]]], set[tuple[str, str]]],
    ) -> None:
        self._repository_for, self._exist = repository_for, exist

    def patients(self, person: Person, text: str) -> Sequence[PatientChoice]:
        if not person.staff:
            return [own] if person.patient and (own := self.patient(person, person.patient)) else []
        found = (version for params in _queries(text) for version in self._search(person, "Patient", params))
        return list({version.id: _patient(version) for version in found}.values())[:MOST]

    def patient(self, person: Person, id: str) -> PatientChoice | None:
        if not self._may_see(person, id):
            return None
        try:
            return _patient(self._repository_for(viewer(person)).read("Patient", id))
        except (NotFound, Gone, Forbidden):
            return None

    def encounters(self, person: Person, patient: str) -> Sequence[EncounterChoice]:
        if not self._may_see(person, patient):
            return []
        params = (("patient", patient), ("_sort", "-date"), ("_count", str(MOST)))
        return [_encounter(version) for version in self._search(person, "Encounter", params)]

    def exists(self, reference: str) -> bool:
        target = local(reference)
        return target is not None and bool(self._exist([(target.type, target.id)]))

    def patient_of(self, reference: str) -> str:
        """Asked by the server itself, for whom no person's view is needed: of visits and relatives the subject alone
        leaves here."""
        target = local(reference)
        if target is None or target.type not in _SUBJECT:
            return ""
        asker = Caller(_CLIENT, client=_CLIENT, address=ADDRESS.get(), grants=Grants((_WHOSE[target.type],)))
        try:
            doc: Json = decode_stored(self._repository_for(asker).read(target.type, target.id).doc)
        except (NotFound, Gone, Forbidden):
            return ""
        patient = local(doc.get(_SUBJECT[target.type], {}).get("reference", ""))
        return patient.id if patient and patient.type == "Patient" else ""

    def _may_see(self, person: Person, patient: str) -> bool:
        return bool(patient) and (person.staff or person.patient == patient)

    def _search(self, person: Person, type: str, params: Params) -> Iterable[Version]:
        try:
            page = self._repository_for(viewer(person)).search(SearchRequest(type, params))
        except (BadSearch, Forbidden):  # what a person types need not be a search value
            return ()
        return [hit.version for hit in page.hits if hit.mode == "match"]


def viewer(person: Person) -> Caller:
    """The caller that a person is on our own pages: patients and their visits, nothing else, and only to look."""
    inside = None if person.staff else ("Patient", person.patient)
    all = inside is not None or person.clearance is Clearance.VERY_RESTRICTED
    some = person.clearance is Clearance.RESTRICTED
    grants = [Grant(type, "rs", (), inside, confidential=all, restricted=some) for type in _TYPES]
    allowed = grants if person.staff or person.patient else []
    return Caller(person.fhir_user or person.login, client=_CLIENT, address=ADDRESS.get(), grants=Grants(allowed))


def _queries(text: str) -> list[Params]:
    """A person types a name, in whole or in part, or an identifier; nothing shows the newest."""
    most = ("_count", str(MOST))
    words = text.split()
    if not words:
        return [(most,)]
    by_name = tuple(("name", word.translate(_ESCAPED)) for word in words)
    return [(("identifier", text.strip().translate(_ESCAPED)), most), (*by_name, most)]


def _patient(version: Version) -> PatientChoice:
    doc: Json = decode_stored(version.doc)
    names, identifiers = doc.get("name") or [{}], doc.get("identifier") or [{}]
    return PatientChoice(
        id=version.id,
        name=_name(names[0]) or version.id,
        birth_date=doc.get("birthDate", ""),
        gender=doc.get("gender", ""),
        identifier=identifiers[0].get("value", ""),
    )


def _name(name: Json) -> str:
    spelt = [*(given for given in name.get("given", ()) if given), name.get("family", "")]
    return str(name.get("text") or " ".join(filter(None, spelt)))


def _encounter(version: Version) -> EncounterChoice:
    doc: Json = decode_stored(version.doc)
    concepts = [*doc.get("type", ()), *doc.get("reasonCode", ()), {"coding": [doc.get("class", {})]}]
    text = next(filter(None, map(_words, concepts)), "Visit")
    return EncounterChoice(version.id, text, doc.get("period", {}).get("start", ""))


def _words(concept: Json) -> str:
    """What a CodeableConcept says to people."""
    codings = concept.get("coding") or [{}]
    return str(concept.get("text") or codings[0].get("display") or codings[0].get("code") or "")
