"""HL7 v2 in and out over MLLP: framing, journal, mapping to and from FHIR, acknowledgement, sender."""
