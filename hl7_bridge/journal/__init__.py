"""The durable record of every message in and out, on SQLite and PostgreSQL."""
