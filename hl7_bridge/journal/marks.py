"""The row updates that a commit of the record carries for the bridge: Marks, registered by the wiring.

Each is one statement with named parameters (resources.repository.Mark, Store.register_mark).
"""

from hl7_bridge.ports import ANCHOR, APPLIED, FOLLOW_UP, FOLLOWED, JOINED, STAMP, TOLD

# A second commit of the same message must not be: NULL breaks the column's NOT NULL, and with it that commit.
_APPLIED = """UPDATE hl7_message
SET state = CASE WHEN state = 'received' THEN 'applied' END, reason = :reason, ack = :ack, settled = :at, leased = 0
WHERE id = :id"""

_JOINED = """UPDATE hl7_message
SET state = CASE WHEN state = 'held' THEN 'applied' END, reason = :reason, settled = :at
WHERE id = :id"""

# json_each takes an object apart alike on SQLite and PostgreSQL: many rows are one statement on both.
_STAMP = """INSERT INTO hl7_stamp (type, id, version, revision, stamps)
SELECT item.value ->> 0, item.value ->> 1, CAST(item.value ->> 2 AS bigint), CAST(item.value ->> 3 AS bigint),
    item.value ->> 4
FROM json_each(:rows) AS item WHERE true
ON CONFLICT (type, id) DO UPDATE
SET version = excluded.version, revision = excluded.revision, stamps = excluded.stamps
WHERE hl7_stamp.revision = excluded.revision - 1
RETURNING 1"""

_ANCHOR = """UPDATE hl7_stamp SET revision = hl7_stamp.revision FROM json_each(:rows) AS item
WHERE hl7_stamp.type = item.value ->> 0 AND hl7_stamp.id = item.value ->> 1
    AND hl7_stamp.revision = CAST(item.value ->> 2 AS bigint)
RETURNING 1"""

_FOLLOW_UP = """INSERT INTO hl7_follow_up (kind, type, id, key, due, tries)
SELECT item.value ->> 0, item.value ->> 1, item.value ->> 2, item.value ->> 3, CAST(item.value ->> 4 AS bigint), 0
FROM json_each(:rows) AS item WHERE true
ON CONFLICT (kind, type, id, key) DO UPDATE SET due = excluded.due, tries = 0"""

_FOLLOWED = """DELETE FROM hl7_follow_up
WHERE kind = :kind AND type = :type AND id = :id AND key = :key AND due = :due"""

_TOLD = """UPDATE hl7_told SET version = :version, status = :status, start = :start, content = :content
WHERE receiver = :receiver AND type = :type AND id = :id"""

MARKS: dict[str, str] = {
    APPLIED: _APPLIED,
    JOINED: _JOINED,
    STAMP: _STAMP,
    ANCHOR: _ANCHOR,
    FOLLOW_UP: _FOLLOW_UP,
    FOLLOWED: _FOLLOWED,
    TOLD: _TOLD,
}
"""Name to SQL."""
