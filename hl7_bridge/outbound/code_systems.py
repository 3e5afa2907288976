"""Code system URIs as the mnemonics of table 0396.

HL7 v2.5.1 table 0396 (https://terminology.hl7.org/CodeSystem-v2-0396.html). What has none goes out as its URI or OID.
"""

_MNEMONICS = {
    "http://loinc.org": "LN",
    "http://snomed.info/sct": "SCT",
    "http://unitsofmeasure.org": "UCUM",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RXNORM",
    "http://hl7.org/fhir/sid/ndc": "NDC",
    "http://hl7.org/fhir/sid/cvx": "CVX",
    "http://hl7.org/fhir/sid/icd-10": "I10",
    "http://hl7.org/fhir/sid/icd-10-cm": "I10C",
    "http://hl7.org/fhir/sid/icd-9-cm": "I9CDX",
    "http://www.ama-assn.org/go/cpt": "C4",
    "http://www.whocc.no/atc": "ATC",
    "urn:iso:std:iso:3166": "ISO3166_1",
    "urn:ietf:bcp:47": "BCP47",
}
_V2 = "http://terminology.hl7.org/CodeSystem/v2-"


def mnemonic(system: str) -> str:
    """What names ``system`` in CWE-3; '' when there is no system."""
    if system.startswith(_V2):
        return "HL7" + system.removeprefix(_V2)
    return _MNEMONICS.get(system, system)
