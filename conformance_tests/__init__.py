"""Black-box proof of the server over HTTP, against any base URL; each test cites the requirement it proves.

FHIR R4 (https://hl7.org/fhir/R4/). Requirement ids are pages and anchors below that address, or the number of an RFC.
"""
