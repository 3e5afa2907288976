"""Scheduling: times that are open, held and booked; no actor is ever in two places.

FHIR R4 Schedule, Slot, Appointment (https://hl7.org/fhir/R4/appointment.html); docs/adr/scheduling.md.
"""
