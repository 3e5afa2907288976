"""Visits as the FHIR side knows them: who may come, tickets, invitations, and where a visit takes place."""
