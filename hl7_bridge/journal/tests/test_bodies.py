"""Bytes come back as they went, small and large, plain and sealed, alone and together."""

from collections.abc import Callable

import pytest

from hl7_bridge.conftest import KEY
from hl7_bridge.journal import Sealing, SqlJournal, bodies, queue
from hl7_bridge.ports import Incoming


class Cipher:
    def seal(self, purpose: str, secret: bytes) -> bytes:
        return bytes(byte ^ 255 for byte in secret)

    open = seal


@pytest.mark.parametrize("sealing", [Sealing(KEY), Sealing(KEY, Cipher())], ids=["plain", "sealed"])
def test_small_and_large_ones_in_one_transaction(
    journals: Callable[..., SqlJournal], message: Callable[..., Incoming], sealing: Sealing
) -> None:
    journal = journals(sealing)
    large = bodies._LARGE
    sent = [message(str(n), "x" * size + "\0\xff", lanes=()) for n, size in enumerate((0, large, 3, large + 1))]
    receipts = journal.receive(sent)
    assert [work.raw for work in journal.claim(9, 60)] == [each.raw for each in sent]
    assert [journal.raw(receipt.id) for receipt in receipts] == [each.raw for each in sent]
    assert journal.raw(0) == b""


def test_large_ones_are_not_claimed_together(
    journal: SqlJournal, message: Callable[..., Incoming], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "_CLAIMED", 1000)
    journal.receive([message(str(n), "x" * size, lanes=()) for n, size in enumerate((600, 600, 5000, 100))])
    assert [len(journal.claim(9, 60)) for _ in range(4)] == [1, 1, 1, 1]
