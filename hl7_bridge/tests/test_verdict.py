"""What is said, and whether anything is."""

import pytest

from hl7_bridge import errors
from hl7_bridge.er7 import parse
from hl7_bridge.errors import Failed, Held, Unreadable
from hl7_bridge.tests.test_ack import BAD, answer, raw
from hl7_bridge.verdict import Level, Verdict, is_due, is_enhanced, verdict_of


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize(
    ("asked", "good", "wrong"),
    [("AL", True, True), ("NE", False, False), ("SU", True, False), ("ER", False, True), ("??", True, True)],
)
def test_enhanced_mode_answers_what_is_asked(level: Level, asked: str, good: bool, wrong: bool) -> None:
    fields = {Level.ACCEPT: (asked, ""), Level.APPLICATION: ("", asked)}[level]
    header = parse(raw(*fields)).msh
    assert is_enhanced(header)
    assert is_due(header, level, Verdict.ACCEPTED) is good
    assert is_due(header, level, Verdict.ERROR) is wrong and is_due(header, level, Verdict.REJECTED) is wrong
    assert not is_due(header, next(other for other in Level if other is not level), Verdict.ACCEPTED)


def test_original_mode_has_one_answer_of_the_application() -> None:
    header = parse(raw()).msh
    assert not is_enhanced(header) and not is_enhanced(parse(raw('""', '""')).msh)
    assert is_due(header, Level.APPLICATION, Verdict.ERROR) and not is_due(header, Level.ACCEPT, Verdict.ERROR)


def test_replies_are_not_answered_unless_they_ask() -> None:
    reply = answer(raw())
    assert not is_due(reply.msh, Level.APPLICATION, Verdict.ACCEPTED)
    enhanced = answer(raw("AL", "AL"))
    assert (enhanced.msh[15], enhanced.msh[16]) == ("NE", "NE")
    assert not any(is_due(enhanced.msh, level, verdict) for level in Level for verdict in Verdict)


def test_verdicts() -> None:
    assert verdict_of(()) is Verdict.ACCEPTED
    assert verdict_of((BAD, Unreadable(errors.OTHER, "x"))) is Verdict.REJECTED
    assert verdict_of((Held(errors.DUPLICATE_KEY, "x"), Failed(errors.INTERNAL, "x"))) is Verdict.ERROR
