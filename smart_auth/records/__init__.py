"""The authorization server's own tables, on SQLite and PostgreSQL."""
