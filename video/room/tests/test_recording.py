"""When a visit is recorded: everybody in it agreed, the record has it, and a practitioner wants it. Else never."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from video.errors import Refused
from video.ports import FactKind, MediaState, Recording
from video.room import events
from video.room.effects import Capture, Permit, Release
from video.room.machine import step
from video.room.model import Phase, Room, Rules
from video.room.tests.play import DOCTOR, GUEST, PATIENT, Play, running
from video.room.tests.test_machine import EVENTS, IDS
from video.room.views import picture

RULES = Rules(recording=True)


class Recorded(Play):
    """A room where visits may be recorded."""

    def do(self, *happened: events.Event, after: int = 1) -> "Recorded":
        for event in happened:
            self.now += after
            self.room, effects = step(self.room, event, self.now, RULES)
            self.effects += effects
        return self

    def agreed(self, member: str) -> int:
        return self.room.members[member].agreed

    def confirmed(self, *members: str) -> "Recorded":
        return self.do(events.Consents(active=frozenset(map(self.agreed, members))))

    def captures(self) -> list[Recording]:
        return [effect.recording for effect in self.effects if isinstance(effect, Capture)]

    def releases(self) -> list[Release]:
        return [effect for effect in self.effects if isinstance(effect, Release)]


def talking() -> Recorded:
    play = Recorded()
    play.room, play.now = running().room, 2_000_000
    return play


def asked() -> Recorded:
    return talking().do(events.Record(DOCTOR, DOCTOR, "r"))


def on() -> Recorded:
    return asked().do(events.Agree(PATIENT, PATIENT, "a")).confirmed(DOCTOR, PATIENT)


def ended(play: Recorded, reason: str, tail: bool = True) -> bool:
    [fact] = [fact for fact in play.facts() if fact.kind is FactKind.RECORDING_ENDED]
    assert not play.room.recording and not play.room.recorder and not play.room.recorded
    return fact.detail["reason"] == reason and [one.tail for one in play.releases()] == [tail]


def test_it_runs_when_the_record_has_the_consent_of_everybody() -> None:
    play = asked()
    assert play.told(PATIENT) == ["recording"] and not play.captures()
    assert not play.confirmed(DOCTOR).captures()
    assert not play.do(events.Agree(PATIENT, PATIENT, "a")).captures()
    assert not play.confirmed(DOCTOR).captures()
    [recording] = play.confirmed(DOCTOR, PATIENT).captures()
    assert {(one.member, one.agreement) for one in recording.members} == {
        (DOCTOR, play.agreed(DOCTOR)),
        (PATIENT, play.agreed(PATIENT)),
    }
    assert play.kinds() == ["consent-given", "consent-given", "recording-started"]
    assert recording.number == play.facts()[-1].number == play.room.recording
    view = picture(play.room, play.room.members[PATIENT])["recording"]
    assert view == {"on": True, "by": DOCTOR, "since": recording.at, "agreed": [DOCTOR, PATIENT]}


def test_it_does_not_run_before_the_visit_does() -> None:
    play = Recorded().arrive(DOCTOR).arrive(PATIENT)
    play.do(events.Ready(PATIENT, PATIENT), events.Admit(PATIENT, DOCTOR), events.Record(DOCTOR, DOCTOR, "r"))
    play.do(events.Agree(PATIENT, PATIENT, "a"))
    assert not play.confirmed(DOCTOR, PATIENT).captures()
    assert play.send(DOCTOR).send(PATIENT).captures()


@pytest.mark.parametrize("who", [PATIENT, DOCTOR])
def test_who_withdraws_ends_it_at_once(who: str) -> None:
    play = on().clear()
    agreement = play.agreed(who)
    play.do(events.Withdraw(who, who, "w"))
    assert ended(play, "withdrawn", tail=False)
    [given] = [fact for fact in play.facts() if fact.kind is FactKind.CONSENT_WITHDRAWN]
    assert given.detail == {"agreement": agreement}
    assert not play.clear().confirmed(DOCTOR, PATIENT).captures()
    assert play.told(DOCTOR) == play.told(PATIENT) == []


@pytest.mark.parametrize("void", [True, False])
def test_a_consent_that_the_record_has_no_more_ends_it(void: bool) -> None:
    play = on().clear()
    number = play.agreed(PATIENT)
    left = frozenset({play.agreed(DOCTOR)})
    play.do(events.Consents(active=left, void=frozenset({number} if void else ())))
    assert ended(play, "withdrawn", tail=False)
    assert not play.agreed(PATIENT) and play.agreed(DOCTOR)


def test_a_record_that_cannot_be_asked_ends_it() -> None:
    assert ended(on().clear().do(events.Unwatched()), "unknown", tail=False)


def test_who_has_not_agreed_comes_after_the_end_of_it() -> None:
    play = on().arrive(GUEST).do(events.Ready(GUEST, GUEST)).clear().do(events.Admit(GUEST, DOCTOR))
    assert ended(play, "joined")
    kinds = [type(effect) for effect in play.effects]
    assert kinds.index(Release) < kinds.index(Permit)
    assert play.do(events.Record(DOCTOR, DOCTOR, "r2")).captures() == []
    play.do(events.Agree(GUEST, GUEST, "a2"))
    assert {one.member for one in play.confirmed(DOCTOR, PATIENT, GUEST).captures()[0].members} == {
        DOCTOR,
        PATIENT,
        GUEST,
    }


def test_who_goes_is_captured_no_more_and_again_when_back() -> None:
    play = on().clear().do(events.Disconnected(PATIENT))
    play.do(events.Media(PATIENT, session=play.room.members[PATIENT].session, state=MediaState.LOST))
    play.wait(30_000)
    assert ended(play, "away")


def test_a_clinician_of_two_who_goes_ends_nothing() -> None:
    play = on().do(events.Leave(DOCTOR, DOCTOR, "l"))
    assert [one.member for one in play.captures()[-1].members] == [PATIENT]
    assert [one.number for one in play.captures()] == [play.room.recording] * 2


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (events.StopRecording(DOCTOR, DOCTOR, "s"), "stopped"),
        (events.End(DOCTOR, DOCTOR, "e"), "ended"),
        (events.Restored(), "restarted"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_else_ends_it(event: events.Event, reason: str) -> None:
    assert ended(on().clear().do(event), reason)


def test_a_recording_that_fails_ends_and_an_older_one_that_does_so_ends_nothing() -> None:
    play = on().clear()
    assert play.do(events.CaptureFailed(recording=play.room.recording - 1)).effects == []
    assert ended(play.do(events.CaptureFailed(recording=play.room.recording)), "failed")


def test_who_says_no_ends_the_question() -> None:
    play = asked().clear().do(events.Withdraw(PATIENT, PATIENT, "w"))
    assert not play.room.recorder and play.told(DOCTOR) == ["recording"] and play.facts() == []
    with pytest.raises(Refused, match="any more"):
        play.do(events.Agree(PATIENT, PATIENT, "a"))


def test_agreements_stand_until_they_are_withdrawn() -> None:
    play = on().do(events.StopRecording(DOCTOR, DOCTOR, "s")).clear().do(events.Record(DOCTOR, DOCTOR, "r2"))
    assert len(play.captures()) == 1
    assert play.kinds() == ["recording-started"]


def test_nobody_records_where_it_is_off_or_the_visit_encrypted() -> None:
    with pytest.raises(Refused) as off:
        running().do(events.Record(DOCTOR, DOCTOR, "r"))
    play = talking()
    play.room = replace(play.room, encrypted=True)
    with pytest.raises(Refused) as encrypted:
        play.do(events.Record(DOCTOR, DOCTOR, "r"))
    assert (off.value.code, encrypted.value.code) == ("no-recording", "encrypted")


def command(kind: Any) -> st.SearchStrategy[events.Event]:
    who = st.sampled_from([DOCTOR, PATIENT, GUEST])
    return who.flatmap(lambda member: st.builds(kind, member=st.just(member), by=st.just(member), id=IDS))


NUMBERS = st.frozensets(st.integers(1, 30))
MORE = st.one_of(
    EVENTS,
    *(command(kind) for kind in (events.Record, events.StopRecording, events.Agree, events.Withdraw)),
    st.builds(events.Consents, active=NUMBERS, void=NUMBERS),
    st.just(events.Unwatched()),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(MORE, st.sampled_from([1, 30_000])), max_size=40))
def test_whatever_happens_nobody_is_captured_without_a_consent(steps: list[tuple[events.Event, int]]) -> None:
    room, now, captured = on().room, 3_000_000, {DOCTOR, PATIENT}
    for event, later in steps:
        now += later
        try:
            room, effects = step(room, event, now, RULES)
        except Refused:
            continue
        for effect in effects:
            if isinstance(effect, Capture):
                captured = {one.member for one in effect.recording.members}
            elif isinstance(effect, Release):
                captured = set()
            elif isinstance(effect, Permit):
                assert not captured or effect.members <= captured
        _fits(room, captured)


def _fits(room: Room, captured: set[str]) -> None:
    here = {member.id for member in room.members.values() if member.admitted}
    assert captured == set(room.recorded) and bool(captured) == bool(room.recording)
    if captured:
        assert room.phase is Phase.RUNNING
        assert captured == here and all(room.members[id].consented for id in captured)
