"""Tables and migrations of the store, in SQLAlchemy Core; imported only to migrate, so that serving need not load it.

FHIR R4 RESTful API (https://hl7.org/fhir/R4/http.html): resources, versions, and what they are searched by.
"""

from contextlib import closing
from importlib.resources import files
from typing import Any

import sqlalchemy as sa

from capability.rows import Migration

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SMALL = sa.Integer()
FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")
BYTES = sa.LargeBinary()
TEXT = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")


def _column(name: str, type: Any, **options: Any) -> "sa.Column[Any]":
    return sa.Column(name, type, nullable=options.pop("nullable", False), **options)


def _table(metadata: sa.MetaData, name: str, *parts: Any, rowid: bool = False, **options: Any) -> sa.Table:
    return sa.Table(name, metadata, *parts, sqlite_strict=True, sqlite_with_rowid=rowid, **options)


metadata = sa.MetaData()
_PATIENT = sa.text("type = 'Patient'")
_DELETED = sa.text("deleted")

resource = _table(
    metadata,
    "resource",
    _column("rid", NUMBER, primary_key=True, autoincrement=False),
    _column("o", NUMBER, unique=True),
    _column("tenant", SMALL),
    _column("type", TEXT),
    _column("id", TEXT),
    _column("version", SMALL),
    _column("seq", NUMBER),
    _column("updated", NUMBER),
    _column("deleted", FLAG),
    _column("op", TEXT),
    _column("subj", NUMBER),
    _column("doc", BYTES),
    sa.UniqueConstraint("tenant", "type", "id", name="resource_id"),
    sa.Index("resource_seq", "tenant", "type", "seq"),
    sa.Index("resource_updated", "tenant", "type", "updated", "o"),
    sa.Index("resource_deleted", "tenant", "type", "seq", postgresql_where=_DELETED, sqlite_where=_DELETED),
    sa.Index("resource_patient", "subj", postgresql_where=_PATIENT, sqlite_where=_PATIENT),
    rowid=True,
)
"""Current versions. ``subj`` is the hash of the main patient reference, 0 when there is none; that of a Patient is its
own, so that the patients some resources are about are found without a document being read."""

history = _table(
    metadata,
    "history",
    _column("rid", NUMBER, primary_key=True, autoincrement=False),
    _column("version", SMALL, primary_key=True, autoincrement=False),
    _column("tenant", SMALL),
    _column("type", TEXT),
    _column("id", TEXT),
    _column("seq", NUMBER),
    _column("updated", NUMBER),
    _column("until", NUMBER),
    _column("deleted", FLAG),
    _column("op", TEXT),
    _column("doc", BYTES),
    sa.Index("history_seq", "tenant", "type", "seq"),
)
"""Superseded versions; ``until`` is when the next one came (ms)."""

post = _table(
    metadata,
    "post",
    _column("h", NUMBER, primary_key=True, autoincrement=False),
    _column("o", NUMBER, primary_key=True, autoincrement=False),
)

rng = _table(
    metadata,
    "rng",
    _column("h", NUMBER, primary_key=True, autoincrement=False),
    _column("lo", NUMBER, primary_key=True, autoincrement=False),
    _column("hi", NUMBER, primary_key=True, autoincrement=False),
    _column("o", NUMBER, primary_key=True, autoincrement=False),
    sa.Index("rng_place", "h", "o"),
)

str_ = _table(
    metadata,
    "str",
    _column("h", NUMBER, primary_key=True, autoincrement=False),
    _column("norm", TEXT, primary_key=True),
    _column("o", NUMBER, primary_key=True, autoincrement=False),
    sa.Index("str_place", "h", "o"),
)

dic = _table(
    metadata,
    "dic",
    _column("h", NUMBER, primary_key=True, autoincrement=False),
    _column("display", TEXT, primary_key=True),
    _column("tenant", SMALL),
    _column("type", TEXT),
    _column("branch", TEXT),
    _column("form", TEXT),
    _column("system", TEXT),
    _column("code", TEXT),
    _column("unit", TEXT),
    sa.Index("dic_code", "tenant", "type", "branch", "form", "code"),
    rowid=True,
)

outbox = _table(
    metadata,
    "outbox",
    _column("seq", NUMBER, primary_key=True, autoincrement=False),
    _column("n", SMALL, primary_key=True, autoincrement=False),
    _column("tenant", SMALL),
    _column("topic", TEXT),
    _column("body", BYTES),
)

audit = _table(
    metadata,
    "audit",
    _column("chain", NUMBER, primary_key=True, autoincrement=False),
    _column("n", NUMBER, primary_key=True, autoincrement=False),
    _column("recorded", NUMBER, primary_key=True, autoincrement=False),
    _column("tenant", SMALL),
    _column("action", TEXT),
    _column("interaction", TEXT),
    _column("outcome", SMALL),
    *(_column(name, TEXT) for name in ("who", "client", "address", "purpose")),
    *(_column(name, TEXT) for name in ("request", "patient", "entity", "detail")),
    _column("hash", BYTES),
    sa.Index("audit_patient", "patient", "recorded", postgresql_where=sa.text("patient <> ''")),
    sa.Index("audit_entity", "entity", "recorded", postgresql_where=sa.text("entity <> ''")),
    sa.Index("audit_who", "who", "recorded"),
    sa.Index("audit_recorded", "recorded", postgresql_using="brin", postgresql_with={"autosummarize": True}),
    postgresql_partition_by="RANGE (recorded)",
)

audit_checkpoint = _table(
    metadata,
    "audit_checkpoint",
    _column("n", NUMBER, primary_key=True, autoincrement=False),
    _column("recorded", NUMBER),
    _column("key", NUMBER),
    _column("body", BYTES),
    _column("signature", BYTES),
)

key = _table(
    metadata,
    "key",
    _column("name", TEXT, primary_key=True),
    _column("id", NUMBER, primary_key=True, autoincrement=False),
    _column("sealed", BYTES),
    _column("created", NUMBER),
)

patient_key = _table(
    metadata,
    "patient_key",
    _column("tenant", SMALL, primary_key=True, autoincrement=False),
    _column("patient", TEXT, primary_key=True),
    _column("id", NUMBER, unique=True),
    _column("sealed", BYTES, nullable=True),
    _column("created", NUMBER),
    _column("destroyed", NUMBER, nullable=True),
)
"""Keys of documents at rest; ``sealed`` is NULL once the key was destroyed, which erases the documents."""

counter = sa.Table(
    "counter",
    sa.MetaData(),
    _column("name", TEXT, primary_key=True),
    _column("value", NUMBER),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""SQLite's stand-in for the sequences of PostgreSQL."""

expansions = sa.MetaData()

expansion = _table(
    expansions,
    "expansion",
    _column("id", NUMBER, primary_key=True, autoincrement=False),
    _column("tenant", SMALL),
    _column("name", TEXT),
    _column("view", TEXT),
    _column("asked", TEXT),
    _column("size", NUMBER),
    _column("whole", SMALL),
    _column("n", NUMBER),
    sa.Index("expansion_name", "tenant", "name", "n"),
    rowid=True,
)
"""Sets of codes that searches ask for; ``view`` are the versions of all resources that one was made from."""

expansion_code = _table(
    expansions,
    "expansion_code",
    _column("expansion", NUMBER, primary_key=True, autoincrement=False),
    _column("system", TEXT, primary_key=True),
    _column("code", TEXT, primary_key=True),
)


def _initial(connection: sa.Connection) -> None:
    metadata.create_all(connection, checkfirst=False)
    if connection.dialect.name == "sqlite":
        counter.create(connection)
        connection.execute(sa.insert(counter), [{"name": "seq", "value": 0}, {"name": "rid", "value": 0}])
    _run(connection, f"{connection.dialect.name}.sql")


def _run(connection: sa.Connection, name: str) -> None:
    """The statements of a script."""
    with closing(connection.connection.cursor()) as cursor:  # the driver's own: no % in them is a placeholder
        for statement in script(name):
            cursor.execute(statement)


def script(name: str) -> list[str]:
    """The statements of one file of this package's ``sql`` folder; they are separated by lines of ``--;``."""
    text = files("fhir_server.store").joinpath("sql", name).read_text("utf-8")
    return [part.strip() for part in text.split("\n--;\n") if part.strip()]


def _expansions(connection: sa.Connection) -> None:
    expansions.create_all(connection, checkfirst=False)


def _ends(connection: sa.Connection) -> None:
    """What ends after a time, or is greater than a number, says nothing of where it begins."""
    connection.exec_driver_sql("CREATE INDEX rng_end ON rng (h, hi, o)")


rebuild = _table(
    sa.MetaData(),
    "rebuild",
    _column("type", TEXT, primary_key=True),
    _column("place", NUMBER),
    _column("examined", NUMBER),
    _column("repaired", NUMBER),
)
"""Walks over the index that are not done yet: of ``type`` ('' is all) everything up to ``place`` was examined."""


def _rebuilds(connection: Any) -> None:
    rebuild.create(connection)


stored_parameters = sa.MetaData()

parameter_generation = _table(
    stored_parameters,
    "parameter_generation",
    _column("one", SMALL, primary_key=True, autoincrement=False),
    _column("generation", NUMBER),
    _column("applied", NUMBER),
)
"""One row, or none before the first SearchParameter: how often one was written, and up to which of these writes table
parameter says what is in force."""

parameter = _table(
    stored_parameters,
    "parameter",
    _column("n", NUMBER, primary_key=True, autoincrement=False),
    _column("id", TEXT),
    _column("definition", TEXT),
    _column("status", TEXT),
    _column("place", NUMBER),
    _column("done", NUMBER),
    _column("total", NUMBER),
)
"""Stored search parameters: ``n`` is never given twice and names the index entries, ``id`` is the SearchParameter.
``status`` is indexing (``done`` of ``total`` resources, up to ``place``), ready, or removed (since generation
``place``). The row with n = 0 is the walk over the whole index that somebody asked for."""


def _parameters(connection: sa.Connection) -> None:
    stored_parameters.create_all(connection, checkfirst=False)
    _run(connection, f"{connection.dialect.name}_parameters.sql")
    connection.exec_driver_sql(
        "INSERT INTO parameter_generation (one, generation, applied)"
        " SELECT 0, 1, 0 WHERE EXISTS (SELECT 1 FROM resource WHERE type = 'SearchParameter')"
    )


def _whole_walk(connection: sa.Connection) -> None:
    """What is there was indexed for fewer searches (:contains, _text, near, US Core's parameters): the worker walks
    over it, as if somebody had asked. A walk that was under way begins anew: it looked for less."""
    connection.exec_driver_sql("DELETE FROM parameter WHERE n = 0")
    connection.exec_driver_sql("DELETE FROM rebuild")
    connection.exec_driver_sql(
        "INSERT INTO parameter (n, id, definition, status, place, done, total)"
        " SELECT 0, '', '', 'indexing', -1, 0, 0 WHERE EXISTS (SELECT 1 FROM resource)"
    )


MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "resources, history, postings, audit, keys", _initial),
    Migration(2, "expansions of value sets", _expansions),
    Migration(3, "ranges by their ends", _ends),
    Migration(4, "how far rebuilding the index is", _rebuilds),
    Migration(5, "stored search parameters", _parameters),
    Migration(6, "the whole index has more of each resource", _whole_walk),
)
