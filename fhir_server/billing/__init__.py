"""Money of visits: a charge and the draft of a claim by what the record says, and a biller who checks them.

FHIR R4 ChargeItem, Claim (https://hl7.org/fhir/R4/claim.html); docs/billing.md. Nothing is sent to a payer from here.
"""
