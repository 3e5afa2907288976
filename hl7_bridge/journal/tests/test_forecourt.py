"""What stands in the forecourt gets into the journal once, in order, whoever is killed when."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hl7_bridge.conftest import KEY
from hl7_bridge.journal import Sealing, SqlJournal
from hl7_bridge.journal.forecourt import Forecourt
from hl7_bridge.ports import Incoming, State
from resources.errors import Unavailable

Message = Callable[..., Incoming]


@pytest.fixture
def court(journal: SqlJournal, tmp_path: Path) -> SqlJournal:
    journal.open_forecourt(tmp_path / "court.db")
    return journal


@pytest.fixture
def forecourt(tmp_path: Path) -> Iterator[Forecourt]:
    made = Forecourt(tmp_path / "court.db", Sealing(KEY))
    yield made
    made.close()


def test_what_is_kept_is_read_back_in_order_also_by_the_next_process(tmp_path: Path, message: Message) -> None:
    first = Forecourt(tmp_path / "court.db", Sealing(KEY))
    sent = [message(str(n), pointer="p", state=State.REJECTED, ack=b"AR") for n in range(5)]
    standing = first.keep(sent)
    assert [each.incoming for each in standing] == sent
    first.close()
    second = Forecourt(tmp_path / "court.db", Sealing(KEY))
    assert second.name == first.name and second.after(0, 10) == standing
    assert second.after(standing[1].number, 2) == standing[2:4]
    second.close()


def test_numbers_are_never_given_twice(forecourt: Forecourt, message: Message) -> None:
    last = forecourt.keep([message(str(n)) for n in range(250)])[-1].number
    forecourt.forget(last)
    assert forecourt.after(0, 10) == []
    assert forecourt.keep([message("new")])[0].number == last + 1


def test_one_process_has_the_file(forecourt: Forecourt, tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError):
        Forecourt(tmp_path / "court.db", Sealing(KEY))


def test_what_no_encoding_has_is_replaced_but_in_the_bytes(forecourt: Forecourt, message: Message) -> None:
    [standing] = forecourt.keep([message("1", patient="\ud800", lanes=("a|\ud800",))])
    [found] = forecourt.after(0, 1)
    assert (found.incoming.patient, found.incoming.lanes) == ("?", ("a|?",))
    assert found.incoming.raw == standing.incoming.raw


class Cipher:
    def seal(self, purpose: str, secret: bytes) -> bytes:
        return bytes(byte ^ 255 for byte in secret)

    open = seal


def test_the_file_is_sealed_when_the_journal_is(tmp_path: Path, message: Message) -> None:
    forecourt = Forecourt(tmp_path / "court.db", Sealing(KEY, Cipher()))
    sent = message("1", patient="4711 of the clinic", lanes=("urn|4711 of the clinic",))
    forecourt.keep([sent])
    assert forecourt.after(0, 1)[0].incoming == sent
    assert not [path for path in tmp_path.iterdir() if b"4711 of" in path.read_bytes() or b"MSH|" in path.read_bytes()]
    forecourt.close()


def test_taken_over_once_whatever_is_repeated(court: SqlJournal, message: Message, rows: Callable[..., Any]) -> None:
    standing = court.keep([message(str(n)) for n in range(4)])
    receipts = court.take_over(standing[:3])
    assert court.left(0, 10) == standing[3:]
    again = court.take_over(standing)  # the process did not hear that the first transaction was durable
    assert [receipt.id for receipt in again[:3]] == [receipt.id for receipt in receipts]
    assert not again[3].duplicate and court.left(0, 10) == []
    assert [row[0] for row in rows("SELECT control_id FROM hl7_message ORDER BY id")] == ["0", "1", "2", "3"]


def test_refused_ones_are_taken_over_once_too(court: SqlJournal, message: Message, rows: Callable[..., Any]) -> None:
    standing = court.keep([message("1", state=State.REJECTED), message("1", state=State.REJECTED)])
    court.take_over(standing)
    assert [receipt.id for receipt in court.take_over(standing)] == [0, 0]
    assert rows("SELECT count(*) FROM hl7_message")[0][0] == 2


def test_a_resend_is_a_duplicate_behind_the_forecourt(court: SqlJournal, message: Message) -> None:
    first, second = court.take_over(court.keep([message("1"), message("1")]))
    assert (first.duplicate, second.duplicate, second.id) == (False, True, first.id)


def test_another_file_begins_anew(court: SqlJournal, message: Message, tmp_path: Path) -> None:
    court.take_over(court.keep([message(str(n)) for n in range(3)]))
    assert court.forecourt
    court.forecourt.close()
    court.open_forecourt(tmp_path / "other.db")
    [receipt] = court.take_over(court.keep([message("new")]))
    assert not receipt.duplicate and receipt.id


def test_a_file_older_than_the_journal_gives_no_number_that_the_journal_has(
    court: SqlJournal, message: Message, tmp_path: Path
) -> None:
    first, *rest = court.keep([message(str(n)) for n in range(3)])
    assert court.forecourt
    court.take_over([first])
    court.forecourt.close()
    copy = (tmp_path / "court.db").read_bytes()
    court.open_forecourt(tmp_path / "court.db")
    court.take_over([*rest, *court.keep([message(str(n)) for n in range(3, 9)])])
    court.forecourt.close()
    (tmp_path / "court.db").write_bytes(copy)
    court.open_forecourt(tmp_path / "court.db")
    assert court.left(0, 10) == []
    [receipt] = court.take_over(court.keep([message("new")]))
    assert not receipt.duplicate and receipt.id


def test_to_begin_behind_takes_nothing_away(forecourt: Forecourt, message: Message) -> None:
    standing = forecourt.keep([message("1"), message("2")])
    forecourt.begin_behind(standing[0].number)
    assert forecourt.after(0, 10) == standing
    assert forecourt.keep([message("3")])[0].number == standing[1].number + 1


def test_what_the_journal_has_is_swept_away(court: SqlJournal, message: Message) -> None:
    standing = court.keep([message(str(n)) for n in range(3)])
    court.take_over(standing[:2])
    court.sweep()
    assert court.forecourt and court.forecourt.after(0, 10) == standing[2:]


def test_what_cannot_be_opened_is_set_aside_and_taken_up_when_it_can(tmp_path: Path, message: Message) -> None:
    sealed, plain = Sealing(KEY, Cipher()), Sealing(KEY)
    first = Forecourt(tmp_path / "court.db", sealed)
    first.keep([message("1"), message("2")])
    first.close()
    second = Forecourt(tmp_path / "court.db", plain)  # without the key
    second.keep([message("3")])
    assert [each.incoming.control_id for each in second.after(0, 1)] == ["3"]
    assert (second.aside, second.take_up()) == (2, 2)
    second.close()
    third = Forecourt(tmp_path / "court.db", sealed)
    assert (third.take_up(), third.aside) == (0, 0)
    assert [each.incoming.control_id for each in third.after(0, 9)] == ["3", "1", "2"]
    third.close()


def test_a_damaged_file_is_named_and_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "court.db"
    path.write_bytes(b"no database at all" * 100)
    for _ in range(2):  # the lock is free again
        with pytest.raises(Unavailable, match=r"court\.db cannot be used"):
            Forecourt(path, Sealing(KEY))
    assert path.read_bytes() == b"no database at all" * 100


def test_what_is_forgotten_leaves_the_files_when_nothing_comes(tmp_path: Path, message: Message) -> None:
    forecourt = Forecourt(tmp_path / "court.db", Sealing(KEY))
    sent = [message(str(n), "x" * 9000 + "4711 of the clinic") for n in range(3)]
    last = forecourt.keep(sent)[-1].number
    forecourt.forget(last - 1)
    forecourt.forget(last - 1)
    assert forecourt.after(0, 9)[0].incoming == sent[2]
    forecourt.forget(last)
    forecourt.forget(last)
    assert not [path for path in tmp_path.iterdir() if b"4711 of" in path.read_bytes()]
    assert forecourt.keep(sent[:1])[0].number == last + 1
    forecourt.close()
