"""The revocation list: what was revoked anywhere is refused here: by this process at once, by another soon."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from time import monotonic, sleep

import pytest

from resources.errors import Unavailable
from smart_auth import revocations
from smart_auth.model import Approval
from smart_auth.ports import Revocation
from smart_auth.records import SqlRecords, engine_for
from smart_auth.records.families import SLACK
from smart_auth.revocations import RevocationList

NOW = 1000


@pytest.fixture
def other(records_url: str) -> Iterator[SqlRecords]:
    """The records as another process has them."""
    engine = engine_for(records_url)
    yield SqlRecords(engine)
    engine.dispose()


@pytest.fixture
def started() -> Iterator[Callable[[RevocationList], RevocationList]]:
    lists: list[RevocationList] = []

    def start(made: RevocationList) -> RevocationList:
        lists.append(made)
        made.start()
        return made

    yield start
    for each in lists:
        each.stop()


def eventually(true: Callable[[], bool]) -> None:
    until = monotonic() + 20
    while not true():
        assert monotonic() < until
        sleep(0.01)


class Flaky(SqlRecords):
    """Records whose database can be away."""

    away = False

    def revocations(self, after: int) -> Sequence[Revocation]:
        if self.away:
            raise Unavailable("away")
        return super().revocations(after)


def test_what_was_revoked_before_the_start_is_refused(records: SqlRecords, started: Callable) -> None:
    records.put_approval(Approval(id="f1", client="c", scopes=""))
    records.revoke_family("f1", NOW, NOW + 60)
    records.revoke_jti("j1", NOW, NOW + 60)
    listed = started(RevocationList(records, lambda: NOW))
    assert [listed.revoked(*each) for each in (("j0", "f1"), ("j1", "f0"), ("j0", "f0"), ("f1", "j1"))] == [
        True,
        True,
        False,
        False,
    ]


def test_what_another_process_revokes_is_refused_soon(
    records: SqlRecords, other: SqlRecords, started: Callable
) -> None:
    listed = started(RevocationList(records, lambda: NOW, period=0.02))
    for n in range(3):
        other.revoke_jti(f"j{n}", NOW, NOW + 60)
        eventually(lambda n=n: listed.revoked(f"j{n}", "f"))


def test_what_this_process_revokes_is_refused_at_once(
    records: SqlRecords, other: SqlRecords, started: Callable
) -> None:
    listed = started(RevocationList(records, lambda: NOW, period=3600))
    other.revoke_jti("others", NOW, NOW + 60)  # lies below ours, and has not been read
    records.revoke_jti("ours", NOW, NOW + 60)
    assert listed.revoked("ours", "f")
    assert not listed.revoked("others", "f")
    listed.stop()
    listed.start()
    assert listed.revoked("others", "f")


def test_before_the_list_was_read_nobody_is_let_in(records: SqlRecords) -> None:
    with pytest.raises(Unavailable):
        RevocationList(records, lambda: NOW).revoked("j", "f")


def test_an_outage_closes_the_door_and_its_end_opens_it(
    records_url: str,
    started: Callable,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(revocations, "TOO_OLD", 0.2)
    records = Flaky(engine_for(records_url))
    listed = started(RevocationList(records, lambda: NOW, period=0.01))
    assert not listed.revoked("j", "f")
    with caplog.at_level(logging.ERROR):
        records.away = True
        eventually(lambda: _refuses(listed))
    assert len(caplog.records) == 1  # an outage is told once, not at every try
    records.away = False
    eventually(lambda: not _refuses(listed))


def _refuses(listed: RevocationList) -> bool:
    try:
        listed.revoked("j", "f")
    except Unavailable:
        return True
    return False


def test_what_expired_is_forgotten(records: SqlRecords, started: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revocations, "_FORGET_EVERY", 0.0)
    clock = [NOW]
    records.revoke_jti("short", NOW, NOW + 10)
    records.revoke_jti("long", NOW, NOW + 20)
    listed = started(RevocationList(records, lambda: clock[0], period=0.01))
    clock[0] = NOW + 10 + SLACK
    eventually(lambda: not listed.revoked("short", "f"))
    assert listed.revoked("long", "f")


def test_a_list_can_be_asked_while_it_changes(records: SqlRecords, started: Callable) -> None:
    listed = started(RevocationList(records, lambda: NOW, period=0.001))
    records.revoke_jti("always", NOW, NOW + 60)
    wrong: list[bool] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            if not listed.revoked("always", "f"):
                wrong.append(True)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for n in range(15):
        records.revoke_family(f"f{n}", NOW, NOW - SLACK - 1)
    done.set()
    for thread in threads:
        thread.join()
    assert not wrong
