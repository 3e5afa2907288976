"""The audit trail: records, their hash chain, the spool of reads, checkpoints, verification and AuditEvent as FHIR.

FHIR R4 AuditEvent (https://hl7.org/fhir/R4/auditevent.html), IHE BALP (https://profiles.ihe.net/ITI/BALP).
"""
