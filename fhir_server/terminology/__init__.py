"""Terminology of one record: what is stored and may be seen, above what FHIR R4 publishes.

FHIR R4 terminology module (https://hl7.org/fhir/R4/terminology-module.html).
"""
