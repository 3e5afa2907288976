"""Tables and migrations of the linkage, in SQLAlchemy Core: which facts the record has, and invitations.

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


MIGRATIONS: tuple[Migration, ...] = (Migration(1, "facts of visits, invitations", _initial),)
