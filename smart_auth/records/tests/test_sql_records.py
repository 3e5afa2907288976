"""Purging: what still proves something stays, everything else goes."""

import sqlalchemy as sa

from smart_auth.model import Approval, Code, Context, Launch, RefreshToken, Session, SigningKey
from smart_auth.ports import Records
from smart_auth.records import SqlRecords, tables
from smart_auth.records.sql_records import DAY

NOW = 100 * DAY
LONG_AGO = NOW - 10 * DAY


def family(id: str, **fields: int | bool | str) -> Approval:
    return Approval(id=id, client="c", scopes="", **{"created": LONG_AGO, "last_used": LONG_AGO, **fields})  # type: ignore[arg-type]


def code(hash: str, approval: str, expires: int) -> Code:
    return Code(code_hash=hash, approval=approval, client="c", redirect_uri="", challenge="", expires=expires)


def token(hash: str, approval: str, expires: int) -> RefreshToken:
    return RefreshToken(token_hash=hash, approval=approval, client="c", expires=expires)


def left(records: SqlRecords, table: sa.Table) -> set[str]:
    return {row[0] for row in records.rows(sa.select(next(iter(table.primary_key))))}


def test_the_class_meets_the_port(records: SqlRecords) -> None:
    met: Records = records
    assert met.purge(NOW) == 0


def test_families_without_a_living_token_go(records: SqlRecords) -> None:
    records.put_approval(family("dead"), code("c dead", "dead", LONG_AGO))
    records.put_approval(family("young", last_used=NOW - 60))
    records.put_approval(family("offline", offline=True), refresh=token("t1", "offline", NOW + DAY))
    records.put_approval(family("lapsed", offline=True), refresh=token("t lapsed", "lapsed", LONG_AGO))
    records.put_approval(family("revoked", revoked=LONG_AGO), refresh=token("t revoked", "revoked", NOW + DAY))
    records.put_approval(family("just revoked", revoked=NOW - 5), refresh=token("t2", "just revoked", NOW + DAY))
    assert records.purge(NOW) == 6
    assert left(records, tables.approval) == {"young", "offline", "just revoked"}
    assert left(records, tables.refresh) == {"t1", "t2"}
    assert left(records, tables.code) == set()


def test_used_secrets_stay_to_tell_of_theft(records: SqlRecords) -> None:
    records.put_approval(family("f", last_used=NOW), code("c", "f", NOW - 3600), token("t", "f", NOW + DAY))
    records.use_code("c", NOW - 3610)
    assert records.rotate("t", token("t2", "f", NOW + DAY), NOW - 5)
    records.purge(NOW)
    assert records.use_code("c", NOW) == (code("c", "f", NOW - 3600), False)
    assert records.used_at("t") == NOW - 5


def test_what_expired_goes_and_the_rest_stays(records: SqlRecords) -> None:
    for when, name in ((LONG_AGO, "old"), (NOW + 60, "new")):
        records.put_link(name, "p", "reset", when)
        records.put_request(name, "s", b"", when)
        records.put_launch(Launch(launch_hash=name, context=Context(), expires=when))
        records.use_jti("issuer", name, when)
        records.revoke_jti(name, when, when)
        records.failed(name, when)
    records.purge(NOW)
    for table in (tables.link, tables.request, tables.launch):
        assert left(records, table) == {"new"}
    assert [len(left(records, table)) for table in (tables.assertion, tables.failure)] == [1, 1]
    assert [row.subject for row in records.revocations(0)] == ["jti:new"]


def test_sessions_that_nobody_came_back_to_end_with_their_online_families(records: SqlRecords) -> None:
    for name, seen in (("old", LONG_AGO), ("new", NOW - 60)):
        records.put_session(Session(session_hash=name, person="p", csrf="", amr=(), created=LONG_AGO, last_seen=seen))
        records.put_approval(family(name, session_hash=name, last_used=NOW - 60))
    records.purge(NOW)
    assert left(records, tables.session) == {"new"}
    revoked = {id: bool(found.revoked) for id in ("old", "new") if (found := records.approval(id))}
    assert revoked == {"old": True, "new": False}


def test_keys_that_verify_nothing_go(records: SqlRecords) -> None:
    for kid in ("old", "new", "signs"):
        records.put_signing_key(SigningKey(kid=kid, alg="RS256", public_jwk="{}", sealed=b"", created=1, begins=1))
        if kid != "signs":
            records.retire_signing_key(kid, LONG_AGO if kid == "old" else NOW - 60)
    records.purge(NOW)
    assert {row.kid for row in records.signing_keys()} == {"new", "signs"}
