"""Links, sessions, requests and launch handles: bound to whom they are for, used once, dead when they expire."""

import msgspec

from smart_auth.model import Context, Launch, Session
from smart_auth.records import SqlRecords

SESSION = Session(session_hash="s1", person="p1", csrf="c", amr=("pwd", "otp"), created=10, last_seen=10)
CONTEXT = Context(
    patient="1",
    encounter="2",
    fhir_context=({"reference": "ImagingStudy/1", "role": "a\0b"},),
    need_patient_banner=False,
    intent="reconcile",
)


def test_a_link_is_used_once_for_its_purpose_before_it_expires(records: SqlRecords) -> None:
    records.put_link("l1", "p1", "reset", 100)
    assert records.link("l1", "reset", 99) == "p1"
    assert records.link("l1", "invitation", 99) is records.link("l1", "reset", 100) is None
    assert records.use_link("l1", "invitation", 99) is records.use_link("l1", "reset", 100) is None
    assert [records.use_link("l1", "reset", 99) for _ in range(2)] == ["p1", None]


def test_a_session_is_seen_and_ended(records: SqlRecords) -> None:
    records.put_session(SESSION)
    assert records.session("s1") == SESSION
    records.touch_session("s1", 50)
    records.touch_session("s1", 40)
    assert records.session("s1") == msgspec.structs.replace(SESSION, last_seen=50)
    assert records.end_session("s1", 60)
    assert not records.end_session("s1", 60)
    assert records.session("s1") is None


def test_all_sessions_of_a_person_end(records: SqlRecords) -> None:
    for hash, person in (("s1", "p1"), ("s2", "p1"), ("s3", "p2")):
        records.put_session(msgspec.structs.replace(SESSION, session_hash=hash, person=person))
    records.end_sessions("p1", 60)
    assert [records.session(hash) is None for hash in ("s1", "s2", "s3")] == [True, True, False]


def test_a_request_belongs_to_its_session(records: SqlRecords) -> None:
    records.put_request("r1", "s1", b"one\0", 100)
    records.put_request("r1", "s1", b"two\xff", 100)
    assert records.request("r1", "s1", 99) == b"two\xff"
    assert records.request("r1", "s2", 99) is records.request("r1", "s1", 100) is None
    assert records.use_request("r1", "s2", 99) is records.use_request("r1", "s1", 100) is None
    assert [records.use_request("r1", "s1", 99) for _ in range(2)] == [b"two\xff", None]


def test_a_launch_handle_is_redeemed_once(records: SqlRecords) -> None:
    launch = Launch(launch_hash="h1", context=CONTEXT, expires=100, client="growth", person="p1")
    records.put_launch(launch)
    assert records.use_launch("h1", 100) is None
    assert [records.use_launch("h1", 99) for _ in range(2)] == [launch, None]


def test_dropped_links_open_nothing(records: SqlRecords) -> None:
    for person, purpose in (("a", "reset"), ("a", "invitation"), ("a", "recovery:1"), ("b", "reset")):
        records.put_link(f"{person} {purpose}", person, purpose, 100)
    records.drop_links("a", ["reset", "invitation"])
    left = [records.link(f"{p} {q}", q, 1) for p, q in (("a", "reset"), ("a", "invitation"), ("b", "reset"))]
    assert left == [None, None, "b"] and records.link("a recovery:1", "recovery:1", 1) == "a"


def test_the_sessions_of_a_person(records: SqlRecords) -> None:
    for number in (1, 2):
        at = {"created": number, "last_seen": number}
        records.put_session(Session(session_hash=f"s{number}", person="a", csrf="c", amr=("pwd",), **at))
    assert [one.session_hash for one in records.sessions("a")] == ["s2", "s1"] and not records.sessions("b")
