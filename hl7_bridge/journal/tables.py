"""Tables and migrations of the bridge, in SQLAlchemy Core: messages, what orders them, stamps, unmapped codes.

HL7 v2.5.1 section 2.9 (message processing); docs/adr. Nothing of a patient stands in clear but what ``hl7_body`` holds.
"""

from typing import Any

import sqlalchemy as sa

from capability.rows import Migration

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BYTES = sa.LargeBinary()


def _columns(type: Any, *names: str, nullable: bool = False) -> "list[sa.Column[Any]]":
    return [sa.Column(name, type, nullable=nullable) for name in names]


def _where(condition: str) -> dict[str, Any]:
    return {"postgresql_where": sa.text(condition), "sqlite_where": sa.text(condition)}


metadata = sa.MetaData()

message = sa.Table(
    "hl7_message",
    metadata,
    sa.Column("id", NUMBER, sa.Identity(), primary_key=True),
    *_columns(TEXT, "direction", "sender", "control_id", "type", "event", "version", "state", "reason", "owner"),
    sa.Column("fingerprint", BYTES, nullable=True),
    *_columns(NUMBER, "size", "received", "settled", "attempt", "failures", "due", "leased"),
    *_columns(NUMBER, "patient", "placer", "filler", nullable=True),
    *_columns(NUMBER, "changed", "late", "edited", "replay_of"),
    sa.Column("ack", BYTES, nullable=False),
    sa.Index("hl7_message_fingerprint", "fingerprint", unique=True, **_where("fingerprint IS NOT NULL")),
    sa.Index("hl7_message_control", "sender", "control_id"),
    sa.Index("hl7_message_sender", "sender", "id"),
    sa.Index("hl7_message_open", "state", "id", **_where("state <> 'applied'")),
    *(sa.Index(f"hl7_message_{name}", name, "id", **_where(f"{name} IS NOT NULL"))
      for name in ("patient", "placer", "filler")),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)  # fmt: skip
"""``direction`` in or out; ``sender`` the peer's name, of what goes out the receiver's; times in ms since 1970 UTC.

``fingerprint`` is a keyed hash of (sender, MSH-10, bytes); NULL for what takes no part in the search for duplicates.
``attempt`` counts claims, ``failures`` the ends of them that asked for another; ``due`` is not before; ``leased`` is
until when ``owner`` works on it. ``patient``, ``placer`` and ``filler`` are keyed hashes. ``changed``: MSH-10 had been
used for other content; ``late``: answered when stored, because applying took too long; ``edited`` by a person;
``replay_of`` is the message it repeats, else 0.
"""

body = sa.Table(
    "hl7_body",
    metadata,
    sa.Column("message", NUMBER, primary_key=True, autoincrement=False),
    sa.Column("raw", BYTES, nullable=False),
    sqlite_strict=True,
)
"""Apart, because the row of a message is rewritten several times and its bytes never are. ``raw`` is sealed."""

lane = sa.Table(
    "hl7_lane",
    metadata,
    *_columns(NUMBER, "key", "message"),
    sa.PrimaryKeyConstraint("key", "message"),
    sa.Index("hl7_lane_message", "message"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""Keyed hashes of what orders a message that is not yet applied; swept away some time after."""

part = sa.Table(
    "hl7_part",
    metadata,
    sa.Column("message", NUMBER, primary_key=True, autoincrement=False),
    *_columns(NUMBER, "pointer", "continues", nullable=True),
    *(sa.Index(f"hl7_part_{name}", name, **_where(f"{name} IS NOT NULL")) for name in ("pointer", "continues")),
    sqlite_strict=True,
)
"""Of a message in parts: keyed hashes of (sender, DSC-1) and (sender, MSH-14)."""

stamp = sa.Table(
    "hl7_stamp",
    metadata,
    *_columns(TEXT, "type", "id"),
    *_columns(NUMBER, "version", "revision"),
    sa.Column("stamps", TEXT, nullable=False),
    sa.PrimaryKeyConstraint("type", "id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""Of a resource the bridge has a hand in: the version it last wrote, the number of changes of this row, by which
writers notice each other, and as JSON the AsOf of what was stated (``record/standing.py``)."""

follow_up = sa.Table(
    "hl7_follow_up",
    metadata,
    *_columns(TEXT, "kind", "type", "id", "key"),
    *_columns(NUMBER, "due", "tries"),
    sa.PrimaryKeyConstraint("kind", "type", "id", "key"),
    sa.Index("hl7_follow_up_due", "due"),
    sa.Index("hl7_follow_up_key", "key", **_where("key <> ''")),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""What is still to be done to the record after a commit; ``key`` is the hash of the identity it waits for, or ''."""

unmapped = sa.Table(
    "hl7_unmapped",
    metadata,
    *_columns(TEXT, "sender", "source", "code", "system", "text", "place", "answer"),
    *_columns(NUMBER, "count", "message", "first", "last"),
    sa.PrimaryKeyConstraint("sender", "source", "code"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""The worklist: ``source`` is the HL7 table or target, ``message`` a sample, ``answer`` JSON of a Coding, '' while
there is none."""


unmapped_in = sa.Table(
    "hl7_unmapped_in",
    metadata,
    *_columns(TEXT, "sender", "source", "code"),
    sa.Column("message", NUMBER, nullable=False),
    sa.PrimaryKeyConstraint("sender", "source", "code", "message"),
    sa.Index("hl7_unmapped_in_message", "message"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""Which messages hold a code of the worklist: an answer makes them be read again."""

told = sa.Table(
    "hl7_told",
    metadata,
    *_columns(TEXT, "receiver", "type", "id", "control_id", "status", "start", "content"),
    *_columns(NUMBER, "version", "theirs"),
    sa.PrimaryKeyConstraint("receiver", "type", "id"),
    sa.Index("hl7_told_control", "receiver", "control_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""What a receiver was told last of a resource: version, status, start of an appointment, a hash of the rest.
``theirs``: it came from the receiver itself."""

position = sa.Table(
    "hl7_position",
    metadata,
    sa.Column("follower", TEXT, primary_key=True),
    sa.Column("position", NUMBER, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""The place in the record's changes that a follower has reached."""


reread = sa.Table(
    "hl7_reread",
    metadata,
    sa.Column("message", NUMBER, primary_key=True, autoincrement=False),
    sa.Column("who", TEXT, nullable=False),
    sa.Column("due", NUMBER, nullable=False),
    sa.Index("hl7_reread_due", "due"),
    sqlite_strict=True,
)
"""Messages that are to be read again from ``due`` (ms) on, because ``who`` answered a code."""

stranger = sa.Table(
    "hl7_stranger",
    metadata,
    *_columns(TEXT, "address", "reason"),
    *_columns(NUMBER, "times", "last"),
    sa.PrimaryKeyConstraint("address", "reason"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""How often who is no sender was refused at the door, and when last."""

_LATER = (reread, stranger)


def _initial(connection: sa.Connection) -> None:
    first = [table for table in metadata.sorted_tables if table not in _LATER]
    metadata.create_all(connection, first, checkfirst=False)


def _rereading_and_strangers(connection: sa.Connection) -> None:
    metadata.create_all(connection, _LATER, checkfirst=False)


MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "messages, lanes, stamps, follow-ups, unmapped codes", _initial),
    Migration(2, "messages to be read again, strangers", _rereading_and_strangers),
)
