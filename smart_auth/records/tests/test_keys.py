"""Signing keys: one signs, one waits, and rotation moves both at once."""

from smart_auth.model import SigningKey
from smart_auth.records import SqlRecords


def key(kid: str, begins: int = 0) -> SigningKey:
    return SigningKey(kid=kid, alg="RS256", public_jwk="{}", sealed=b"\0\1", created=1, begins=begins)


def roles(records: SqlRecords) -> dict[str, str]:
    return {row.kid: "retired" if row.retired else "signs" if row.begins else "waits" for row in records.signing_keys()}


def test_there_is_one_key_of_each_role(records: SqlRecords) -> None:
    put = [records.put_signing_key(each) for each in (key("a", 1), key("b", 1), key("c"), key("d"), key("a", 1))]
    assert put == [True, False, True, False, False]
    assert records.signing_keys() == [key("a", 1), key("c")]


def test_a_rotation_is_done_by_one(records: SqlRecords) -> None:
    records.put_signing_key(key("a", 1))
    records.put_signing_key(key("c"))
    assert [records.retire_signing_key(kid, 50) for kid in ("c", "a", "a")] == [False, True, False]
    assert roles(records) == {"a": "retired", "c": "signs"}
    assert records.put_signing_key(key("e"))


def test_only_a_retired_key_is_deleted(records: SqlRecords) -> None:
    records.put_signing_key(key("a", 1))
    records.put_signing_key(key("c"))
    records.retire_signing_key("a", 50)
    assert [records.delete_signing_key(kid) for kid in ("a", "a", "c")] == [True, False, False]
    assert roles(records) == {"c": "signs"}
