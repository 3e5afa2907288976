"""The RESTful interactions, one module each, and the table that both dispatch and CapabilityStatement read."""
