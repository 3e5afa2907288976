"""Where we mean to differ from the expected FHIR of the mapping inventory's tests, and why.

v2-to-FHIR implementation guide; the expected files are of one converter, which reads the guide in its own ways.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


def _always(theirs: str, ours: list[str]) -> bool:
    return True


def _any(resource: dict[str, Any]) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Deviation:
    """Leaves at ``path`` (a regular expression over ``Type.path``) of resources that are ``of`` a kind, in files that
    ``file`` finds, where ``holds`` (their value, ours at the same path)."""

    path: str
    reason: str
    holds: Callable[[str, list[str]], bool] = _always
    of: Callable[[dict[str, Any]], bool] = _any
    file: str = ""


def is_of_the_conversion(provenance: dict[str, Any]) -> bool:
    """When and by whom that converter ran."""
    codes = [each.get("code") for each in provenance.get("activity", {}).get("coding", [])]
    return "policy" in provenance or "UPDATE" in codes


def _is_converter(organization: dict[str, Any]) -> bool:
    return any(each.get("value") == "CDC PRIME - Atlanta" for each in organization.get("identifier", []))


def _is_nameless(organization: dict[str, Any]) -> bool:
    return "name" not in organization and "identifier" not in organization


def _another_zone(theirs: str, ours: list[str]) -> bool:
    return theirs.endswith("Z") and any(each[:-6] == theirs[:-1] for each in ours)


def _is_name(theirs: str, ours: list[str]) -> bool:
    """A name, or a URI made of what is no OID, UUID or URI."""
    return (
        re.fullmatch(r"[^:]*|urn:oid:(?![0-2](\.(0|[1-9]\d*))+$).*|urn:uuid:(?![0-9a-fA-F-]{36}$).*|urn:dns:.*", theirs)
        is not None
    )


def _nothing_of_ours(theirs: str, ours: list[str]) -> bool:
    return not ours


def _is(text: str) -> Callable[[str, list[str]], bool]:
    return lambda theirs, ours: theirs == text


AGAIN = "the tests give several persons or organizations one number; of one number we make one"
_CONVERSION = "says when and by whom that converter ran; ours is made at the commit"
_NAMES = "a system or address is a URI: the universal id where it is one, else urn:id: and the name"
_NAMELESS = "nothing is made of somebody without name and number: nobody could find them again"

DEVIATIONS: tuple[Deviation, ...] = (
    Deviation(r"Provenance\..*", _CONVERSION, of=is_of_the_conversion),
    Deviation(r"Organization\..*", _CONVERSION, of=_is_converter),
    Deviation(r".*", "the time zone of MSH-7 holds for times without one (section 2.16.9.7)", _another_zone),
    Deviation(r".*(identifier|Identifier)\.system|MessageHeader\..*endpoint", _NAMES, _is_name),
    Deviation(r"Organization\.(address|contact)\..*", _NAMELESS, of=_is_nameless),
    Deviation(
        r"MessageHeader\.(sender|responsible)\.reference|Patient\.contact\.organization\.reference",
        _NAMELESS,
        _nothing_of_ours,
    ),
    Deviation(
        r"Provenance\.agent\..*", _NAMELESS, lambda theirs, ours: theirs in ("Organization", "author"), file="^hd__"
    ),
    Deviation(r"RelatedPerson\.patient\.reference", _NAMELESS, _nothing_of_ours),
    Deviation(
        r"Patient\.contact\.period\..*",
        "a contact needs a name, an address, a number or an organization (pat-1)",
        _nothing_of_ours,
    ),
    Deviation(r"DiagnosticReport\.specimen\.reference", "no Specimen is made of an OBR that tells of none"),
    Deviation(r"(Practitioner|RelatedPerson)\.name\.use", "B of table 0200 is the name at birth", _is("official")),
    Deviation(r".*\.identifier\.extension\.valueCode", "the official map gives the check digit scheme as valueString"),
    Deviation(r".*\.extension\.valueCode", "the census tract is a string in FHIR", _is("6059")),
    Deviation(r"Patient\.extension\.valueHumanName\..*", "the mother's maiden name is a string in FHIR"),
    Deviation(r"PractitionerRole\.location\.reference", "the most precise place; the wider ones follow by partOf"),
    Deviation(r"Location\.status", "NDL-8 is the status of the most precise place", file="ndl|orcobr|full"),
    Deviation(r"PractitionerRole\.extension\..*", "the official map puts the function beside the reference"),
    Deviation(
        r"Organization\.identifier\.(system|value)",
        "under urn:ietf:rfc:3986 stands a URI; what is none has a system of its own",
        of=lambda each: any(one.get("system") == "urn:ietf:rfc:3986" for one in each.get("identifier", [])),
    ),
    Deviation(r"Encounter\.location\.extension\..*", "no such extension is published"),
    Deviation(r"Patient\.contact\.extension\..*", "no such extension is published; relationship says it"),
    Deviation(
        r"Encounter\.episodeOfCare\.reference", "an EpisodeOfCare is made of its number (PV1-54)", _nothing_of_ours
    ),
    Deviation(
        r"Observation\.performer\.reference", "OBX-23 names the laboratory, OBX-15 says it again", _is("Organization")
    ),
    Deviation(r"MessageHeader\.source\._endpoint\..*", "the sender as the site kit knows it is the source"),
    Deviation(r".*\.telecom\._system\..*", "a number without a kind in a field for telephones is a telephone"),
    Deviation(r".*", "the null value is no text", _is('""')),
    Deviation(
        r"(ServiceRequest|DiagnosticReport)\.identifier\..*",
        "the number of a group is the requisition's, not the order's",
        of=lambda each: any(
            one.get("type", {}).get("coding", [{}])[0].get("code") == "PGN" for one in each.get("identifier", [])
        ),
    ),
    Deviation(r"Encounter\.length\.system", "the URI of UCUM has no slash at its end"),
    Deviation(r"Patient\.link\..*", "links are for merges; RelatedPerson.patient leads to the mother"),
    Deviation(r"Coverage\.extension\.url", "the published extension's URL"),
    Deviation(r"ServiceRequest\.intent", "OBR-11 G is a reflex order by the official map", _is("order")),
    Deviation(r"Organization\.(telecom|address)\.use", "an organization has no home (org-2, org-3)", _is("home")),
    Deviation(r"Patient\.meta\.lastUpdated", "the server says when it stored a version"),
    Deviation(r"Observation\.value.*\.(system|code)", "a unit has a system only when it is UCUM", file="obx__"),
    Deviation(r"Observation\.value.*\.extension\..*", "names of v2 components are no URLs"),
    Deviation(r"DiagnosticReport\.issued", "an instant is precise to the second"),
    Deviation(
        r".*\.note\.text",
        "all repetitions of NTE-3 are one note",
        lambda theirs, ours: any(each.startswith(theirs + "\n") for each in ours),
    ),
    Deviation(
        r".*\.coding\.system", "a local code system is the sender's own", lambda theirs, ours: "99zzzorL" in theirs
    ),
    Deviation(r"Encounter\.meta\.security\.code", "protected means restricted (v3-Confidentiality)", _is("true")),
)
