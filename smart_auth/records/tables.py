"""Tables and migrations of the authorization server, in SQLAlchemy Core. Columns are named as the fields of the model.

RFC 6749 (codes, refresh tokens), RFC 7009 (revocation), RFC 7523 section 3 (assertions seen), RFC 7517 (keys).
"""

from typing import Any

import msgspec
import sqlalchemy as sa

from capability.rows import Migration

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")
BYTES = sa.LargeBinary()


class Words(sa.types.TypeDecorator[str]):
    """Text, compared byte by byte. What a database cannot hold (NUL, lone surrogates) becomes U+FFFD, so that a
    hostile client_id or login is merely unknown and no error."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        return dialect.type_descriptor(sa.Text(collation="C") if dialect.name == "postgresql" else sa.Text())

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else _storable(str(value))


class Json(sa.types.TypeDecorator[Any]):
    """A tuple or Struct of the model, as JSON text."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str:
        return msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        return msgspec.json.decode(value)


def _storable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


TEXT = Words()
JSON = Json()


def _column(name: str, type: Any, **options: Any) -> "sa.Column[Any]":
    return sa.Column(name, type, nullable=options.pop("nullable", False), **options)


def _key(name: str, type: Any = TEXT) -> "sa.Column[Any]":
    return _column(name, type, primary_key=True, autoincrement=False)


def _columns(type: Any, *names: str) -> "list[sa.Column[Any]]":
    return [_column(name, type) for name in names]


def _table(name: str, *parts: Any) -> sa.Table:
    return sa.Table(f"auth_{name}", metadata, *parts, sqlite_strict=True, sqlite_with_rowid=False)


def _where(condition: str) -> dict[str, Any]:
    return {"postgresql_where": sa.text(condition), "sqlite_where": sa.text(condition)}


metadata = sa.MetaData()

client = _table(
    "client",
    _key("id"),
    *_columns(TEXT, "name", "kind", "secret_argon2", "jwks", "jwks_uri", "launch_uri", "scopes"),
    _column("redirect_uris", JSON),
    *_columns(FLAG, "backend", "trusted", "ehr", "introspects", "disabled"),
    _column("created", NUMBER),
    _column("clearance", TEXT, server_default="N"),
)

person = _table(
    "person",
    _key("id"),
    _column("login", TEXT, unique=True),
    *_columns(TEXT, "name", "fhir_user", "patient", "password_argon2"),
    *_columns(FLAG, "administrator", "disabled"),
    _column("totp", BYTES),
    _column("created", NUMBER),
    _column("clearance", TEXT, server_default="N"),
)

totp_step = _table("totp_step", _key("person"), _column("step", NUMBER))
"""The last step of a person's TOTP that was used; apart from ``person``, which is replaced whole."""

passkey = _table(
    "passkey",
    _key("credential_id", BYTES),
    *_columns(TEXT, "person", "name"),
    _column("public_key", BYTES),
    *_columns(NUMBER, "sign_count", "created"),
    sa.Index("auth_passkey_person", "person"),
)

failure = _table(
    "failure", _key("subject_hash"), *_columns(NUMBER, "count", "last"), sa.Index("auth_failure_last", "last")
)
"""Hashed, because people type their password into the login field."""

link = _table("link", _key("link_hash"), *_columns(TEXT, "person", "purpose"), _column("expires", NUMBER))

session = _table(
    "session",
    _key("session_hash"),
    *_columns(TEXT, "person", "csrf"),
    _column("amr", JSON),
    *_columns(NUMBER, "created", "last_seen"),
    sa.Index("auth_session_person", "person"),
)

request = _table(
    "request", _key("request_hash"), _column("session_hash", TEXT), _column("data", BYTES), _column("expires", NUMBER)
)

launch = _table(
    "launch",
    _key("launch_hash"),
    _column("context", JSON),
    *_columns(TEXT, "client", "person"),
    _column("expires", NUMBER),
)

approval = _table(
    "approval",
    _key("id"),
    *_columns(TEXT, "client", "scopes", "person", "nonce", "session_hash"),
    _column("patient", TEXT, server_default=""),
    *_columns(JSON, "context", "amr"),
    _column("offline", FLAG),
    *_columns(NUMBER, "auth_time", "created", "last_used", "revoked"),
    sa.Index("auth_approval_person", "person", **_where("person <> ''")),
    sa.Index("auth_approval_session", "session_hash", **_where("session_hash <> ''")),
    sa.Index("auth_approval_client", "client"),
    sa.Index("auth_approval_patient", "patient", **_where("patient <> ''")),
)
"""``patient`` is that of the context, apart, because patients ask who has access to their data."""

code = _table(
    "code",
    _key("code_hash"),
    *_columns(TEXT, "approval", "client", "redirect_uri", "challenge"),
    _column("expires", NUMBER),
    _column("used", NUMBER, nullable=True),
)

refresh = _table(
    "refresh",
    _key("token_hash"),
    *_columns(TEXT, "approval", "client"),
    _column("expires", NUMBER),
    _column("used", NUMBER, nullable=True),
    sa.Index("auth_refresh_approval", "approval"),
)
"""``used`` stays for as long as the token could have lived: its use again is how a theft shows."""

revocation = _table(
    "revocation",
    _key("seq", NUMBER),
    _column("subject", TEXT),
    _column("expires", NUMBER),
    sa.Index("auth_revocation_subject", "subject"),
)

counter = _table("counter", _key("name"), _column("value", NUMBER))
"""One row, ``revocation``: the last seq given. See families.Families.revoking."""

assertion = _table("assertion", _key("assertion_hash"), _column("expires", NUMBER))
"""Client assertions that were seen: SHA-256 of issuer and jti, as neither has a length."""

_SIGNS = "retired = 0 AND begins > 0"
_WAITS = "retired = 0 AND begins = 0"

signing_key = _table(
    "signing_key",
    _key("kid"),
    *_columns(TEXT, "alg", "public_jwk"),
    _column("sealed", BYTES),
    *_columns(NUMBER, "created", "begins", "retired"),
    sa.Index("auth_signing_key_signs", "alg", unique=True, **_where(_SIGNS)),
    sa.Index("auth_signing_key_waits", "alg", unique=True, **_where(_WAITS)),
)
"""Of each ``alg`` one key signs and one waits for the next rotation, whoever makes them first."""


def _initial(connection: sa.Connection) -> None:
    metadata.create_all(connection, checkfirst=False)
    connection.execute(sa.insert(counter).values(name="revocation", value=0))


def _patients_of_approvals(connection: sa.Connection) -> None:
    """A database that was made now has the column already; families of before say nothing of their patient in it."""
    if not _has(connection, approval, "patient"):
        connection.execute(sa.text("ALTER TABLE auth_approval ADD COLUMN patient TEXT NOT NULL DEFAULT ''"))
        next(index for index in approval.indexes if index.name == "auth_approval_patient").create(connection)


def _clearances(connection: sa.Connection) -> None:
    """Of whom there was before nobody has one."""
    for table in (client, person):
        if not _has(connection, table, "clearance"):
            connection.execute(sa.text(f"ALTER TABLE {table.name} ADD COLUMN clearance TEXT NOT NULL DEFAULT 'N'"))


def _has(connection: sa.Connection, table: sa.Table, column: str) -> bool:
    return column in {known["name"] for known in sa.inspect(connection).get_columns(table.name)}


MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "clients, people, sessions, approvals, tokens, keys", _initial),
    Migration(2, "the patient in context of each approval", _patients_of_approvals),
    Migration(3, "who sees what is labelled restricted", _clearances),
)
