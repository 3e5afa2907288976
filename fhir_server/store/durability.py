"""What an answered change outlives: the settings of the database that make an answer mean less than it says.

PostgreSQL 15, chapters 20.5.1 (fsync, synchronous_commit) and 27.2.8 (standbys); docs/adr/synchronous-commit.md.
"""

from fhir_server.store.session import Session

_SETTINGS = """SELECT current_setting('fsync'), current_setting('full_page_writes'),
    current_setting('synchronous_commit'), current_setting('synchronous_standby_names')"""
_STANDBYS = "SELECT application_name, sync_state FROM pg_stat_replication"
# By setting and value: what may be lost.
_WEAK = {
    ("fsync", "off"): "the database is damaged when its machine stops",
    ("full_page_writes", "off"): "the database may be damaged when its machine stops",
    ("synchronous_commit", "off"): "what was answered in the last second is lost when the database stops",
    ("synchronous_commit", "local"): "no standby is waited for, what was answered is lost with the primary's disk",
    ("synchronous_commit", "remote_write"): "what was answered is lost when primary and standby fail together",
    ("synchronous_standby_names", ""): "no standby is waited for, what was answered is lost with the primary's disk",
}


def weaknesses(session: Session) -> list[str]:
    """Each in words; [] when an answered change is on the disks of two machines, and always for SQLite."""
    if session.dialect == "sqlite":
        return []
    names = ("fsync", "full_page_writes", "synchronous_commit", "synchronous_standby_names")
    found = list(zip(names, map(str, session.query(_SETTINGS)[0]), strict=True))
    weak = [f"{name} = {value or 'empty'}: {_WEAK[name, value]}" for name, value in found if (name, value) in _WEAK]
    return weak + (_absent(session) if dict(found)["synchronous_standby_names"] else [])


def _absent(session: Session) -> list[str]:
    """A standby is waited for that does not follow, or nobody here may know."""
    states = [state for _, state in session.query(_STANDBYS)]
    if {"sync", "quorum"} & set(states):
        return []
    if None in states:
        return ["whether a standby follows cannot be seen: GRANT pg_monitor to the user of DATABASE"]
    return ["no synchronous standby follows: every write waits for one, and is answered 503 in the end"]
