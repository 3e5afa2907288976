"""HL7 tables to FHIR codes: the official map compiled, and our own additions beside it."""
