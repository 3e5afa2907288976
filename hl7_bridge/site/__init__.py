"""The site kit: senders, receivers, authorities, code tables and overrides as text files."""
