"""Codes and refresh tokens are used once by any number of threads; families end with person, session or client."""

from collections.abc import Callable
from itertools import pairwise
from threading import Barrier, Thread
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smart_auth.model import (
    Approval,
    Clearance,
    Client,
    Code,
    Context,
    Launch,
    Passkey,
    Person,
    RefreshToken,
    Session,
    SigningKey,
)
from smart_auth.ports import Revocation
from smart_auth.records import SqlRecords, engine_for, tables
from smart_auth.records.families import SLACK

FAMILY = Approval(
    id="f1",
    client="growth",
    scopes="patient/*.rs",
    person="p1",
    context=Context(patient="1"),
    session_hash="s1",
    created=10,
    amr=("pwd",),
)
CODE = Code(code_hash="c1", approval="f1", client="growth", redirect_uri="https://app/cb", challenge="x", expires=100)
REFRESH = RefreshToken(token_hash="t1", approval="f1", client="growth", expires=100)
THREADS = 20


def together(call: Callable[[int], Any]) -> list[Any]:
    """What ``call`` gave in each of 20 threads that start at once."""
    barrier, told = Barrier(THREADS), []

    def run(number: int) -> None:
        barrier.wait()
        told.append(call(number))

    threads = [Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == THREADS
    return told


def successor(number: int) -> RefreshToken:
    return msgspec.structs.replace(REFRESH, token_hash=f"next {number}")


def living(records: SqlRecords, *ids: str) -> list[str]:
    return [id for id in ids if (found := records.approval(id)) and not found.revoked]


def subjects(records: SqlRecords) -> list[str]:
    return [row.subject for row in records.revocations(0)]


def test_a_family_comes_back_as_it_was_put(records: SqlRecords) -> None:
    records.put_approval(FAMILY, CODE, REFRESH)
    later = msgspec.structs.replace(FAMILY, id="f2", created=20, offline=True)
    records.put_approval(later)
    assert records.approval("f1") == FAMILY
    assert records.approvals("p1") == [later, FAMILY]
    assert records.code("c1") == CODE
    assert records.refresh("t1") == REFRESH
    assert records.approval("f3") is records.code("c2") is records.refresh("t2") is None


def test_a_family_is_stored_whole_or_not_at_all(records: SqlRecords) -> None:
    records.put_approval(FAMILY, CODE)
    with pytest.raises(sa.exc.IntegrityError):
        records.put_approval(msgspec.structs.replace(FAMILY, id="f2"), CODE)
    assert records.approval("f2") is None


def test_a_code_is_used_once_and_its_second_use_is_told(records: SqlRecords) -> None:
    records.put_approval(FAMILY, CODE)
    assert records.use_code("c1", 100) is None  # expired
    assert records.use_code("c2", 50) is None
    assert [records.use_code("c1", now) for now in (50, 51, 500)] == [(CODE, True), (CODE, False), (CODE, False)]


def test_a_code_of_a_revoked_family_is_worth_nothing(records: SqlRecords) -> None:
    records.put_approval(FAMILY, CODE)
    records.revoke_family("f1", 20, 30)
    assert records.use_code("c1", 21) is None


def test_of_twenty_threads_one_redeems_a_code(records: SqlRecords) -> None:
    for turn in range(3):
        records.put_approval(
            msgspec.structs.replace(FAMILY, id=f"f{turn}"),
            msgspec.structs.replace(CODE, code_hash=f"c{turn}", approval=f"f{turn}"),
        )
        told = together(lambda _, turn=turn: records.use_code(f"c{turn}", 50))
        assert sorted(first for _, first in told) == [False] * (THREADS - 1) + [True]


def test_of_twenty_threads_one_rotates_a_refresh_token(records: SqlRecords) -> None:
    records.put_approval(FAMILY, refresh=REFRESH)
    for _ in range(3):
        records.put_refresh(msgspec.structs.replace(REFRESH, token_hash=f"next {THREADS}"))
        told = together(lambda number: number if records.rotate(f"next {THREADS}", successor(number), 50) else None)
        winners = [number for number in told if number is not None]
        assert len(winners) == 1
        assert [number for number in range(THREADS) if records.refresh(f"next {number}")] == winners
        with records.write() as connection:
            connection.execute(sa.delete(tables.refresh))


@pytest.mark.parametrize("what", ["launch", "link", "request", "jti", "totp", "passkey", "signing key"])
def test_of_twenty_threads_one_uses_anything_else(records: SqlRecords, what: str) -> None:
    uses = _USES[what]
    uses[0](records)
    assert sum(bool(told) for told in together(lambda number: uses[1](records, number))) == 1


def _key(number: int) -> SigningKey:
    return SigningKey(kid=f"k{number}", alg="RS256", public_jwk="{}", sealed=b"", created=1, begins=1)


def _launch() -> Launch:
    return Launch(launch_hash="h", context=Context(), expires=100)


def _passkey() -> Passkey:
    return Passkey(credential_id=b"k", person="p1", public_key=b"", sign_count=1)


_USES: dict[str, tuple[Callable[[SqlRecords], object], Callable[[SqlRecords, int], object]]] = {
    "launch": (lambda r: r.put_launch(_launch()), lambda r, _: r.use_launch("h", 50)),
    "link": (lambda r: r.put_link("l", "p1", "reset", 100), lambda r, _: r.use_link("l", "reset", 50)),
    "request": (lambda r: r.put_request("q", "s", b"x", 100), lambda r, _: r.use_request("q", "s", 50)),
    "jti": (lambda r: None, lambda r, _: r.use_jti("issuer", "jti", 100)),
    "totp": (lambda r: None, lambda r, _: r.use_totp_step("p1", 7)),
    "passkey": (lambda r: r.put_passkey(_passkey()), lambda r, n: r.advance_passkey(b"k", 1, 2 + n)),
    "signing key": (lambda r: None, lambda r, n: r.put_signing_key(_key(n))),
}


def test_twenty_threads_failures_are_all_counted(records: SqlRecords) -> None:
    assert sorted(together(lambda _: records.failed("login:ada", 5))) == list(range(1, THREADS + 1))


def test_what_cannot_be_rotated_stores_nothing(records: SqlRecords) -> None:
    records.put_approval(FAMILY, refresh=REFRESH)
    records.put_approval(msgspec.structs.replace(FAMILY, id="f2"))
    foreign = msgspec.structs.replace(successor(1), approval="f2")
    others = msgspec.structs.replace(successor(1), client="thief")
    assert not records.rotate("t1", successor(1), 100)  # expired
    assert not records.rotate("unknown", successor(1), 50)
    assert not records.rotate("t1", foreign, 50)
    assert not records.rotate("t1", others, 50)
    assert records.used_at("t1") is None
    records.revoke_family("f1", 40, 60)
    assert not records.rotate("t1", successor(1), 50)
    assert records.refresh("next 1") is None


def test_when_a_refresh_token_was_used_is_known(records: SqlRecords) -> None:
    records.put_approval(FAMILY, refresh=REFRESH)
    assert records.rotate("t1", successor(1), 50)
    assert (records.used_at("t1"), records.used_at("next 1"), records.used_at("unknown")) == (50, None, None)


def test_the_last_use_of_a_family_only_moves_forward(records: SqlRecords) -> None:
    records.put_approval(FAMILY)
    for now in (50, 40):
        records.touch_approval("f1", now)
    assert records.approval("f1") == msgspec.structs.replace(FAMILY, last_used=50)


# revocation


def test_a_revoked_family_is_listed_until_its_tokens_are_dead(records: SqlRecords) -> None:
    records.put_approval(FAMILY)
    records.revoke_family("f1", 20, 3620)
    assert living(records, "f1") == []
    assert records.approvals("p1") == []
    assert records.revocations(0) == [Revocation(1, "family:f1", 3620 + SLACK)]
    assert records.revocations(1) == []


def test_revoking_again_lists_again_only_for_longer(records: SqlRecords) -> None:
    records.put_approval(FAMILY)
    for keep in (100, 100, 90, 200):
        records.revoke_family("f1", 20, keep)
    assert [row.expires - SLACK for row in records.revocations(0)] == [100, 200]
    found = records.approval("f1")
    assert found is not None
    assert found.revoked == 20


def test_a_family_without_a_row_can_be_revoked(records: SqlRecords) -> None:
    records.revoke_family("hearth-cli", 20, 100)
    records.revoke_jti("j1", 20, 100)
    assert subjects(records) == ["family:hearth-cli", "jti:j1"]


def test_a_persons_families_end_together(records: SqlRecords) -> None:
    for id, person in (("f1", "p1"), ("f2", "p1"), ("f3", "p2")):
        records.put_approval(msgspec.structs.replace(FAMILY, id=id, person=person, offline=True))
    records.revoke_person("p1", 20, 100)
    assert living(records, "f1", "f2", "f3") == ["f3"]
    assert sorted(subjects(records)) == ["family:f1", "family:f2"]


def test_a_log_in_takes_its_online_families_along(records: SqlRecords) -> None:
    records.put_session(Session(session_hash="s1", person="p1", csrf="", amr=(), created=1, last_seen=1))
    families = (("online", "s1", False), ("offline", "s1", True), ("other", "s2", False), ("backend", "", False))
    for id, session, offline in families:
        records.put_approval(msgspec.structs.replace(FAMILY, id=id, session_hash=session, offline=offline))
    assert records.end_session("s1", 20)
    assert living(records, *(family[0] for family in families)) == ["offline", "other", "backend"]
    assert records.revocations(0) == [Revocation(1, "family:online", 20 + 3600 + SLACK)]


def test_a_deleted_client_takes_its_families_along(records: SqlRecords) -> None:
    records.put_approval(FAMILY)
    records.put_approval(msgspec.structs.replace(FAMILY, id="f2", client="other"))
    records.delete_client("growth", 20)
    assert living(records, "f1", "f2") == ["f2"]


def test_listeners_hear_what_was_committed(records: SqlRecords) -> None:
    heard: list[Revocation] = []
    records.when_revoked(heard.extend)
    records.revoke_jti("j1", 20, 100)
    records.revoke_jti("j1", 20, 100)
    assert heard == records.revocations(0)


def test_a_revocation_that_fails_is_not_heard_and_leaves_no_gap(records: SqlRecords) -> None:
    heard: list[Revocation] = []
    records.when_revoked(heard.extend)
    with pytest.raises(RuntimeError), records.revoking() as revoking:
        revoking.add(["jti:j1"], 100)
        raise RuntimeError
    assert heard == records.revocations(0) == []
    records.revoke_jti("j2", 20, 100)
    assert [row.seq for row in records.revocations(0)] == [1]


def test_a_poller_misses_nothing_of_twenty_who_revoke_at_once(records: SqlRecords, url: str) -> None:
    engine = engine_for(url)
    polled: list[Revocation] = []
    done = False

    def poll() -> None:
        poller, last = SqlRecords(engine), False
        while not last:
            last = done
            polled.extend(poller.revocations(polled[-1].seq if polled else 0))

    thread = Thread(target=poll)
    thread.start()
    together(lambda number: [records.revoke_jti(f"{number}.{n}", 20, 100) for n in range(3)])
    done = True
    thread.join()
    engine.dispose()
    assert len({row.subject for row in polled}) == len(polled) == 3 * THREADS
    assert all(a.seq + 1 == b.seq for a, b in pairwise(polled))


def test_a_row_is_not_visible_below_one_that_was_read(records: SqlRecords) -> None:
    """While one transaction holds a number, no other can commit a higher one."""
    overtaker = Thread(target=lambda: records.revoke_jti("late", 20, 100))
    with records.revoking() as revoking:
        revoking.add(["jti:early"], 100)
        overtaker.start()
        overtaker.join(0.2)
        assert overtaker.is_alive()
    overtaker.join()
    assert subjects(records) == ["jti:early", "jti:late"]


# replay of assertions


def test_an_assertion_is_seen_once_by_issuer_and_jti(records: SqlRecords) -> None:
    asked = [("a", "b"), ("a", "b"), ("a", "c"), ("ab", ""), ("", "ab"), ("a", "b\0" * 9000), ("a", "\ud800")]
    assert [records.use_jti(*each, 100) for each in asked] == [True, False, True, True, True, True, True]


# a family under any order of events

_EVENT = st.one_of(
    st.tuples(st.just("rotate"), st.integers(0, 3)),
    st.tuples(st.just("revoke"), st.just(0)),
    st.tuples(st.just("wait"), st.integers(1, 60)),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(events=st.lists(_EVENT, max_size=12))
def test_rotation_is_a_chain_whatever_happens(records: SqlRecords, events: list[tuple[str, int]]) -> None:
    """Only the youngest living token of a living family rotates; every other attempt stores nothing."""
    with records.write() as connection:
        for table in (tables.approval, tables.refresh, tables.revocation):
            connection.execute(sa.delete(table))
    records.put_approval(FAMILY, refresh=msgspec.structs.replace(REFRESH, token_hash="0"))
    now, chain, revoked = 10, [100], False
    for event, number in events:
        if event == "wait":
            now += number
        elif event == "revoke":
            records.revoke_family("f1", now, now)
            revoked = True
        else:
            expected = number == len(chain) - 1 and chain[number] > now and not revoked
            new = msgspec.structs.replace(REFRESH, token_hash=str(len(chain)), expires=now + 90)
            assert records.rotate(str(number), new, now) == expected
            chain += [now + 90] if expected else []
    assert records.refresh(str(len(chain))) is None


def test_a_client_ends_with_all_its_families(records: SqlRecords) -> None:
    records.put_approval(FAMILY)
    records.put_approval(msgspec.structs.replace(FAMILY, id="f2", client="other"))
    records.revoke_client("growth", 50, 60)
    assert living(records, "f1", "f2") == ["f2"] and subjects(records) == ["family:f1"]


def test_who_else_has_access_to_a_patient(records: SqlRecords) -> None:
    relative = Person(id="r", login="bo", name="Bo", fhir_user="RelatedPerson/r1", patient="1")
    records.put_person(relative)
    made = {
        "mine": {"person": "p1"},
        "nurse's": {"person": "n", "created": 30},
        "relative's": {"person": "r", "context": Context(), "created": 20},
        "of another": {"person": "n", "context": Context(patient="2")},
        "ended": {"person": "n", "revoked": 5},
        "service's": {"person": ""},
    }
    for id, fields in made.items():
        records.put_approval(msgspec.structs.replace(FAMILY, id=id, **fields))
    assert [one.id for one in records.approvals_about("1", "p1")] == ["nurse's", "relative's"]
    assert not records.approvals_about("", "p1")


@pytest.mark.parametrize("kind", [Client, Person])
def test_a_clearance_taken_away_ends_families(records: SqlRecords, kind: type[Client] | type[Person]) -> None:
    of = Client(id="c", name="C") if kind is Client else Person(id="p", login="p1", name="P")
    records.put_client(Client(id="c", name="C"))
    records.put_person(Person(id="p", login="p1", name="P"))
    records.put_approval(msgspec.structs.replace(FAMILY, id="mine", client="c", person="p"))
    records.put_approval(msgspec.structs.replace(FAMILY, id="another's", client="d", person="q"))
    assert records.change_clearance(of, Clearance.VERY_RESTRICTED, 10, 20)
    assert not records.change_clearance(of, Clearance.RESTRICTED, 10, 20), "it was changed since"
    assert not records.revocations(0)
    cleared = msgspec.structs.replace(of, clearance=Clearance.VERY_RESTRICTED)
    assert records.change_clearance(cleared, Clearance.RESTRICTED, 10, 20)
    assert [row.subject for row in records.revocations(0)] == ["family:mine"]


def test_an_older_database_gets_clearances(url: str, records: SqlRecords) -> None:
    engine = engine_for(url)
    with engine.begin() as connection:
        for table in ("auth_client", "auth_person"):
            connection.execute(sa.text(f"ALTER TABLE {table} DROP COLUMN clearance"))
        tables.MIGRATIONS[2].apply(connection)
        tables.MIGRATIONS[2].apply(connection)  # as on a database that was made with it
    engine.dispose()
    records.put_client(Client(id="c", name="C"))
    found = records.client("c")
    assert found and found.clearance is Clearance.NORMAL


def test_an_older_database_gets_the_patient_of_families(url: str, records: SqlRecords) -> None:
    engine = engine_for(url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP INDEX auth_approval_patient"))
        connection.execute(sa.text("ALTER TABLE auth_approval DROP COLUMN patient"))
        tables.MIGRATIONS[1].apply(connection)
        tables.MIGRATIONS[1].apply(connection)  # as on a database that was made with it
    engine.dispose()
    records.put_approval(FAMILY)
    assert [one.id for one in records.approvals_about("1", "x")] == ["f1"]
