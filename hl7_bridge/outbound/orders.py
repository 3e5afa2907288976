"""ServiceRequest to laboratory orders: OML^O21, or ORM^O01 for receivers that want it.

HL7 v2.5.1 sections 4.4.6 and 4.4.1; inverse of the official ORC, OBR and SPM maps.
"""

from hl7_bridge.er7.serializer import Field
from hl7_bridge.outbound.datatypes import Json, cq, cwe, dtm, repeated
from hl7_bridge.outbound.segments import (
    Context,
    Segment,
    identified,
    notes,
    organization,
    person,
    pid,
    priority,
    pv1,
    tq1,
    urgency_of,
)

_STATUSES = {
    "active": "IP",
    "on-hold": "HD",
    "completed": "CM",
    "revoked": "CA",
    "cancelled": "CA",
    "stopped": "DC",
    "entered-in-error": "ER",
}
"""request-status and medicationrequest-status to table 0038."""


def order(context: Context, request: Json, control: str, message: str) -> list[Segment]:
    """The segments after MSH of ``message`` (OML^O21 or ORM^O01) for ``request`` under an order control code."""
    patient = context.patient(request.get("subject"))
    encounter = context.follow(request.get("encounter"))
    lab = message == "OML^O21"
    timing = tq1(request.get("occurrenceTiming"), _occurrence(request), urgency_of(request))
    return [
        pid(context, patient),
        *pv1(context, encounter),
        orc(context, request, control),
        *(timing if lab else []),
        _obr(context, request, lab),
        *notes(request.get("note", ())),
        *_diagnoses(context, request),
        *(_specimens(context, request) if lab else []),
    ]


def placer(context: Context, request: Json) -> Json:
    """The Identifier that is our order number: of type PLAC, else any that is not the filler's, else our id.

    One without system does not come back as what it was: results would make a second order.
    """
    given = [each for each in identified(request) if _kind(each) != "FILL" and each.get("system")]
    ranked = sorted(given, key=lambda each: _kind(each) != "PLAC")
    return ranked[0] if ranked else context.identity(request)


def filler(request: Json) -> Json | None:
    """The Identifier that is the filler's order number."""
    return next((each for each in identified(request) if _kind(each) == "FILL"), None)


def _kind(identifier: Json) -> str:
    return next((coding.get("code", "") for coding in identifier.get("type", {}).get("coding", ())), "")


def orc(context: Context, request: Json, control: str) -> Segment:
    """ORC of any order."""
    number, theirs = placer(context, request), filler(request)
    group = request.get("requisition") or request.get("groupIdentifier")
    return (
        "ORC",
        {
            1: control,
            2: context.authorities.ei(number),
            3: context.authorities.ei(theirs) if theirs else "",
            4: context.authorities.ei(group) if group and group.get("value") else "",
            5: _STATUSES.get(request.get("status", ""), ""),
            9: dtm(request.get("authoredOn", "")),
            12: person(context, request.get("requester")),
            21: _asking(context, request),
        },
    )


def _asking(context: Context, request: Json) -> Field:
    requester = request.get("requester", {})
    is_organization = requester.get("reference", "").startswith("Organization/")
    asked: Field = organization(context, requester) if is_organization else ""
    return asked


def _occurrence(request: Json) -> Json | None:
    moment = request.get("occurrenceDateTime")
    return request.get("occurrencePeriod") or ({"start": moment} if moment else None)


def _obr(context: Context, request: Json, lab: bool) -> Segment:
    number, theirs = placer(context, request), filler(request)
    reasons = request.get("reasonCode", ())
    quantity = request.get("quantityQuantity")
    return (
        "OBR",
        {
            1: "1",
            2: context.authorities.ei(number),
            3: context.authorities.ei(theirs) if theirs else "",
            4: cwe(request.get("code")),
            6: "" if lab else dtm((_occurrence(request) or {}).get("start", "")),
            13: request.get("patientInstruction", ""),
            16: person(context, request.get("requester")),
            27: "" if lab else (_amount(quantity), "", "", "", "", priority(request)) if priority(request) else "",
            31: repeated(reasons, cwe),
        },
    )


def _amount(quantity: Json | None) -> str:
    return str(quantity["value"]) if quantity and "value" in quantity else ""


def _diagnoses(context: Context, request: Json) -> list[Segment]:
    """DG1 of each condition the request gives as its reason."""
    found = [context.follow(each) for each in request.get("reasonReference", ())]
    codes = [each["code"] for each in found if each and each["resourceType"] == "Condition" and "code" in each]
    return [("DG1", {1: str(n), 3: cwe(code), 6: "W"}) for n, code in enumerate(codes, 1)]


def _specimens(context: Context, request: Json) -> list[Segment]:
    found = [context.follow(each) for each in request.get("specimen", ())]
    return [_spm(context, n, each) for n, each in enumerate(filter(None, found), 1)]


def _spm(context: Context, number: int, specimen: Json) -> Segment:
    collection = specimen.get("collection", {})
    period = collection.get("collectedPeriod") or {"start": collection.get("collectedDateTime", "")}
    first = next(iter(identified(specimen)), context.identity(specimen))
    accession = specimen.get("accessionIdentifier")
    theirs = context.authorities.ei(accession) if accession and accession.get("value") else ""
    return (
        "SPM",
        {
            1: str(number),
            2: (context.authorities.ei(first), theirs),
            4: cwe(specimen.get("type")),
            7: cwe(collection.get("method")) if "method" in collection else "",
            8: cwe(collection.get("bodySite")) if "bodySite" in collection else "",
            12: cq(collection["quantity"]) if "quantity" in collection else "",
            17: (dtm(period.get("start", "")), dtm(period.get("end", ""))),
            18: dtm(specimen.get("receivedTime", "")),
        },
    )
