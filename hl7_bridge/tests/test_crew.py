import os
import signal
import threading
import time

from hl7_bridge.crew import Crew, Strand
from hl7_bridge.ports import Ended, Outcome, State


class Echo:
    """Says its process number whenever it is woken."""

    def __init__(self, told):
        self.told = told

    def start(self):
        self.wake()

    def wake(self):
        self.told(Ended(os.getpid(), "lab", os.nice(0), Outcome(State.APPLIED, b"AA")))

    def stop(self, seconds):
        self.told(Ended(0, "stopped", 0, None))


def body(strand: Strand, text: str) -> None:
    assert text == "given"
    strand.follow(Echo, lambda: None)


def pids(crew: Crew) -> set[int]:
    return {member.process.pid for member in crew._members}


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


def test_children_say_what_became_of_messages_and_are_replaced_when_they_die():
    words, deaths = [], []
    crew = Crew(body, ("given",), 2, words.append, lambda: deaths.append(1))
    crew.start()
    until(lambda: {word.id for word in words} == pids(crew))
    first = min(pids(crew))
    words.clear()
    crew.wake()
    until(lambda: {word.id for word in words} == pids(crew))
    os.kill(first, signal.SIGKILL)
    until(lambda: deaths and first not in pids(crew) and {word.id for word in words} >= pids(crew))
    assert words[0].outcome.ack == b"AA"
    assert {word.received for word in words} == {min(os.nice(0) + 10, 19)}
    crew.wake()
    crew.stop(10)
    assert [word.sender for word in words].count("stopped") == 2
    assert not [thread for thread in threading.enumerate() if thread.name == "hl7 crew"]
    crew.wake()
