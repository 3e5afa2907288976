"""Pages of the host itself, for people: clinicians, patients, billers, and who runs the HL7 bridge."""
