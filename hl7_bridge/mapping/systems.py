"""Names of coding systems (CWE-3) to the URIs that FHIR gives them.

HL7 v2.5.1 table 0396, FHIR R4 terminologies-systems (https://hl7.org/fhir/R4/terminologies-systems.html).
"""

import re
from functools import lru_cache
from typing import Final

from hl7_bridge.mapping.reading import KNOWN_OIDS, LOCAL, quoted

LOINC: Final = "http://loinc.org"
SNOMED: Final = "http://snomed.info/sct"
UCUM: Final = "http://unitsofmeasure.org"

SYSTEMS: Final = {
    "LN": LOINC,
    "LNC": LOINC,
    "LOINC": LOINC,
    "SCT": SNOMED,
    "SCT2": SNOMED,
    "SNOMED-CT": SNOMED,
    "SNOMED CT": SNOMED,
    "SNOMEDCT": SNOMED,
    "SNM": "urn:oid:2.16.840.1.113883.6.5",
    "UCUM": UCUM,
    "I9": "http://hl7.org/fhir/sid/icd-9-cm",
    "I9C": "http://hl7.org/fhir/sid/icd-9-cm",
    "I9CDX": "http://hl7.org/fhir/sid/icd-9-cm",
    "I9CP": "urn:oid:2.16.840.1.113883.6.104",
    "ICD9": "http://hl7.org/fhir/sid/icd-9-cm",
    "ICD-9": "http://hl7.org/fhir/sid/icd-9-cm",
    "ICD-9-CM": "http://hl7.org/fhir/sid/icd-9-cm",
    "I10": "http://hl7.org/fhir/sid/icd-10",
    "ICD10": "http://hl7.org/fhir/sid/icd-10",
    "ICD-10": "http://hl7.org/fhir/sid/icd-10",
    "I10C": "http://hl7.org/fhir/sid/icd-10-cm",
    "ICD10CM": "http://hl7.org/fhir/sid/icd-10-cm",
    "ICD-10-CM": "http://hl7.org/fhir/sid/icd-10-cm",
    "I10P": "http://www.cms.gov/Medicare/Coding/ICD10",
    "RXNORM": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "NDC": "http://hl7.org/fhir/sid/ndc",
    "CVX": "http://hl7.org/fhir/sid/cvx",
    "MVX": "http://hl7.org/fhir/sid/mvx",
    "C4": "http://www.ama-assn.org/go/cpt",
    "CPT": "http://www.ama-assn.org/go/cpt",
    "CPT4": "http://www.ama-assn.org/go/cpt",
    "CPTM": "urn:oid:2.16.840.1.113883.6.12",
    "HCPCS": "urn:oid:2.16.840.1.113883.6.285",
    "FDDC": "urn:oid:2.16.840.1.113883.6.277",
    "ATC": "http://www.whocc.no/atc",
    "UNII": "http://fdasis.nlm.nih.gov",
    "MDC": "urn:iso:std:iso:11073:10101",
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    "ISO639": "urn:iso:std:iso:639",
    "ISO": "urn:iso:std:iso:3166",
    "ISO3166_1": "urn:iso:std:iso:3166",
    "CDCREC": "urn:oid:2.16.840.1.113883.6.238",
    "NUBC": "https://www.nubc.org/CodeSystem/PatDischargeStatus",
    "PHINVADS": "https://phinvads.cdc.gov",
    "NCIT": "http://ncithesaurus-stage.nci.nih.gov",
    "LOCAL": "",
}
"""By name in upper case; an empty URI says that the name is the sender's own."""

UNIT_NAMES: Final = frozenset({"UCUM", "UCUMUNITS", "HTTP://UNITSOFMEASURE.ORG"})
"""What CWE-3 of a unit says when its code is UCUM."""

_TABLE = re.compile(r"(?:HL7|V2-?)[- ]?0*(\d{1,4})")
_LOCAL = re.compile(r"L|LOCAL|99[A-Z0-9]*", re.IGNORECASE)
_OID = re.compile(r"(?:urn:oid:)?([0-2](?:\.(?:0|[1-9][0-9]*))+)")
_URI = re.compile(r"(?:https?://|urn:)\S+")


@lru_cache(maxsize=4096)
def system(name: str, scope: str) -> str:
    """The URI of the coding system ``name``; for a local one of the sender ``scope`` a URI of its own; '' for ''."""
    if not name:
        return ""
    known = SYSTEMS.get(name.upper())
    if known:
        return known
    numbered = _TABLE.fullmatch(name.upper())
    if numbered:
        return "http://terminology.hl7.org/CodeSystem/v2-" + numbered[1].zfill(4)
    oid = _OID.fullmatch(name)
    if oid:
        return KNOWN_OIDS.get(oid[1]) or "urn:oid:" + oid[1]
    if _URI.fullmatch(name):
        return name
    return f"{LOCAL}{scope}:{quoted(name)}"


def is_local(name: str) -> bool:
    """Whether CWE-3 says that the code is the sender's own."""
    return bool(_LOCAL.fullmatch(name))
