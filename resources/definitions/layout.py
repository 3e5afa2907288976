"""What the generator and the reader of the definition tables agree on.

FHIR R4 ElementDefinition (https://hl7.org/fhir/R4/elementdefinition.html). A row of ``elements`` is
[name or ``name[x]``, [[type, target types, profile], ...], min, max or null, value set, flags, invariant numbers],
a type [kind, base, abstract, pattern, invariant numbers, rows].
"""

SUMMARY = 1
MODIFIER = 2
XML_ATTRIBUTE = 4
