"""The published examples that are no valid R4, with the rule each breaks.

Official FHIR R4 examples (https://hl7.org/fhir/R4) and those of US Core; the sample data folder holds a copy.
"""

TRULY_INVALID = {
    "ActivityDefinition-heart-valve-replacement.json": "txt-2: its narrative is empty",
    "EventDefinition-example.json": "txt-2: its narrative is empty",
    "Bundle-10bb101f-a121-4264-a920-67be9cb82c74.json": "fullUrl says Patient/pat12, the resource Patient/pat2",
    "DeviceMetric-example.json": "parent refers to a DeviceDefinition where only a Device may be",
    "Observation-clinical-gender.json": "performer refers to an Encounter",
    "diagnosticreport-cbc.json": "text has no div",
}
