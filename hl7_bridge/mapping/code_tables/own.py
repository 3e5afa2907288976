"""Our own additions to the official code tables: statuses the official map leaves open, and names real feeds use.

HL7 v2.5.1 appendix A (tables); every row here is ours (``origin=own``) and was reviewed against the table's text.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from hl7_bridge.site.model import Coding

_OBSERVATION = "http://hl7.org/fhir/observation-status"
_REPORT = "http://hl7.org/fhir/diagnostic-report-status"
_REQUEST = "http://hl7.org/fhir/request-status"
_PRIORITY = "http://hl7.org/fhir/request-priority"
_ENCOUNTER = "http://hl7.org/fhir/encounter-status"
_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_MEDICATION_REQUEST = "http://hl7.org/fhir/CodeSystem/medicationrequest-status"
_APPOINTMENT = "http://hl7.org/fhir/appointmentstatus"
_COMPOSITION = "http://hl7.org/fhir/composition-status"


class Addition(NamedTuple):
    """Rows for the table of that name; they win over official ones."""

    number: str
    codes: Mapping[str, Coding]


def _codes(system: str, **rows: str) -> dict[str, Coding]:
    return {source: Coding(system, target) for source, target in rows.items()}


OWN: Final[Mapping[str, Addition]] = {
    # Entered, not verified (R), partial (S), post original as wrong: the states between order and result.
    "ObservationResultStatusCodesInterpretation": Addition(
        "0085",
        _codes(
            _OBSERVATION,
            B="preliminary",
            I="registered",
            N="unknown",
            O="registered",
            R="preliminary",
            S="preliminary",
            U="final",
            V="preliminary",
        ),
    ),
    "ResultStatus[Non-Queries]": Addition(
        "0123", _codes(_REPORT, A="partial", Y="unknown", Z="unknown", N="unknown", M="partial", R="preliminary")
    ),
    # CA asks the filler to cancel: the placer no longer wants it, which is what the record must show.
    "OrderControlCode[ServiceRequest.status]": Addition(
        "0119",
        _codes(
            _REQUEST,
            CA="revoked",
            CH="active",
            CN="active",
            DE="unknown",
            ER="unknown",
            FC="unknown",
            HD="on-hold",
            LI="active",
            NA="active",
            NR="active",
            OE="active",
            OF="completed",
            OP="active",
            OR="active",
            PA="active",
            RC="active",
            RE="unknown",
            RF="active",
            RP="active",
            RR="active",
            RU="active",
            SC="active",
            SN="active",
            SR="active",
            SS="active",
            UA="revoked",
            UC="active",
            UD="active",
            UF="active",
            UH="on-hold",
            UM="active",
            UN="unknown",
            UR="active",
            UX="active",
            XO="active",
            XR="active",
            XX="active",
        ),
    ),
    "OrderStatus": Addition("0038", _codes(_REQUEST, A="active", E="active", Z="unknown", RS="active")),
    "ExtendedPriorityCodes": Addition(
        "0485",
        _codes(_PRIORITY, T="urgent", U="urgent", STAT="stat", URGENT="urgent", ASAP="asap", ROUTINE="routine"),
    ),
    "Event[EncounterStatus]": Addition(
        "0003",
        _codes(
            _ENCOUNTER,
            A04="in-progress",
            A06="in-progress",
            A07="in-progress",
            A08="in-progress",
            A09="in-progress",
            A10="arrived",
            A12="in-progress",
            A14="planned",
            A15="in-progress",
            A16="in-progress",
            A21="onleave",
            A22="in-progress",
            A25="in-progress",
            A26="in-progress",
            A27="cancelled",
            A38="cancelled",
        ),
    ),
    "PatientClass[EncounterClass]": Addition(
        "0004",
        {
            "E": Coding(_ACT, "EMER", "emergency"),
            "I": Coding(_ACT, "IMP", "inpatient encounter"),
            "O": Coding(_ACT, "AMB", "ambulatory"),
            "P": Coding(_ACT, "PRENC", "pre-admission"),
            "OBS": Coding(_ACT, "OBSENC", "observation encounter"),
            "D": Coding(_ACT, "SS", "short stay"),
            "S": Coding(_ACT, "SS", "short stay"),
            "H": Coding(_ACT, "HH", "home health"),
            "V": Coding(_ACT, "VR", "virtual"),
        },
    ),
    "PatientClass[EncounterStatus]": Addition(
        "0004",
        _codes(_ENCOUNTER, OBS="in-progress", D="in-progress", S="in-progress", H="in-progress", V="in-progress"),
    ),
    "AdministrativeSex": Addition("0001", _codes("http://hl7.org/fhir/administrative-gender", C="other", X="other")),
    "AddressType[Use]": Addition("0190", _codes("http://hl7.org/fhir/address-use", V="temp", TM="temp", BR="old")),
    "NameType": Addition("0200", _codes("http://hl7.org/fhir/name-use", A="nickname", B="maiden", S="anonymous")),
    # Codes of v2.1 to v2.5 that have left the table but not the feeds.
    "TelecommunicationEquipmentType": Addition(
        "0202",
        _codes(
            "http://hl7.org/fhir/contact-point-system",
            CELL="phone",
            CP="phone",
            EMAIL="email",
            FAX="fax",
            TEL="phone",
            SMS="sms",
        ),
    ),
    "TelecommunicationUseCode": Addition(
        "0201",
        _codes("http://hl7.org/fhir/contact-point-use", ORN="home", VHN="temp", PRS="mobile", H="home", W="work"),
    ),
    "InterpretationCodes": Addition(
        "0078",
        {code: Coding(_INTERPRETATION, code) for code in ("HX", "LX")}
        | {
            "NORMAL": Coding(_INTERPRETATION, "N"),
            "LOW": Coding(_INTERPRETATION, "L"),
            "HIGH": Coding(_INTERPRETATION, "H"),
        },
    ),
    "DiagnosisType": Addition(
        "0052",
        {
            "W": Coding("http://terminology.hl7.org/CodeSystem/v2-0052", "W", "Working"),
            "F": Coding("http://terminology.hl7.org/CodeSystem/diagnosis-role", "DD", "Discharge diagnosis"),
        },
    ),
    "AllergyClinicalStatus": Addition(
        "0438",
        {
            "C": Coding("http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "confirmed"),
            "P": Coding("http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "unconfirmed"),
            "S": Coding("http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "unconfirmed"),
            "U": Coding("http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "unconfirmed"),
            "D": Coding("http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "refuted"),
            "E": Coding("http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "entered-in-error"),
        },
    ),
    "AllergySeverity[AllergyIntolerance.reaction.severity]": Addition(
        "0128", _codes("http://hl7.org/fhir/reaction-event-severity", SEVERE="severe", MODERATE="moderate", MILD="mild")
    ),
    "SpecimenActionCode": Addition(
        "0065", _codes("http://hl7.org/fhir/request-intent", A="instance-order", G="reflex-order")
    ),
    "OrderStatus[MedicationRequest.status]": Addition(
        "0038",
        _codes(
            _MEDICATION_REQUEST,
            A="active",
            CA="cancelled",
            CM="completed",
            DC="stopped",
            E="active",
            ER="entered-in-error",
            HD="on-hold",
            IP="active",
            RP="stopped",
            RS="active",
            SC="active",
        ),
    ),
    "OrderControlCode[MedicationRequest.status]": Addition(
        "0119",
        {
            code: Coding(_MEDICATION_REQUEST, status)
            for status, codes in (
                (
                    "active",
                    "NW OK RL OE OR RO XO XR XX SC SN NA RF AF DF FU OF UF RE PA CH CN LI RR OP SS SR UC UD UH UM UX",
                ),
                ("cancelled", "CA OC CR UA"),
                ("stopped", "DC OD DR RP RQ RU"),
                ("on-hold", "HD HR OH UR"),
                ("unknown", "DE ER FC UN"),
            )
            for code in codes.split()
        },
    ),
    "DispenseType": Addition(
        "0484",
        {
            code: Coding(_ACT, target, display)
            for code, target, display in (
                ("N", "FFC", "First Fill - Complete"),
                ("P", "FFP", "First Fill - Part Fill"),
                ("R", "RFC", "Refill - Complete"),
                ("Q", "RFP", "Refill - Part Fill"),
                ("T", "TF", "Trial Fill"),
                ("B", "TB", "Trial Balance"),
            )
        },
    ),
    "FillerStatusCodes[Appointment]": Addition(
        "0278",
        _codes(
            _APPOINTMENT,
            Blocked="pending",
            Dc="cancelled",
            Discontinued="cancelled",
            Overbook="booked",
            BOOKED="booked",
            PENDING="pending",
            CANCELLED="cancelled",
            CANCELED="cancelled",
            COMPLETE="fulfilled",
            STARTED="checked-in",
            NOSHOW="noshow",
            DELETED="entered-in-error",
            WAITLIST="waitlist",
        ),
    ),
    "DocumentCompletionStatus": Addition(
        "0271",
        _codes(
            _COMPOSITION,
            AU="final",
            DI="preliminary",
            DO="preliminary",
            IN="preliminary",
            IP="preliminary",
            LA="final",
            PA="preliminary",
        ),
    ),
}
