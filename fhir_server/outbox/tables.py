"""Tables and migrations of the outbox, in SQLAlchemy Core.

docs/adr/outbox.md. Nothing of a patient stands in clear: who and what a letter is about is sealed, or a keyed hash.
"""

import sqlalchemy as sa

from capability.rows import Migration

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BYTES = sa.LargeBinary()
_QUEUED = sa.text("state = 'queued'")

metadata = sa.MetaData()

letter = sa.Table(
    "outbox_letter",
    metadata,
    sa.Column("id", TEXT, primary_key=True),
    *(sa.Column(name, TEXT, nullable=False) for name in ("key", "about", "template", "state", "holder", "reason")),
    *(
        sa.Column(name, NUMBER, nullable=False)
        for name in ("since", "lead", "start", "due", "attempts", "lease", "made", "ended")
    ),
    sa.Column("body", BYTES, nullable=False),
    sa.Index("outbox_letter_key", "key", unique=True),
    sa.Index("outbox_letter_about", "about"),
    sa.Index("outbox_letter_due", "due", sqlite_where=_QUEUED, postgresql_where=_QUEUED),
    sa.Index("outbox_letter_ended", "state", "ended"),
    sa.Index("outbox_letter_start", "start"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""``key`` is what a letter is for, so that it is queued once; ``about`` a keyed hash of the Appointment, ``since`` the
version of it that asked for the letter; ``lead`` minutes before ``start`` (0: at once). ``state`` is queued, sent,
failed or cancelled, ``reason`` a word for why. ``lease`` is until when ``holder`` sends it; times in ms since 1970 UTC.
``body`` is sealed, and empty when the letter has ended."""

link = sa.Table(
    "outbox_link",
    metadata,
    sa.Column("about", TEXT, primary_key=True),
    sa.Column("made", NUMBER, nullable=False),
    sa.Column("body", BYTES, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""The link into a visit that its letters carry, sealed: one for all of them."""

follower = sa.Table(
    "outbox_follower",
    metadata,
    sa.Column("name", TEXT, primary_key=True),
    sa.Column("position", NUMBER, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""The place in the record's changes up to which letters are planned."""


def _initial(connection: sa.Connection) -> None:
    metadata.create_all(connection, checkfirst=False)


MIGRATIONS: tuple[Migration, ...] = (Migration(1, "letters", _initial),)
