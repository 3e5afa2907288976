"""Facts reach the spool in order, each once for its number, whatever the spool does."""

import asyncio
from pathlib import Path

from video.ports import Role
from video.room.tests.play import running
from video.signalling.ledger import Ledger
from video.signalling.outbox import Outbox
from video.signalling.tests.consult import AesSealer, Consult, ListSpool, consult
from video.signalling.tests.test_ledger import fact


def test_more_than_fit_at_once_come_in_order() -> None:
    ledger, spool = Ledger(":memory:", AesSealer()), ListSpool()
    facts = [fact(number) for number in range(1, 251)]
    ledger.save(running().room, facts)
    asyncio.run(Outbox(ledger, spool).deliver())
    assert spool.facts == facts and ledger.owed(1) == []


def test_what_the_spool_did_not_get_before_a_kill_it_gets_after_it(tmp_path: Path) -> None:
    async def visit() -> None:
        async with consult(tmp_path) as there:
            there.spool.broken = True
            await there.arrive("dr", Role.PRACTITIONER)
            await there.kill()
            next_one = Consult(tmp_path)
            await next_one.start()
            await next_one.recorded("joined")
            assert [found.number for found in next_one.spool.facts][:1] == [1]
            there.service = next_one.service

    asyncio.run(visit())
