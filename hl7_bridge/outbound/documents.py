"""DocumentReference to documents: MDM^T02 (original), T08 (edited) and T11 (cancelled), content included.

HL7 v2.5.1 chapter 9 (MDM, TXA); inverse of the official MDM_T02 map.
"""

from hl7_bridge.er7.serializer import Field
from hl7_bridge.mapping.datatypes.attachments import media_type
from hl7_bridge.outbound.datatypes import Json, cwe, dtm
from hl7_bridge.outbound.orders import placer
from hl7_bridge.outbound.segments import Context, Segment, identified, person, pid, pv1

_COMPLETION = {"preliminary": "PA", "final": "AU", "amended": "AU", "entered-in-error": "AU"}
"""composition-status to table 0271."""
_KINDS = {"text": "TEXT", "image": "IM", "audio": "AU", "application": "AP", "video": "AP", "multipart": "multipart"}
"""The main type of a MIME type to table 0191."""


def document(context: Context, reference: Json, event: str, at: str) -> list[Segment]:
    """The segments after MSH of MDM^``event`` for ``reference``; ``at`` is a DTM."""
    patient = context.patient(reference.get("subject"))
    encounters = reference.get("context", {}).get("encounter", ())
    encounter = next(filter(None, map(context.follow, encounters)), None)
    return [
        ("EVN", {2: at}),
        pid(context, patient),
        *(pv1(context, encounter) or [("PV1", {1: "1", 2: "N"})]),
        _txa(context, reference),
        *([] if event == "T11" else _contents(context, reference)),
    ]


def _txa(context: Context, reference: Json) -> Segment:
    period = reference.get("context", {}).get("period", {})
    master = reference.get("masterIdentifier")
    number = (
        master if master and master.get("value") else next(iter(identified(reference)), context.identity(reference))
    )
    authors = [person(context, each) for each in reference.get("author", ())]
    authenticator = person(context, reference.get("authenticator"))
    replaced = _replaced(context, reference)
    return (
        "TXA",
        {
            1: "1",
            2: cwe(reference.get("type")),
            3: _kind(reference),
            4: dtm(period.get("start", "")),
            6: dtm(reference.get("date", "")),
            9: [each for each in authors if each],
            10: [authenticator] if authenticator else "",
            12: context.authorities.ei(number),
            13: context.authorities.ei(replaced) if replaced else "",
            14: [context.authorities.ei(placer(context, each)) for each in _orders(context, reference)],
            17: _COMPLETION.get(reference.get("docStatus", ""), "AU"),
            18: _confidentiality(reference),
            19: _AVAILABILITY.get(reference.get("status", ""), ""),
            25: reference.get("description", ""),
        },
    )


_AVAILABILITY = {"current": "AV", "superseded": "OB", "entered-in-error": "CA"}
"""document-reference-status to table 0273."""
_CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v2-0272"


def _confidentiality(reference: Json) -> str:
    codings = (coding for each in reference.get("securityLabel", ()) for coding in each.get("coding", ()))
    return next((each["code"] for each in codings if each.get("system") == _CONFIDENTIALITY), "")


def _orders(context: Context, reference: Json) -> list[Json]:
    """The orders that the document answers."""
    found = [context.follow(each) for each in reference.get("context", {}).get("related", ())]
    return [each for each in found if each and each["resourceType"] == "ServiceRequest"]


def _replaced(context: Context, reference: Json) -> Json | None:
    targets = (each["target"] for each in reference.get("relatesTo", ()) if each.get("code") in ("replaces", "appends"))
    found = next(filter(None, map(context.follow, targets)), None)
    if found is None:
        return None
    return found.get("masterIdentifier") or next(iter(identified(found)), context.identity(found))


def _kind(reference: Json) -> str:
    mime = next((each["attachment"].get("contentType", "") for each in reference.get("content", ())), "")
    return _KINDS.get(mime.partition("/")[0], "AP")


def _contents(context: Context, reference: Json) -> list[Segment]:
    attachments = [each.get("attachment", {}) for each in reference.get("content", ())]
    found = [(each, made) for each in attachments if (made := _content(context, each))]
    return [_obx(n, reference, attachment, *made) for n, (attachment, made) in enumerate(found, 1)]


def _obx(number: int, reference: Json, attachment: Json, kind: str, value: Field) -> Segment:
    title = attachment.get("title", "")
    # What kind of document it is, in the words of the attachment's own title.
    named = {**reference.get("type", {}), "text": title} if title else reference.get("type")
    return (
        "OBX",
        {1: str(number), 2: kind, 3: cwe(named), 5: value, 11: "F", 14: dtm(attachment.get("creation", ""))},
    )


def _content(context: Context, attachment: Json) -> tuple[str, Field] | None:
    """OBX-2 and OBX-5: an ED with the base64 as it is stored, or an RP where only an address is known."""
    data, mime = attachment.get("data", ""), attachment.get("contentType", "")
    url = attachment.get("url", "")
    if not data and url.startswith("Binary/"):
        binary = context.lookup(url) or {}
        data, mime = binary.get("data", ""), binary.get("contentType", mime)
    kind, sub = _kind_of(mime)
    if data:
        return "ED", ("", kind, sub, "Base64", data)
    return ("RP", (url, "", kind, sub)) if url else None


def _kind_of(mime: str) -> tuple[str, str]:
    """Main and sub type (tables 0191 and 0291); a type these cannot say stands whole, as MIME has it."""
    main, _, sub = mime.partition("/")
    kind = _KINDS.get(main, "AP") if mime else ""
    return (kind, sub) if media_type(kind, sub) == mime else (kind, mime)
