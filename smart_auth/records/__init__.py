"""The authorization server's own tables, on SQLite and PostgreSQL."""

from smart_auth.records.engine import engine_for
from smart_auth.records.sql_records import SqlRecords
from smart_auth.records.tables import MIGRATIONS

__all__ = ["MIGRATIONS", "SqlRecords", "engine_for"]
