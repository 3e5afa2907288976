"""Patches: pure functions from a resource and a patch to the changed resource.

FHIR R4 patch interaction (https://hl7.org/fhir/R4/http.html#patch). A patch that is malformed is BadSyntax (400), one
that cannot be applied to this version of the resource is BusinessRule (422); 412 stays for failed headers.
"""
