"""The functions of FHIRPath, one file for each topic, each ending in a table ``FUNCTIONS``.

FHIRPath N1, functions (http://hl7.org/fhirpath/N1/#functions); FHIR R4 (https://hl7.org/fhir/R4/fhirpath.html#functions).
"""
