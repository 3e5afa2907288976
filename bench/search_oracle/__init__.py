"""What a search must find, worked out slowly and in plain Python from the documents: nothing is shared with the engine.

Read by eye from FHIR R4 Search (https://hl7.org/fhir/R4/search.html). Values come from the published expressions by the
FHIRPath engine, which search does not use: it has a compiler of its own.
"""
