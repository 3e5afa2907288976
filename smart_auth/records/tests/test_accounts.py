"""Clients, people, passkeys, TOTP steps and failures: what is put comes back, what is used is used once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from smart_auth.errors import LastAdministrator, Taken
from smart_auth.model import Clearance, Client, ClientKind, Passkey, Person
from smart_auth.records import SqlRecords, engine_for

CLIENT = Client(
    id="growth",
    name="Growth Chart",
    kind=ClientKind.ASYMMETRIC,
    jwks='{"keys": []}',
    redirect_uris=("https://app.example/cb", "http://127.0.0.1/cb"),
    scopes="launch/patient patient/*.rs",
    backend=True,
    created=7,
)
ADA = Person(id="p1", login="ada", name="Ada Ögren", fhir_user="Practitioner/1", totp=b"\0\xff", created=5)
PASSKEY = Passkey(credential_id=b"\1\0", person="p1", public_key=b"key", sign_count=4)


def test_a_client_comes_back_as_it_was_put(records: SqlRecords) -> None:
    records.put_client(CLIENT)
    changed = msgspec.structs.replace(CLIENT, name="Charts", redirect_uris=(), backend=False, disabled=True)
    assert records.client("growth") == CLIENT
    records.put_client(changed)
    assert records.clients() == [changed]


def test_a_client_is_amended_in_the_named_fields_alone(records: SqlRecords) -> None:
    records.put_client(CLIENT)
    records.amend_client("growth", {"disabled": True})
    changed = records.amend_client("growth", {"name": "Charts", "redirect_uris": ("https://app.example/x",)})
    assert changed == records.client("growth")
    expected = {"name": "Charts", "redirect_uris": ("https://app.example/x",), "disabled": True}
    assert changed == msgspec.structs.replace(CLIENT, **expected)
    assert records.amend_client("nobody", {"disabled": True}) is None and len(records.clients()) == 1


def test_only_a_known_client_can_be_deleted(records: SqlRecords) -> None:
    records.put_client(CLIENT)
    assert records.delete_client("growth", 10)
    assert not records.delete_client("growth", 10)
    assert records.client("growth") is None


@pytest.mark.parametrize("id", ["\0", "growth\0", "\ud800", "x" * 100_000, "GROWTH", "growth ", "' OR 1=1 --", "%"])
def test_a_hostile_client_id_is_merely_unknown(records: SqlRecords, id: str) -> None:
    records.put_client(CLIENT)
    assert records.client(id) is None


def test_people_are_found_by_id_and_login(records: SqlRecords) -> None:
    records.put_person(ADA)
    assert records.person("p1") == records.person_by_login("ada") == ADA
    assert records.person_by_login("Ada") is None
    assert records.people() == [ADA]


def test_a_login_is_one_persons(records: SqlRecords) -> None:
    records.put_person(ADA)
    other = msgspec.structs.replace(ADA, id="p2")
    with pytest.raises(Taken):
        records.put_person(other)
    records.put_person(msgspec.structs.replace(other, login="bo"))
    with pytest.raises(Taken):
        records.put_person(other)
    assert records.person_by_login("ada") == ADA


def test_passkeys_are_of_one_person(records: SqlRecords) -> None:
    records.put_passkey(PASSKEY)
    with pytest.raises(Taken):
        records.put_passkey(msgspec.structs.replace(PASSKEY, person="thief"))
    assert records.passkey(b"\1\0") == PASSKEY
    assert records.passkeys("p1") == [PASSKEY]
    assert not records.delete_passkey("thief", b"\1\0")
    assert records.delete_passkey("p1", b"\1\0")
    assert records.passkey(b"\1\0") is None


def test_a_sign_counter_moves_from_what_was_seen(records: SqlRecords) -> None:
    records.put_passkey(PASSKEY)
    assert records.advance_passkey(b"\1\0", 4, 9)
    assert not records.advance_passkey(b"\1\0", 4, 10)
    assert not records.advance_passkey(b"other", 4, 10)


def test_a_totp_step_and_those_before_it_are_used_once(records: SqlRecords) -> None:
    asked = [("p1", 5), ("p1", 5), ("p1", 4), ("p1", 6), ("p2", 5)]
    assert [records.use_totp_step(*each) for each in asked] == [True, False, False, True, True]
    records.put_person(ADA)  # replaced whole, yet the step stays used
    assert not records.use_totp_step("p1", 6)


def test_failures_are_counted_until_they_are_forgotten(records: SqlRecords) -> None:
    assert records.failures("login:ada") == (0, 0)
    assert [records.failed("login:ada", now) for now in (10, 12)] == [1, 2]
    assert records.failed("login:" + "x\0" * 50_000, 11) == 1
    assert records.failures("login:ada") == (2, 12)
    records.forgive_failures("login:ada", 1)
    assert records.failures("login:ada") == (1, 12)
    records.forgive_failures("login:ada", 10)
    assert records.failures("login:ada") == (0, 12)
    records.forget_failures("login:ada")
    assert records.failures("login:ada") == (0, 0)


def test_only_the_fields_that_are_amended_are_written(records: SqlRecords) -> None:
    records.put_person(msgspec.structs.replace(ADA, password_argon2="old"))
    records.amend_person("p1", {"disabled": True})
    changed = records.amend_person("p1", {"password_argon2": "new"}, {"password_argon2": "old"})
    assert changed == records.person("p1") and changed and (changed.disabled, changed.password_argon2) == (True, "new")
    assert records.amend_person("p1", {"password_argon2": "newer"}, {"password_argon2": "old"}) is None
    assert records.amend_person("nobody", {"disabled": True}) is None


def test_people_are_found_page_by_page(records: SqlRecords) -> None:
    names = {"ada": "Ada 100%", "bo": "Bo", "cy": "Cy"}
    for login, name in names.items():
        records.put_person(Person(id=f"id {login}", login=login, name=name, fhir_user=f"Practitioner/{login}x"))
    found = [one.login for one in records.find_people("", "", 2)]
    assert found == ["ada", "bo"]
    assert [one.login for one in records.find_people("", found[-1], 2)] == ["cy"]
    for text, logins in (("BO", ["bo"]), ("0%", ["ada"]), ("%", ["ada"]), ("_", []), ("tioner/cyx", ["cy"])):
        assert [one.login for one in records.find_people(text, "", 9)] == logins


ROOT = Person(id="a", login="a1", name="A", administrator=True)


@pytest.mark.parametrize("changes", [{"disabled": True}, {"administrator": False}])
def test_the_last_administrator_stays(records: SqlRecords, changes: dict[str, bool]) -> None:
    records.put_person(ROOT)
    records.put_person(Person(id="b", login="b1", name="B", administrator=True, disabled=True))
    records.put_person(ADA)
    with pytest.raises(LastAdministrator):
        records.unseat("a", changes)
    assert records.person("a") == ROOT
    assert records.unseat(ADA.id, {"disabled": True}) == msgspec.structs.replace(ADA, disabled=True)
    records.amend_person("b", {"disabled": False})
    assert records.unseat("a", changes) == msgspec.structs.replace(ROOT, **changes)
    assert records.unseat("nobody", changes) is None


def test_of_all_administrators_at_the_same_moment_one_stays(url: str) -> None:
    """Each shuts out the next one, from connections of their own: as on different nodes."""
    count = 8
    engines = [engine_for(url) for _ in range(count)]
    nodes = [SqlRecords(engine) for engine in engines]
    people = [Person(id=f"id{n}", login=f"root{n}", name="R", administrator=True) for n in range(count)]
    barrier = threading.Barrier(count)

    def unseat(n: int) -> bool:
        barrier.wait()
        try:
            return nodes[n].unseat(people[(n + 1) % count].id, {"disabled": n % 2 == 0, "administrator": False}) is None
        except LastAdministrator:
            return True

    with ThreadPoolExecutor(count) as pool:
        for _ in range(5):
            for person in people:
                nodes[0].put_person(person)
            refused = list(pool.map(unseat, range(count)))
            left = [one for one in nodes[0].people() if one.administrator and not one.disabled]
            assert (refused.count(True), len(left)) == (1, 1)
    for engine in engines:
        engine.dispose()


def test_who_writes_a_whole_account_leaves_its_clearance(records: SqlRecords) -> None:
    """What was read before it was taken away does not give it back."""
    records.put_client(CLIENT)
    records.put_person(ADA)
    assert records.change_clearance(CLIENT, Clearance.VERY_RESTRICTED, 1, 2)
    assert records.change_clearance(ADA, Clearance.RESTRICTED, 1, 2)
    read, person = records.client(CLIENT.id), records.person(ADA.id)
    assert read and read.clearance is Clearance.VERY_RESTRICTED and person and person.clearance is Clearance.RESTRICTED
    assert records.change_clearance(read, Clearance.NORMAL, 1, 2)
    assert records.change_clearance(person, Clearance.NORMAL, 1, 2)
    records.put_client(msgspec.structs.replace(read, name="other"))
    records.put_person(msgspec.structs.replace(person, name="other"))
    assert records.client(CLIENT.id) == msgspec.structs.replace(CLIENT, name="other")
    assert records.person(ADA.id) == msgspec.structs.replace(ADA, name="other")
