"""Code systems, value sets and concept maps: what is in them, as pure functions over resources.

FHIR R4 terminology (https://hl7.org/fhir/R4/terminology-module.html). Where the resources come from is a `Source`.
"""
