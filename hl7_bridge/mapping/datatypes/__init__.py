"""Data types of HL7 v2 as values of FHIR: one file per family, functions ``(Value, Reading) -> value or None``."""
