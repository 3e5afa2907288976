"""Black-box proof of the HL7 v2 bridge: bytes over a socket in, FHIR over HTTP out."""
