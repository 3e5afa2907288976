"""Makes a PostgreSQL database what it was after its migrations, for the next test: its rows go, its schema stays.

PostgreSQL 15, chapters 20.11 (session_replication_role) and 52 (system catalogs). A new database for each test costs
some three hundred files each time.
"""

import psycopg

_SCHEMA = """
SELECT md5(concat_ws('|',
  (SELECT string_agg(concat_ws(' ', c.oid, c.relname, c.relnatts, c.reloptions), ',' ORDER BY c.oid)
     FROM pg_class c WHERE c.oid >= 16384 AND c.relkind <> 't'),
  (SELECT string_agg(concat_ws(' ', attrelid, attnum, attname, atttypid, attnotnull), ',' ORDER BY attrelid, attnum)
     FROM pg_attribute WHERE attrelid >= 16384),
  (SELECT string_agg(concat_ws(' ', indexrelid, indisvalid), ',' ORDER BY indexrelid)
     FROM pg_index WHERE indexrelid >= 16384),
  (SELECT string_agg(oid::text, ',' ORDER BY oid) FROM pg_constraint WHERE oid >= 16384),
  (SELECT string_agg(concat_ws(' ', oid, tgenabled), ',' ORDER BY oid) FROM pg_trigger),
  (SELECT string_agg(concat_ws(' ', oid, md5(prosrc)), ',' ORDER BY oid) FROM pg_proc WHERE oid >= 16384),
  (SELECT string_agg(concat_ws(' ', stxname, stxrelid), ',' ORDER BY oid) FROM pg_statistic_ext)))
"""
"""Tables, columns, indexes, constraints, triggers, functions and statistics by their identities."""

_TABLES = "SELECT oid::regclass::text FROM pg_class WHERE oid >= 16384 AND relkind = 'r' AND relpersistence <> 't'"
_SEQUENCES = "SELECT format('%I.%I', schemaname, sequencename), start_value, last_value FROM pg_sequences"
_OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_LARGE = 1 << 20
"""Bytes from which a table is truncated; below, deleting its rows is faster than making its files anew."""


class CleanDatabase:
    """The database at ``url`` as it stands now; ``reset`` brings it back to that."""

    def __init__(self, url: str) -> None:
        self.url = url
        with psycopg.connect(url) as connection:
            self._schema = self._identities(connection)
            tables = [name for (name,) in connection.execute(_TABLES).fetchall()]
            self._sequences = dict(_restarts(connection))
            digests = {name: _digest(connection, name) for name in tables}
        self._kept = {name: digest for name, digest in digests.items() if digest}
        self._emptied = [name for name in tables if name not in self._kept]

    def reset(self) -> bool:
        """Ends other sessions and deletes what was stored since. False when it cannot become what it was: its schema or
        a row of the migrations has changed, or the user may not."""
        try:
            with psycopg.connect(self.url) as connection:
                connection.execute(_OTHERS)
                if self._identities(connection) != self._schema:
                    return False
                self._empty(connection)
                return all(_digest(connection, name) == digest for name, digest in self._kept.items())
        except psycopg.Error:
            return False

    @staticmethod
    def _identities(connection: psycopg.Connection) -> object:
        return connection.execute(_SCHEMA).fetchone()

    def _empty(self, connection: psycopg.Connection) -> None:
        connection.execute("SET LOCAL session_replication_role = replica")  # neither order nor triggers matter here
        sizes = ", ".join(f"pg_relation_size('{name}')" for name in self._emptied)
        found = connection.execute(f"SELECT {sizes}").fetchone() if sizes else ()
        for name, size in zip(self._emptied, found or (), strict=True):
            if size:
                connection.execute(f"TRUNCATE {name} CASCADE" if size >= _LARGE else f"DELETE FROM {name}")
        for name, restart in _restarts(connection):
            if restart != self._sequences[name]:
                connection.execute("SELECT setval(%s, %s, %s)", (name, *self._sequences[name]))


def _digest(connection: psycopg.Connection, name: str) -> object:
    """Of all rows of a table; None when there are none."""
    row = connection.execute(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} t").fetchone()
    return row[0] if row else None


def _restarts(connection: psycopg.Connection) -> list[tuple[str, tuple[int, bool]]]:
    """Each sequence with what ``setval`` takes to bring it where it is."""
    return [
        (name, (start, False) if last is None else (last, True))
        for name, start, last in connection.execute(_SEQUENCES).fetchall()
    ]
