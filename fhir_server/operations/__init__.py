"""The operations this server offers, one module each, and their table."""
