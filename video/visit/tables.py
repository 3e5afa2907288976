"""Tables and migrations of the linkage, in SQLAlchemy Core: which facts the record has, invitations, processes.

docs/adr/video-record.md. Nothing of a patient stands in clear.
"""

from typing import Any

import sqlalchemy as sa

from capability.rows import Migration

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BYTES = sa.LargeBinary()


def _columns(type: Any, *names: str) -> "list[sa.Column[Any]]":
    return [sa.Column(name, type, nullable=False) for name in names]


metadata = sa.MetaData()

fact = sa.Table(
    "video_fact",
    metadata,
    sa.Column("room", TEXT, nullable=False),
    sa.Column("number", NUMBER, nullable=False),
    sa.Column("kind", TEXT, nullable=False),
    sa.Column("at", NUMBER, nullable=False),
    sa.PrimaryKeyConstraint("room", "number"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""The facts that were written, each in the transaction of what it changed: none has a second effect."""

invitation = sa.Table(
    "video_invitation",
    metadata,
    sa.Column("id", TEXT, primary_key=True),
    *_columns(TEXT, "visit"),
    *_columns(BYTES, "secret", "body"),
    *_columns(NUMBER, "made", "expires", "revoked", "used"),
    sa.Index("video_invitation_visit", "visit", "made"),
    sa.Index("video_invitation_secret", "secret", unique=True),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""Links for those without an account. ``visit`` is a keyed hash of the Encounter, ``secret`` one of the link; ``body``
is sealed; times in ms since 1970 UTC, 0 for never; ``used`` when a ticket was last bought with it."""


def _initial(connection: sa.Connection) -> None:
    metadata.create_all(connection, checkfirst=False)


_places = sa.MetaData()

node = sa.Table(
    "video_node",
    _places,
    sa.Column("url", TEXT, primary_key=True),
    *_columns(NUMBER, "rooms", "draining", "beat"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""The video processes; ``beat``: when each last said that it is there (ms since 1970 UTC)."""

room = sa.Table(
    "video_room",
    _places,
    sa.Column("room", TEXT, primary_key=True),
    *_columns(TEXT, "node"),
    *_columns(NUMBER, "at"),
    sa.Index("video_room_node", "node", "at"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""Where each room is, since ``at``. It never moves: its facts are numbered there."""


def _with_places(connection: sa.Connection) -> None:
    _places.create_all(connection, checkfirst=False)


MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "facts of visits, invitations", _initial),
    Migration(2, "video processes and their rooms", _with_places),
)
