"""What FHIR R4 is: definitions, codecs, validation, FHIRPath, patch, index extraction. Pure functions over dicts."""
