"""The durable record of every message in and out, on SQLite and PostgreSQL."""

from hl7_bridge.journal.marks import MARKS
from hl7_bridge.journal.reading import Entry, Query, Standing
from hl7_bridge.journal.sealing import Sealing
from hl7_bridge.journal.sql_journal import SqlJournal
from hl7_bridge.journal.tables import MIGRATIONS
from hl7_bridge.journal.worklist import Item

__all__ = ["MARKS", "MIGRATIONS", "Entry", "Item", "Query", "Sealing", "SqlJournal", "Standing"]
