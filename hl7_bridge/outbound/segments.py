"""The segments that several outgoing messages share: who the patient is, which visit, who asked, and when.

HL7 v2.5.1 chapters 2 (MSH, NTE), 3 (PID, PV1), 4 (ORC, TQ1, OBR), 7 (SPM); inverse of the official segment maps.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hl7_bridge.er7.serializer import Field
from hl7_bridge.mapping.reading import LOCAL, quoted
from hl7_bridge.outbound.datatypes import Authorities, Json, cwe, dtm, first, repeated, xad, xpn, xtn
from hl7_bridge.outbound.patterns import duration, patterns
from hl7_bridge.site.model import Receiver, Site

Segment = tuple[str, Mapping[int, Field]]
"""Name, and the fields that have something by number."""

Lookup = Callable[[str], Json | None]
"""The resource behind a reference such as ``Patient/1``; None when it is not there."""


class Unsendable(Exception):
    """There can be no message of this resource."""


@dataclass(frozen=True)
class Context:
    """What a map writes with: the site, the receiver, its names of authorities, and the record to follow references."""

    site: Site
    receiver: Receiver
    authorities: Authorities
    lookup: Lookup

    def follow(self, reference: Json | None) -> Json | None:
        """The resource that ``reference`` means."""
        return self.lookup((reference or {}).get("reference", "")) if reference else None

    def patient(self, reference: Json | None) -> Json:
        """That of an order or document. Raises Unsendable for one of no patient of this record: what is made of it
        could be filed nowhere, or in somebody else's chart."""
        named = (reference or {}).get("reference", "")
        found = self.lookup(named) if named.startswith("Patient/") else None
        if found is None:
            raise Unsendable("It is of no patient of this record.")
        return found

    @property
    def own_system(self) -> str:
        """The identifier system of what has no identifier but our id."""
        return own_system(self.site)

    def identity(self, resource: Json) -> Json:
        """An Identifier for ``resource``, made of our id."""
        return {"system": self.own_system, "value": resource["id"]}


def own_system(site: Site) -> str:
    """The system of identifiers that are our own resource ids, as a peer sends them back: ``urn:id:HEARTH``."""
    return LOCAL + quoted(site.application)


def identified(resource: Json | None) -> list[Json]:
    """The identifiers of ``resource`` that have a value."""
    return [each for each in (resource or {}).get("identifier", ()) if each.get("value")]


def header(context: Context, message: tuple[str, str, str], control_id: str, at: datetime) -> Segment:
    """MSH; ``message`` is type, event and structure, ``at`` an aware time."""
    receiver, site = context.receiver, context.site
    return (
        "MSH",
        {
            3: site.application,
            4: site.facility,
            5: receiver.application,
            6: receiver.facility,
            7: at.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000"),
            9: message,
            10: control_id,
            11: receiver.processing_id,
            12: receiver.version,
            18: "UNICODE UTF-8",
        },
    )


_GENDERS = {"male": "M", "female": "F", "other": "O", "unknown": "U"}
"""AdministrativeGender to table 0001."""


def pid(context: Context, patient: Json) -> Segment:
    """PID. A patient without identifiers goes by our id."""
    deceased = patient.get("deceasedDateTime", "")
    died = "Y" if deceased or patient.get("deceasedBoolean") else ""
    births = patient.get("multipleBirthInteger")
    twin = "Y" if births or patient.get("multipleBirthBoolean") else ""
    telecom = patient.get("telecom", [])
    language = first(patient.get("communication", ())).get("language")
    return (
        "PID",
        {
            1: "1",
            3: repeated(identified(patient) or [context.identity(patient)], context.authorities.cx),
            5: repeated(patient.get("name", ()), xpn),
            7: dtm(patient.get("birthDate", "")),
            8: _GENDERS.get(patient.get("gender", ""), ""),
            11: repeated(patient.get("address", ()), xad),
            13: repeated([each for each in telecom if each.get("use") != "work"], xtn),
            14: repeated([each for each in telecom if each.get("use") == "work"], xtn),
            15: cwe(language) if language else "",
            16: cwe(patient["maritalStatus"]) if "maritalStatus" in patient else "",
            24: twin,
            25: str(births) if births else "",
            29: dtm(deceased),
            30: died,
        },
    )


_CLASSES = {"AMB": "O", "EMER": "E", "IMP": "I", "ACUTE": "I", "NONAC": "I", "OBSENC": "B", "PRENC": "P", "VR": "O"}
"""v3-ActCode encounter classes to table 0004."""


def pv1(context: Context, encounter: Json | None) -> list[Segment]:
    """PV1 when there is a visit."""
    if encounter is None:
        return []
    period = encounter.get("period", {})
    visit = next(iter(identified(encounter)), context.identity(encounter))
    fields: dict[int, Field] = {
        1: "1",
        2: _CLASSES.get(encounter.get("class", {}).get("code", ""), "U"),
        3: _point_of_care(context, encounter),
        7: _participants(context, encounter, "ATND"),
        17: _participants(context, encounter, "ADM"),
        19: context.authorities.cx(visit),
        44: dtm(period.get("start", "")),
        45: dtm(period.get("end", "")),
    }
    return [("PV1", fields)]


def _point_of_care(context: Context, encounter: Json) -> Field:
    place = first(encounter.get("location", ())).get("location")
    location = context.follow(place)
    name = (location or {}).get("name") or (place or {}).get("display", "")
    return ("", "", "", "", "", "", "", "", name) if name else ""


def _participants(context: Context, encounter: Json, code: str) -> list[Any]:
    def has(participant: Json) -> bool:
        codings = (coding for each in participant.get("type", ()) for coding in each.get("coding", ()))
        return any(coding.get("code") == code for coding in codings)

    who = [each.get("individual") for each in encounter.get("participant", ()) if has(each)]
    return [written for written in (person(context, each) for each in who) if written]


def person(context: Context, reference: Json | None) -> Any:
    """XCN of the practitioner that ``reference`` means, by way of a role; '' when nothing is known."""
    found = context.follow(reference)
    if found and found["resourceType"] == "PractitionerRole":
        reference = found.get("practitioner")
        found = context.follow(reference)
    if found and found["resourceType"] == "Practitioner":
        name = next(iter(found.get("name", ())), None)
        return context.authorities.xcn(name, identified(found) or [context.identity(found)])
    display = (reference or {}).get("display", "")
    return ("", display) if display else ""


def organization(context: Context, reference: Json | None) -> Any:
    """XON of the organization that ``reference`` means; '' when nothing is known."""
    found = context.follow(reference)
    if found and found["resourceType"] == "Organization":
        return context.authorities.xon(found.get("name", ""), identified(found))
    display = (reference or {}).get("display", "")
    return (display,) if display else ""


_PRIORITIES = {"routine": "R", "urgent": "A", "asap": "A", "stat": "S"}
"""request-priority to table 0485 (TQ1-9)."""


def priority(resource: Json) -> str:
    return _PRIORITIES.get(resource.get("priority", ""), "")


def notes(annotations: Iterable[Json]) -> list[Segment]:
    """One NTE for each annotation."""
    texts = [each.get("text", "") for each in annotations]
    return [("NTE", {1: str(n), 3: text}) for n, text in enumerate(filter(None, texts), 1)]


def tq1(timing: Json | None, period: Json | None, urgency: Field, quantity: Field = "") -> list[Segment]:
    """TQ1 when there is anything about time, priority or quantity."""
    fields = timing_fields(timing, period, False)
    fields.update({2: quantity, 9: urgency})
    return [("TQ1", {1: "1", **fields})] if any(fields.values()) else []


def timing_fields(timing: Json | None, period: Json | None, needed: bool | Json) -> dict[int, Field]:
    """The fields of TQ1 that a Timing fills; ``needed`` is asNeeded[x]."""
    repeat: Mapping[str, Any] = (timing or {}).get("repeat", {})
    bounds = period or repeat.get("boundsPeriod") or {}
    starts = (timing or {}).get("event", [""])[0]
    return {
        3: patterns(timing or {}, needed),
        4: [time.replace(":", "") for time in repeat.get("timeOfDay", ())],
        6: duration(repeat.get("boundsDuration")),
        7: dtm(bounds.get("start", "") or starts),
        8: dtm(bounds.get("end", "")),
        13: (str(repeat["duration"]), repeat.get("durationUnit", "")) if "duration" in repeat else "",
        14: str(repeat["count"]) if "count" in repeat else "",
    }


def urgency_of(resource: Json) -> Field:
    """TQ1-9: the code of table 0485 and, since that has none for urgent, FHIR's own beside it."""
    own = resource.get("priority", "")
    return (priority(resource), "", "HL70485", own, "", PRIORITY_SYSTEM) if own else ""


PRIORITY_SYSTEM = "http://hl7.org/fhir/request-priority"
