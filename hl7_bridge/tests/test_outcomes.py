import asyncio

from hl7_bridge.outcomes import Outcomes
from hl7_bridge.ports import Ended, Outcome, State

DONE = Outcome(State.APPLIED, b"AA")


def scenario(body):
    async def run(journal):
        outcomes = Outcomes(journal, asyncio.get_running_loop())
        watching = asyncio.create_task(outcomes.watch())
        await body(outcomes, journal)
        watching.cancel()

    return lambda journal: asyncio.run(run(journal))


def test_a_workers_word_reaches_all_who_wait_whether_before_or_after(journal):
    async def body(outcomes, journal):
        waiting = [asyncio.create_task(outcomes.wait(7, 5)) for _ in range(2)]
        await asyncio.sleep(0)
        await asyncio.to_thread(outcomes.told, Ended(7, "lab", 0, DONE))
        assert await asyncio.gather(*waiting) == [DONE, DONE]
        assert await outcomes.wait(7, 0.01) == DONE

    scenario(body)(journal)


def test_what_will_be_tried_again_is_no_end(journal):
    async def body(outcomes, journal):
        outcomes.told(Ended(7, "lab", 0, None))
        outcomes.told(Ended(7, "lab", 0, Outcome(State.RECEIVED, b"")))
        assert await outcomes.wait(7, 0.05) is None

    scenario(body)(journal)


def test_what_another_node_did_is_found_in_the_journal(journal, journals, message):
    [receipt] = journal.receive([message()])

    async def body(outcomes, journal):
        waiting = asyncio.create_task(outcomes.wait(receipt.id, 10))
        await asyncio.sleep(0)
        journals().settle(receipt.id, State.HELD, "no authority", b"AE")
        assert await waiting == Outcome(State.HELD, b"AE", "no authority")

    scenario(body)(journal)


def test_a_word_after_the_end_of_the_loop_harms_nobody(journal):
    loop = asyncio.new_event_loop()
    outcomes = Outcomes(journal, loop)
    loop.close()
    outcomes.told(Ended(7, "lab", 0, DONE))


def test_many_that_wait_are_looked_for_in_turns(journal, monkeypatch):
    monkeypatch.setattr("hl7_bridge.outcomes._LOOKED", 3)

    async def body(outcomes, journal):
        waiting = [asyncio.create_task(outcomes.wait(id, 5)) for id in range(1, 8)]
        await asyncio.sleep(0)
        assert [outcomes._some() for _ in range(4)] == [[1, 2, 3], [4, 5, 6], [7], [1, 2, 3]]
        for task in waiting:
            task.cancel()

    scenario(body)(journal)
