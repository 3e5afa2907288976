"""What each of the sample files of microsoft/fhir-server must come to, and why. Referential integrity is off.

Their server reads some files that are no valid R4; here those are refused, with the element named.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.api_client import FHIR_JSON, FHIR_XML, Api, Reply
from bench.samples import content, folder

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A Bundle and its answer: ``status`` of the request, ``entries`` their statuses, ``says`` what the body names.

    ``before`` is PUT first. ``change`` alters the Bundle; ``to`` is where it is sent (the base when empty).
    ``after`` are addresses asked then, with the status and a text that the answer must contain.
    """

    file: str
    reason: str
    status: int
    entries: tuple[int, ...] = ()
    says: tuple[str, ...] = ()
    before: tuple[Resource, ...] = ()
    change: Callable[[Resource], None] | None = None
    to: str = ""
    after: tuple[tuple[str, int, str], ...] = ()


def _patient(id: str, **rest: Any) -> Resource:
    return {"resourceType": "Patient", "id": id} | rest


def _without(*places: int) -> Callable[[Resource], None]:
    def change(bundle: Resource) -> None:
        bundle["entry"] = [entry for n, entry in enumerate(bundle["entry"]) if n not in places]

    return change


def _same_id(bundle: Resource) -> None:
    bundle["entry"][2]["resource"]["id"] = "observation-rollback-1"


def _no_narrative(bundle: Resource) -> None:
    for entry in bundle["entry"]:
        del entry["resource"]["text"]


_NAMED = "Patient?identifier=12345"
_PATCHED = "Patient/9F746C86-48B4-424D-9F92-1E46215E35D5"
_UNIDENTIFIED = "Patient?family=Chalmers&identifier:missing=true"
_NO_SYSTEM = "identifier[0].system: '' is no uri"
_NO_SOP = "series[0].instance[0].sopClass"
_COUNT = "_summary=count"

BUNDLES: tuple[Row, ...] = (
    Row("Bundle-BatchWithConditionalUpdateByIdentifier.json", "an empty Identifier.system is no R4", 200, (400,) * 4,
        says=tuple(f"Bundle.entry[{n}].resource.{_NO_SYSTEM.partition(':')[0]}" for n in range(4))),
    Row("Bundle-BatchWithInvalidEleEnums.json", "entries 0 and 2 hold unknown elements, 4 a malformed If-Match, "
        "7 an operation that is not done here, 9 reads what is not there; the others are done",
        200, (400, 201, 400, 201, 412, 204, 204, 404, 200, 404), says=("did you mean 'gender'", "W/\\\"3a\\\"")),
    Row("Bundle-BinaryPatch.json", "a JSON Patch in a Binary", 200, (201, 200),
        after=((_PATCHED, 200, '"gender":"female"'), (f"{_PATCHED}/_history/1", 200, '"gender":"male"'))),
    Row("Bundle-FhirPatch.json", "FHIRPath Patches one after the other", 200, (200, 200, 200),
        after=((_PATCHED, 200, '"gender":"female"'), (_PATCHED, 200, '"code":"2054-5"'))),
    Row("Bundle-ChainingSortAndSearchValidation.json", "a transaction of updates", 200, (201,) * 29),
    Row("Bundle-InvalidBundleType.json", "the base takes batch and transaction", 400, says=("'invalid-type'",)),
    Row("Bundle-TypeMissing.json", "Bundle.type is required", 400, says=("Bundle.type is missing",)),
    Row("Bundle-MissingIdentifier.json", "PUT Location/ names neither id nor criteria", 200, (412,),
        says=("Bundle.entry[0]",), after=((f"Location?{_COUNT}", 200, '"total":0'),)),
    Row("Bundle-Transaction.json", "$lookup is not done here, so nothing is", 400, says=("Bundle.entry[7]",),
        after=(("Patient/123", 404, ""), (f"{_UNIDENTIFIED}&{_COUNT}", 200, '"total":0'))),
    Row("Bundle-Transaction.json", "without $lookup, and with the versions it expects, all is done", 200,
        (201, 200, 201, 200, 200, 204, 204, 200, 200), change=_without(7),
        before=(_patient("12334"), _patient("123a"), _patient("123a", active=True)),
        after=(("Patient/123", 200, "Chalmers"), ("Patient/123a", 200, '"versionId":"3"'))),
    Row("Bundle-TransactionForRollBack.json", "the read of an absent Patient rolls the create back", 404,
        says=("Bundle.entry[1]", "Patient/12345"),
        after=((f"Patient?family=TransactionRollback&{_COUNT}", 200, '"total":0'),)),
    Row("Bundle-TransactionForRollBackWithDelete.json", "the id of entry 2 is not that of its URL: nothing is deleted",
        400, says=("Bundle.entry[2]",), before=(_patient("patient-rollback-0"),),
        after=(("Patient/patient-rollback-0", 200, ""), ("Patient/patient-rollback-1", 404, ""))),
    Row("Bundle-TransactionForRollBackWithDelete.json", "with the right id its If-Match fails: nothing is deleted",
        412, says=("Bundle.entry[1]", "2112"), change=_same_id,
        after=(("Patient/patient-rollback-0", 200, ""), ("Patient/patient-rollback-1", 404, ""))),
    Row("Bundle-TransactionWithConditionalCreateAndReference.json", "an empty Identifier.system is no R4, nor is a "
        "series without modality or an instance without sopClass", 400,
        says=(_NO_SYSTEM, _NO_SOP, "series[0].modality"), after=((f"ImagingStudy?{_COUNT}", 200, '"total":0'),)),
    Row("Bundle-TransactionWithConditionalUpdateAndReference.json", "as its twin with a conditional create", 400,
        says=(_NO_SYSTEM, _NO_SOP, "series[0].modality"), after=((f"ImagingStudy?{_COUNT}", 200, '"total":0'),)),
    Row("Bundle-TransactionWithConditionalReferenceInResourceBody.json", "no Patient meets the criteria", 422,
        says=("Bundle.entry[0].resource.subject", "Bundle.entry[1].resource.subject", _NAMED),
        after=((f"Observation?subject:missing=false&code=http://loinc.org|8331-1&{_COUNT}", 200, '"total":0'),)),
    Row("Bundle-TransactionWithConditionalReferenceInResourceBody.json", "one Patient meets them", 200, (201, 201),
        before=(_patient("conditional-target", identifier=[{"value": "12345"}]),),
        after=((f"Observation?subject=Patient/conditional-target&{_COUNT}", 200, '"total":2'),)),
    Row("Bundle-TransactionWithForeignReferenceInResourceBody.json", "references to other servers stay", 200, (201,)),
    Row("Bundle-TransactionWithInvalidBundleEntry.json", "no JSON", 400, says=("line 39, column 26",)),
    Row("Bundle-TransactionWithMetaHistory.json", "a URL parameter of their own is of no effect", 200, (201,),
        after=(("MedicationRequest/metaHistoryTest", 200, ""),)),
    Row("Bundle-TransactionWithMultipleResourcesWithSameFullUrl.json", "one resource twice, and $lookup", 400,
        says=("Bundle.entry[1]", "Bundle.entry[3]")),
    Row("Bundle-TransactionWithMultipleResourcesWithSameFullUrl.json", "one resource twice", 400, change=_without(3),
        says=("Bundle.entry[1]", "Patient/123")),
    Row("Bundle-TransactionWithValidBundleEntry.json", "creates and updates; earlier Bundles stored the same",
        200, (201, 200, 200, 200), after=((f"Patient?identifier=234234&{_COUNT}", 200, '"total":1'),)),
    Row("Expand-ValueSets.json", "a batch of creates", 200, (201, 201)),
    Row("Includes-TestResources.json", "DiagnosticReport.result is a list; their server reads an object as one", 200,
        (*(201,) * 30, *(400,) * 10, *(201,) * 24), says=("resource.result",)),
    Row("SearchParameter-USCoreIG.json", "parameters of Person whose expressions are Patient's find nothing", 200,
        (422, 422, 422), says=("begins at Person",)),
    Row("SmartCommon.json", "Account.subject refers to a Practioner, which is no resource type", 400,
        says=("Bundle.entry[5].resource.subject[0].reference",),
        after=(("Practitioner/smart-practitioner-A", 404, ""),)),
    Row("SmartCompartmentLeak.json", "a batch of updates", 200, (201,) * 15),
    Row("SmartPatientA.json", "a participant without status, a series without modality", 400,
        says=("Bundle.entry[10].resource.participant[0].status", "Bundle.entry[11].resource.series[0].modality"),
        after=(("Organization/smart-organization-A1", 404, ""),)),
    Row("SmartPatientB.json", "a transaction of updates", 200, (201,) * 18),
    Row("SmartPatientC.json", "a transaction of updates", 200, (201,) * 16),
    Row("SmartPatientD.json", "four Devices are updated twice, which a transaction must not", 400,
        says=tuple(f"Bundle.entry[{n}]" for n in (9, 10, 11, 12)), after=(("Device/smart-device-1", 404, ""),)),
    Row("ValidCompartmentDefinition.json", "their shortened narratives are in no namespace (txt-1)", 400, to="Bundle",
        says=("Bundle.entry[0].resource.text.div",)),
    Row("ValidCompartmentDefinition.json", "without narratives a collection is kept as a Bundle", 201, to="Bundle",
        change=_no_narrative),
    Row("ValidCompartmentDefinition.json", "a collection cannot be processed", 400, says=("'collection'",)),
    Row("InvalidCompartmentDefinition.json", "two entries share a fullUrl (bdl-7)", 400, to="Bundle",
        change=_no_narrative, says=("Bundle.entry[1].fullUrl",)),
)  # fmt: skip

REFUSED: dict[str, str] = {
    "InvalidObservation.json": "Observation.text",
    "Medication.json": "Medication.contained[0]",
    "Observation-For-Patient-f001.json": "Observation.interpretation",
    "ObservationWithBloodPressure.json": "Observation.interpretation",
    "ObservationWithInvalidStatus.json": "Observation.status",
    "ObservationWithInvalidStatus.xml": "Observation.status",
    "ObservationWithNoCode.json": "Observation.code",
    "ObservationWithNoCode.xml": "Observation.code",
    "Patient.json": "Patient.meta.lastUpdated",
    "ProvenanceHeader.json": "Provenance.target",
    "ResourceWrapperNoVersion.json": "resourceType",
    "SearchParameterInvalidType.json": "SearchParameter.type",
    "SearchParameterMissingType.json": "SearchParameter.type",
    "Sequence.json": "MolecularSequence.referenceSeq",
    "Specimen.json": "Specimen.request[0].reference",
    "WeightInGrams.json": "Observation.text.div",
}
"""Single resources that are no valid R4, and the element that says so. All others are accepted."""

NOT_SENT = {
    "DocumentReference-example-relatesTo-code-appends.indexes.json": "a list of index entries, no resource",
    "Import-DupPatientTemplate.ndjson": "a template: its ids are ##PatientID##",
    "Import-InvalidPatient.ndjson": "a template: its ids are ##PatientID##",
    "Import-Observation.ndjson": "a template: its ids are ##ObservationID##",
    "Import-Patient.ndjson": "a template: its ids are ##PatientID##",
    "Import-SinglePatientTemplate.ndjson": "a template: its ids are ##PatientID##",
}


def microsoft(api: Api) -> list[str]:
    """Send every file; what came of it other than the tables say."""
    root = folder("microsoft")
    bundles = {row.file for row in BUNDLES}
    problems = [f"{row.file} ({row.reason}): {why}" for row in BUNDLES for why in _wrong(api, root, row)]
    for path in sorted(root.iterdir()):
        if path.name not in bundles and path.name not in NOT_SENT:
            problems += [f"{path.name}: {why}" for why in _wrong_resource(api, path)]
    return problems


def _wrong(api: Api, root: Path, row: Row) -> Iterator[str]:
    for resource in row.before:
        stored = api.ask("PUT", f"{resource['resourceType']}/{resource['id']}", json.dumps(resource).encode())
        if stored.status not in (200, 201):
            yield f"the resource it needs was answered {stored.status} {stored.body[:200]!r}"
    answer = api.ask("POST", row.to, _body(root / row.file, row.change))
    if answer.status != row.status:
        yield f"answered {answer.status}, not {row.status}: {answer.body[:300]!r}"
        return
    if row.entries and (found := _statuses(answer)) != row.entries:
        yield f"entries answered {found}, not {row.entries}"
    yield from (f"the answer does not name {text}" for text in row.says if text not in answer.body.decode())
    for address, status, text in row.after:
        reply = api.ask("GET", address)
        if reply.status != status or text not in reply.body.decode():
            yield f"then {address} is answered {reply.status} {reply.body[:200]!r}, not {status} {text}"


def _body(path: Path, change: Callable[[Resource], None] | None) -> bytes:
    body = content(path)
    if change is None:
        return body
    bundle = json.loads(body.decode("utf-8-sig"))
    change(bundle)
    return json.dumps(bundle).encode()


def _statuses(answer: Reply) -> tuple[int, ...]:
    return tuple(int(entry["response"]["status"][:3]) for entry in answer.json.get("entry", ()))


def _wrong_resource(api: Api, path: Path) -> Iterator[str]:
    body, xml = content(path), path.suffix == ".xml"
    answer = api.ask("POST", _type(path, body), body, sent=FHIR_XML if xml else FHIR_JSON)
    place = REFUSED.get(path.name)
    if answer.status != (400 if place else 201):
        yield f"answered {answer.status} {answer.body[:300]!r}"
    elif place and f'"expression":["{place}"]' not in answer.body.decode():
        yield f"the answer does not name {place}: {answer.body[:300]!r}"


def _type(path: Path, body: bytes) -> str:
    if path.suffix == ".xml":
        return body.decode("utf-8-sig").partition("xmlns=")[0].rpartition("<")[2].strip()
    return str(json.loads(body.decode("utf-8-sig")).get("resourceType", "Observation"))
