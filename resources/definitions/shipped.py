"""Search parameters beyond those that R4 publishes with an expression: full text, and what US Core adds.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html#all) and US Core 6.1 and 7.0 (https://hl7.org/fhir/us/core), whose
other parameters are R4's own. Rows of `resources.definitions.SearchParam`.
"""

_R4 = "http://hl7.org/fhir/SearchParameter/"
_CORE = "http://hl7.org/fhir/us/core/SearchParameter/us-core-"
_CORE_EXTENSION = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
_ASSERTED = "http://hl7.org/fhir/StructureDefinition/condition-assertedDate"

Row = tuple[str, str, str, tuple[str, ...], str]


def _race(name: str) -> str:
    """The codings inside one of the two complex extensions; its text is no code."""
    return f"Patient.extension.where(url='{_CORE_EXTENSION}{name}').extension.value.as(Coding)"


ROWS: tuple[Row, ...] = (
    ("_text", f"{_R4}DomainResource-text", "string", ("Resource",), ""),
    ("_content", f"{_R4}Resource-content", "string", ("Resource",), ""),
    ("race", f"{_CORE}race", "token", ("Patient",), _race("race")),
    ("ethnicity", f"{_CORE}ethnicity", "token", ("Patient",), _race("ethnicity")),
    (
        "gender-identity", f"{_CORE}patient-gender-identity", "token", ("Patient",),
        f"Patient.extension.where(url='{_CORE_EXTENSION}genderIdentity').value.as(CodeableConcept)",
    ),
    (
        "asserted-date", f"{_CORE}condition-asserted-date", "date", ("Condition",),
        f"Condition.extension.where(url='{_ASSERTED}').value.as(dateTime)",
    ),
    (
        "discharge-disposition", f"{_CORE}encounter-discharge-disposition", "token", ("Encounter",),
        "Encounter.hospitalization.dischargeDisposition",
    ),
    ("description", f"{_CORE}goal-description", "token", ("Goal",), "Goal.description"),
    ("role", f"{_CORE}careteam-role", "token", ("CareTeam",), "CareTeam.participant.role"),
)  # fmt: skip
"""(code, url, type, base types, expression)."""
