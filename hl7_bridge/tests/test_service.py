import asyncio

import pytest

from hl7_bridge.applier import Retries
from hl7_bridge.journal import Query
from hl7_bridge.ports import State
from hl7_bridge.reception import Times
from hl7_bridge.site.model import Site


def message(id="1", value="5", patient="1", **header):
    given = {"application": "LAB", "processing": "P", "accept": "", "final": ""} | header
    head = f"MSH|^~\\&|{given['application']}|A|||2026||ORU^R01|{id}|{given['processing']}|2.5.1|||"
    return f"{head}{given['accept']}|{given['final']}\rPID|||{patient}\rOBX|1|NM|c||{value}\r"


def codes(answers):
    return [answer.split("\rMSA|")[1].split("\r")[0] for answer in answers]


def run(scenario):
    asyncio.run(scenario())


def test_original_mode_answers_when_applied_and_once_for_a_resend(house):
    async def scenario():
        async with house.bridge() as connect:
            peer = await connect()
            [first] = await peer.ask(message())
            assert codes([first]) == ["AA|1"]
            assert house.count("Observation") == house.count("Patient") == 1
            again = await (await connect()).ask(message())
            assert again == [first]
        assert house.count("Observation") == 1
        [entry] = house.journal.search(Query())
        assert (entry.state, entry.attempt, entry.late) == (State.APPLIED, 1, False)

    run(scenario)


def test_pipelined_messages_are_answered_in_order(house):
    async def scenario():
        async with house.bridge() as connect:
            peer = await connect()
            sent = [message(str(n), "held" if n % 3 == 0 else "5", str(n % 4), processing="D" if n % 5 == 0 else "P")
                    for n in range(1, 21)]  # fmt: skip
            answers = codes(await peer.ask(*sent))
        assert [answer.split("|")[1] for answer in answers] == [str(n) for n in range(1, 21)]
        assert {answer[:2] for n, answer in enumerate(answers, 1) if n % 5 == 0} == {"AR"}
        assert {answer[:2] for n, answer in enumerate(answers, 1) if n % 3 == 0 and n % 5} == {"AE"}
        assert house.count("Observation") == sum(1 for n in range(1, 21) if n % 3 and n % 5)
        assert len(house.journal.search(Query(state="rejected"))) == 4

    run(scenario)


def test_enhanced_mode_answers_twice(house):
    async def scenario():
        async with house.bridge() as connect:
            peer = await connect()
            [accepted] = await peer.ask(message(accept="AL", final="AL"))
            assert codes([accepted, await peer.answer()]) == ["CA|1", "AA|1"]
            [refused] = await peer.ask(message("2", accept="AL", final="AL", processing="T"))
            assert codes([refused])[0].startswith("CR|2|")
            peer.writer.write(b"\x0b" + message("3", "held", accept="NE", final="ER").encode() + b"\x1c\r")
            assert codes([await peer.answer()])[0].startswith("AE|3|")
            [accepted] = await peer.ask(message(accept="AL", final="AL"))
            assert codes([accepted, await peer.answer()]) == ["CA|1", "AA|1"]

    run(scenario)


def test_a_message_that_takes_long_is_answered_when_stored_and_flagged(house):
    async def scenario():
        retries = Retries(pauses=(0.3,))
        async with house.bridge(times=Times(original=0.1), retries=retries) as connect:
            peer = await connect()
            assert codes(await peer.ask(message(value="failed"))) == ["AA|1"]
            assert codes(await peer.ask(message("2", application="STORED", value="failed"))) == ["AA|2"]
            while not house.journal.search(Query(flag="late")):
                await asyncio.sleep(0.1)
        assert [entry.control_id for entry in house.journal.search(Query(flag="late"))] == ["1"]

    run(scenario)


@pytest.mark.parametrize("value", ["failed", "fault", "invalid"])
def test_poison_goes_to_the_dead_letters_and_blocks_only_its_lane(house, value):
    async def scenario():
        retries = Retries(pauses=(0.05,), tries=3, faults=3)
        async with house.bridge(retries=retries) as connect:
            peer = await connect()
            answers = await peer.ask(message("1", value, "1"), message("2", "5", "1"), message("3", "5", "2"))
        assert codes(answers)[0][:4] == "AE|1"
        assert [answer[:4] for answer in codes(answers)[1:]] == ["AA|2", "AA|3"]
        [dead] = house.journal.search(Query(state="dead"))
        assert dead.control_id == "1"
        assert "secret" not in dead.reason + answers[0]
        assert house.count("Observation") == 2

    run(scenario)


def test_what_has_no_map_is_kept_and_said_to_be_taken(house):
    async def scenario():
        async with house.bridge() as connect:
            assert codes(await (await connect()).ask(message(value="unmapped"))) == ["AA|1"]
        [kept] = house.journal.search(Query(state="held"))
        assert "no map" in kept.reason

    run(scenario)


def test_a_batch_is_answered_by_a_batch(house):
    async def scenario():
        async with house.bridge() as connect:
            inside = message("1") + message("2", "held") + message("3", processing="T")
            [answer] = await (await connect()).ask(f"FHS|^~\\&|LAB\rBHS|^~\\&|LAB\r{inside}BTS|3\rFTS|1\r")
        lines = answer.split("\r")
        assert [line[:3] for line in lines if line[:3] in ("FHS", "BHS", "BTS", "FTS")] == ["FHS", "BHS", "BTS", "FTS"]
        assert [line[4:8] for line in lines if line.startswith("MSA")] == ["AA|1", "AE|2", "AR|3"]
        assert house.count("Observation") == 1

    run(scenario)


def test_strangers(house):
    async def scenario():
        async with house.bridge(site=Site()) as connect:
            assert await (await connect()).answer() == ""
            while not house.journal.strangers():  # upkeep tells
                await asyncio.sleep(0.1)
        async with house.bridge() as connect:
            [answer] = await (await connect()).ask(message(application="WHO"))
            while len(house.journal.strangers()) < 2:
                await asyncio.sleep(0.1)
            assert codes([answer])[0].startswith("AR|1")
        async with house.bridge(site=Site(), is_open=True) as connect:
            [answer] = await (await connect()).ask(message(application="WHO"))
            assert codes([answer]) == ["AA|1"]
        assert [entry.sender for entry in house.journal.search(Query())] == ["default"]

    run(scenario)


def test_acknowledgements_that_nobody_asked_for_are_kept_and_not_answered(house):
    async def scenario():
        async with house.bridge() as connect:
            peer = await connect()
            peer.writer.write(b"\x0bMSH|^~\\&|LAB|A|||2026||ACK|9|P|2.5.1\rMSA|AA|1\r\x1c\r")
            assert codes(await peer.ask(message())) == ["AA|1"]
        assert [entry.control_id for entry in house.journal.search(Query(state="rejected"))] == ["9"]

    run(scenario)


def test_a_stop_answers_what_is_begun_and_leaves_the_rest_to_the_next_start(house):
    async def scenario():
        async with house.bridge() as connect:
            peers = [await connect() for _ in range(5)]
            for n, peer in enumerate(peers):
                for k in range(10):
                    peer.writer.write(b"\x0b" + message(f"{n}-{k}", patient=str(n)).encode() + b"\x1c\r")
            first = [await peer.answer() for peer in peers]
        answered = len(first)
        for peer in peers:
            while await peer.answer():
                answered += 1
        entries = house.journal.search(Query(), count=100)
        assert answered <= len(entries) <= 50
        async with house.bridge():
            while house.journal.standings():
                await asyncio.sleep(0.05)
        assert house.count("Observation") == len(entries)

    run(scenario)


def test_two_bridges_share_the_work_and_apply_each_message_once(house):
    async def scenario():
        async with house.bridge() as one, house.bridge() as two:
            house.ports.reverse()
            first = await one()
            house.ports.reverse()
            second = await two()
            sent = [message(str(n), patient=str(n % 5)) for n in range(40)]
            answers = await asyncio.gather(first.ask(*sent), second.ask(*sent))
        assert [codes(each) for each in answers] == [[f"AA|{n}" for n in range(40)]] * 2
        assert house.count("Observation") == len(house.journal.search(Query(), count=100)) == 40

    run(scenario)


@pytest.mark.parametrize("raw", [b"\x0bhello\x1c\r", b"\x0b\x1c\r", b"\x0bMSH|^~\\&|LAB\x0bMSH|^~\\&\x1c\r"])
def test_bytes_that_are_no_message_are_answered(house, raw):
    async def scenario():
        async with house.bridge() as connect:
            peer = await connect()
            peer.writer.write(raw)
            assert "\rMSA|A" in await peer.answer()
            assert codes((await peer.ask(message()))[-1:] if raw.count(b"\x0b") == 1 else []) in (["AA|1"], [])

    run(scenario)
