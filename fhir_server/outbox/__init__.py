"""Letters to patients about their visits: link, reminders, moved, cancelled; by SMTP or a webhook, without PHI.

Ours; docs/reminders.md, docs/adr/outbox.md. FHIR R4 Appointment says what they are of, Communication that they left.
"""
