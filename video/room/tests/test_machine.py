"""The machine as a whole: whatever happens, in whatever order and however often, nothing happens twice."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from video.errors import Refused
from video.ports import Fact, FactKind, MediaState, MediaStats, Role, Source
from video.room import events
from video.room.effects import HangUp, Part, Permit, Record, Silence, Tell, Timer
from video.room.machine import step
from video.room.model import SAID, SAYINGS, SEATED, Held, Phase, Room, Standing
from video.room.tests.play import DOCTOR, GUEST, PATIENT, RULES, Play, new_room, running, seat, waiting
from video.room.views import picture

WHO = st.sampled_from([DOCTOR, PATIENT, GUEST])
SESSIONS = st.sampled_from([f"session of {DOCTOR}", f"session of {PATIENT}", "another session"])
IDS = st.integers(0, 400).map(lambda n: f"c{n}")


def commands(kind: type[events.Command], **more: st.SearchStrategy[object]) -> st.SearchStrategy[events.Event]:
    return st.builds(kind, member=WHO, by=WHO, id=IDS, **more)


EVENTS = st.one_of(
    WHO.map(seat),
    st.builds(events.Connected, member=WHO),
    st.builds(events.Disconnected, member=WHO),
    st.builds(events.Offered, member=WHO, session=SESSIONS),
    st.builds(
        events.Media,
        member=WHO,
        session=SESSIONS,
        state=st.sampled_from(MediaState),
        source=st.one_of(st.none(), st.sampled_from(Source)),
    ),
    st.builds(events.Measured, member=WHO, session=SESSIONS, stats=st.just(MediaStats())),
    commands(events.Say, text=st.just("text")),
    commands(events.Pass, to=WHO, text=st.just("key")),
    commands(
        events.SendFile, file=IDS, name=st.just("a"), type=st.just("text/plain"), size=st.integers(1, RULES.file_bytes)
    ),
    *(
        commands(kind)
        for kind in (
            events.Ready,
            events.Leave,
            events.Admit,
            events.Deny,
            events.AskMute,
            events.Hold,
            events.Unhold,
            events.Share,
            events.Unshare,
            events.End,
        )
    ),
    st.just(events.Tick()),
    st.just(events.Drain()),
    st.just(events.Restored()),
)
STEPS = st.lists(st.tuples(EVENTS, st.sampled_from([0, 1, 500, 29_999, 30_000, 900_000])), max_size=60)
BEGINNINGS = st.sampled_from([Play, waiting, running])


def take(room: Room, event: events.Event, now: int) -> tuple[Room, tuple[object, ...]]:
    try:
        return step(room, event, now, RULES)
    except Refused:
        return room, ()


def heard(effects: tuple[object, ...]) -> list[object]:
    return [effect for effect in effects if isinstance(effect, Tell | Record)]


@settings(max_examples=400, deadline=None)
@given(BEGINNINGS, STEPS)
def test_what_comes_twice_is_done_once(beginning, steps) -> None:
    play = beginning()
    room, now = play.room, play.now
    for event, later in steps:
        now += later
        room, _ = take(room, event, now)
        again, effects = take(room, event, now)
        assert heard(effects) == []
        assert again == room


@settings(max_examples=400, deadline=None)
@given(BEGINNINGS, STEPS)
def test_what_holds_in_every_room(beginning, steps) -> None:
    play = beginning()
    room, now = play.room, play.now
    facts, permitted, armed = play.facts(), frozenset(), None
    for effect in play.effects:
        permitted = effect.members if isinstance(effect, Permit) else permitted
        armed = effect.at if isinstance(effect, Timer) else armed
    for event, later in steps:
        now += later
        before = room
        room, effects = take(room, event, now)
        facts += [effect.fact for effect in effects if isinstance(effect, Record)]
        permitted = next((e.members for e in effects if isinstance(e, Permit)), permitted)
        armed = next((e.at for e in effects if isinstance(e, Timer)), armed)
        _nobody_learns_before_admission(before, room, effects)
        _media_only_for_the_admitted(room, permitted)
        _somebody_or_a_timer(room, armed)
    _numbered(facts)
    _truthful(facts)


def _nobody_learns_before_admission(before: Room, room: Room, effects: tuple[object, ...]) -> None:
    own = {"checking", "waiting", "denied", "left", "ended", "draining", "hold", "may-share"}
    for effect in effects:
        if isinstance(effect, Tell) and not (room.members[effect.member].admitted):
            was = before.members.get(effect.member)
            assert effect.event in own or (was is not None and was.admitted)
            assert "Name" not in str(effect.fields)


def _media_only_for_the_admitted(room: Room, permitted: frozenset[str]) -> None:
    if room.phase is Phase.ENDED:
        assert permitted == frozenset()
        return
    assert permitted == {m.id for m in room.members.values() if m.admitted and m.held is Held.NO}


def _somebody_or_a_timer(room: Room, armed: int | None) -> None:
    """A room that everybody has left always comes to its end."""
    if room.phase is Phase.ENDED:
        assert armed is None
    elif room.members and not any(m.present for m in room.members.values() if m.standing in SEATED):
        assert armed is not None


def _numbered(facts: list[Fact]) -> None:
    assert [fact.number for fact in facts] == list(range(1, len(facts) + 1))


def _truthful(facts: list[Fact]) -> None:
    kinds = [fact.kind for fact in facts]
    assert kinds.count(FactKind.STARTED) <= 1
    assert kinds.count(FactKind.ENDED) <= 1
    between = [kind for kind in kinds if kind in (FactKind.STARTED, FactKind.AWAY, FactKind.BACK)]
    for earlier, later in pairwise(between):
        assert (later is FactKind.AWAY) == (earlier is not FactKind.AWAY)
    if FactKind.ENDED in kinds:
        assert set(kinds[kinds.index(FactKind.ENDED) + 1 :]) <= {FactKind.QUALITY}
    for member in {fact.member for fact in facts}:
        shares = [f.kind for f in facts if f.member == member and f.kind.value.startswith("share")]
        assert shares == [FactKind.SHARE_STARTED, FactKind.SHARE_ENDED] * (len(shares) // 2) + (
            [FactKind.SHARE_STARTED] if len(shares) % 2 else []
        )


@settings(max_examples=200, deadline=None)
@given(st.permutations([(who, state) for who in (DOCTOR, PATIENT) for state in ("connected", "sending")]))
def test_the_visit_starts_once_in_whatever_order_the_media_come(order) -> None:
    play = waiting().do(events.Admit(PATIENT, DOCTOR))
    for who in (DOCTOR, PATIENT):
        play.do(events.Offered(who, session=f"session of {who}"))
    for count, (who, state) in enumerate(order):
        assert play.kinds().count("started") == 0, count
        play.media(who, MediaState(state), source=Source.CAMERA if state == "sending" else None)
    assert play.kinds().count("started") == 1
    assert play.room.started == play.now


def test_the_ordinary_visit() -> None:
    play = running()
    assert play.kinds() == ["joined", "joined", "waiting", "admitted", "started"]
    play.do(events.Say(PATIENT, PATIENT, "c1", text="hello"), events.End(DOCTOR, DOCTOR, "c2"))
    assert play.kinds()[5:] == ["chat", "ended"]
    assert play.facts()[-1].detail == {"reason": "ended", "by": DOCTOR}
    assert play.room.phase is Phase.ENDED


def test_before_admission_one_hears_only_of_oneself() -> None:
    play = waiting().do(events.Say(DOCTOR, DOCTOR, text="private"))
    assert set(play.told(PATIENT)) == {"checking", "waiting"}
    assert Permit(frozenset({DOCTOR})) in play.effects
    assert not any(isinstance(effect, Permit) and PATIENT in effect.members for effect in play.effects)
    play.clear().do(events.Admit(PATIENT, DOCTOR))
    assert play.told(PATIENT) == ["admitted", "members", "visit"]
    assert play.effects.index(Silence(PATIENT, frozenset({Source.SCREEN}))) < play.effects.index(
        Permit(frozenset({DOCTOR, PATIENT}))
    )


def test_no_start_before_admission_and_none_while_on_hold() -> None:
    play = waiting().send(DOCTOR).send(PATIENT)
    assert "started" not in play.kinds()
    play.do(events.Hold(DOCTOR, DOCTOR), events.Admit(PATIENT, DOCTOR))
    assert "started" not in play.kinds()
    play.do(events.Unhold(DOCTOR, DOCTOR))
    assert play.kinds().count("started") == 1


def test_what_somebody_turned_off_is_read_by_the_others() -> None:
    play = running().clear()
    play.do(events.Off(PATIENT, PATIENT, sources=frozenset(Source)))
    assert play.room.members[PATIENT].off == {Source.MICROPHONE, Source.CAMERA}
    assert play.told(DOCTOR) == ["members"] and play.kinds() == []
    play.clear().do(events.Off(PATIENT, PATIENT, sources=frozenset(Source)))
    assert play.told(DOCTOR) == []
    with pytest.raises(Refused):
        play.do(events.Off(PATIENT, DOCTOR))


def test_a_reload_within_the_grace_leaves_no_trace() -> None:
    play = running().clear()
    play.media(PATIENT, MediaState.CLOSED).do(events.Disconnected(PATIENT)).wait(29_000)
    play.do(events.Connected(PATIENT)).send(PATIENT, "another session").wait(60_000)
    assert play.kinds() == []
    assert play.room.phase is Phase.RUNNING


def test_lost_for_longer_is_away_and_comes_back_admitted() -> None:
    play = running().clear()
    play.media(PATIENT, MediaState.LOST).do(events.Disconnected(PATIENT))
    gone = play.now
    play.wait(30_000)
    assert play.kinds() == ["left", "away"]
    assert [fact.at for fact in play.facts()] == [gone, gone - 1]
    assert play.facts()[1].detail == {"missing": "patient"}
    play.clear().do(events.Connected(PATIENT)).send(PATIENT, "another session")
    assert play.kinds() == ["joined", "back"]
    assert play.facts()[0].detail == {"role": "patient", "standing": "admitted", "again": True}


def test_media_gone_but_the_page_open_is_away_without_having_left() -> None:
    play = running().clear().media(DOCTOR, MediaState.LOST).wait(30_000)
    assert play.kinds() == ["away"]
    assert play.facts()[0].detail == {"missing": "practitioner"}
    assert play.media(DOCTOR, MediaState.RETURNED).kinds() == ["away", "back"]


def test_who_left_of_their_own_will_is_admitted_again() -> None:
    play = running().do(events.Leave(PATIENT, PATIENT), events.Connected(PATIENT))
    assert play.room.members[PATIENT].standing is Standing.WAITING
    assert play.kinds()[-3:] == ["left", "joined", "waiting"]


def test_what_an_earlier_session_still_says_does_not_count() -> None:
    play = running().do(events.Offered(PATIENT, session="new")).clear()
    before = play.room
    play.do(events.Media(PATIENT, session=f"session of {PATIENT}", state=MediaState.CLOSED))
    assert (play.room, play.effects) == (before, [])


def test_a_screen_is_shared_when_its_packets_come_and_one_at_a_time() -> None:
    play = running().clear()
    play.media(PATIENT, MediaState.SENDING, source=Source.SCREEN)
    assert play.kinds() == []
    play.do(events.Share(PATIENT, PATIENT))
    assert play.kinds() == ["share-started"]
    assert Silence(PATIENT, frozenset()) in play.effects
    with pytest.raises(Refused, match="sharing"):
        play.do(events.Share(DOCTOR, DOCTOR))
    play.do(events.Unshare(PATIENT, DOCTOR))
    assert play.kinds() == ["share-started", "share-ended"]
    assert play.told(PATIENT)[-2:] == ["may-share", "members"]


def test_hold_is_lifted_by_who_laid_it_on() -> None:
    play = running().do(events.Hold(PATIENT, DOCTOR))
    assert Permit(frozenset({DOCTOR})) in play.effects
    with pytest.raises(Refused):
        play.do(events.Unhold(PATIENT, PATIENT))
    play.do(events.Unhold(PATIENT, DOCTOR), events.Hold(PATIENT, PATIENT))
    with pytest.raises(Refused):
        play.do(events.Unhold(PATIENT, DOCTOR))
    assert play.do(events.Unhold(PATIENT, PATIENT)).room.members[PATIENT].held is Held.NO


def test_a_room_that_everybody_left_expires_at_the_moment_they_left() -> None:
    play = running()
    for who in (DOCTOR, PATIENT):
        play.do(events.Leave(who, who))
    gone = play.now
    play.wait(30_000).wait(900_000)
    assert play.kinds()[-4:] == ["left", "left", "away", "ended"]
    assert (play.facts()[-1].at, play.facts()[-1].detail) == (gone, {"reason": "expired"})


def test_who_came_by_a_link_that_was_revoked_is_out() -> None:
    play = waiting().do(events.Admit(PATIENT, DOCTOR)).arrive(GUEST).do(events.Ready(GUEST, GUEST))
    play.do(events.Admit(GUEST, DOCTOR)).send(GUEST).clear().do(events.Revoked(GUEST))
    assert play.room.members[GUEST].standing is Standing.DENIED
    assert (play.kinds(), play.facts()[0].detail) == (["denied"], {"reason": "revoked", "standing": "admitted"})
    assert Permit(frozenset({DOCTOR, PATIENT})) in play.effects
    assert HangUp(GUEST, f"session of {GUEST}") in play.effects and Part(GUEST, "denied") in play.effects
    assert play.clear().do(events.Revoked(GUEST), events.Revoked("stranger")).effects == []


def test_no_room_lasts_for_ever() -> None:
    play = running().clear()
    opened, day = play.room.opened, RULES.longest
    assert opened is not None
    assert not play.wait(opened + day - play.now - 1).facts()
    play.wait(1)
    assert play.room.phase is Phase.ENDED
    [told] = play.facts()
    assert (told.at, told.detail) == (opened + day, {"reason": "expired", "because": "longest"})
    assert play.told(PATIENT) == ["ended"]


def test_after_a_kill_everybody_resumes() -> None:
    play = running().clear().do(events.Restored())
    assert Permit(frozenset({DOCTOR, PATIENT})) in play.effects
    assert Timer(play.now + 30_000) in play.effects
    for who in (DOCTOR, PATIENT):
        play.do(events.Connected(who)).send(who, f"new session of {who}")
    assert play.wait(60_000).kinds() == []
    assert play.room.phase is Phase.RUNNING


def test_what_was_said_before_one_was_admitted_stays_between_those_who_heard_it() -> None:
    play = waiting().do(events.Say(DOCTOR, DOCTOR, "c1", text="private"), events.Admit(PATIENT, DOCTOR))
    play.do(events.Say(DOCTOR, DOCTOR, "c2", text="good morning"))
    heard = {who: [s["text"] for s in picture(play.room, play.room.members[who])["chat"]] for who in (DOCTOR, PATIENT)}
    assert heard == {DOCTOR: ["private", "good morning"], PATIENT: ["good morning"]}


def test_a_room_keeps_the_end_of_a_long_chat() -> None:
    play = running()
    for number in range(SAYINGS + 20):
        play.do(events.Say(DOCTOR, DOCTOR, text=str(number)))
    assert [saying.text for saying in play.room.chat] == [str(number) for number in range(20, SAYINGS + 20)]
    for _ in range(20):
        play.do(events.Say(PATIENT, PATIENT, text="x" * 2000))
    assert sum(len(saying.text) for saying in play.room.chat) == SAID


def a_file(id: str, by: str = PATIENT, size: int = 10) -> events.SendFile:
    return events.SendFile(by, by, id, file=f"file of {id}", name="a.pdf", type="application/pdf", size=size)


def test_a_file_is_told_to_those_admitted_then_once_and_to_nobody_later() -> None:
    play = running().arrive(GUEST).clear().do(a_file("c1"), a_file("c1"))
    assert (play.told(DOCTOR), play.told(PATIENT), play.told(GUEST)) == (["file"], ["file"], [])
    assert play.kinds() == ["file"] and play.facts()[0].detail["file"] == "file of c1"
    play.do(events.Ready(GUEST, GUEST), events.Admit(GUEST, DOCTOR))
    seen = {who: picture(play.room, play.room.members[who])["files"] for who in (PATIENT, GUEST)}
    assert [file["id"] for file in seen[PATIENT]] == ["file of c1"] and seen[GUEST] == []


@pytest.mark.parametrize("sizes", [[1] * (RULES.files + 1), [RULES.file_bytes, 1]])
def test_a_room_takes_so_many_files_and_bytes(sizes: list[int]) -> None:
    play = running()
    for number, size in enumerate(sizes[:-1]):
        play.do(a_file(f"c{number}", size=size))
    with pytest.raises(Refused) as refused:
        play.do(a_file("last", size=sizes[-1]))
    assert refused.value.code == "files-full"


def test_keys_go_from_page_to_page_in_an_encrypted_visit_alone() -> None:
    passed = events.Pass(PATIENT, PATIENT, "c1", to=DOCTOR, text="key")
    play = running()
    with pytest.raises(Refused):
        play.do(passed)
    play.room = replace(play.room, encrypted=True)
    told = play.clear().do(passed).effects
    assert told == [Tell(DOCTOR, "pass", {"from": PATIENT, "text": "key"})]
    with pytest.raises(Refused):
        play.arrive(GUEST).do(events.Pass(PATIENT, PATIENT, "c2", to=GUEST, text="key"))


def test_draining_tells_everybody_and_ends_nothing() -> None:
    play = waiting().clear().do(events.Drain())
    assert play.told(DOCTOR) == play.told(PATIENT) == ["draining"]
    assert play.room.phase is Phase.OPEN


@pytest.mark.parametrize("change", [{"encounter": "Encounter/2"}, {"patient": "Patient/2"}, {"role": Role.GUEST}])
def test_a_ticket_of_another_visit_is_foreign(change) -> None:
    play = waiting()
    fields = {"role": Role.PATIENT, "name": "x"} | change
    with pytest.raises(Refused) as refused:
        play.do(events.Seat(PATIENT, **fields))
    assert refused.value.code == "foreign"


def test_a_full_room_takes_nobody() -> None:
    play = Play()
    for number in range(RULES.seats):
        play.do(events.Seat(f"m{number}", role=Role.GUEST, name="x"))
    with pytest.raises(Refused) as refused:
        play.arrive(PATIENT)
    assert refused.value.code == "full"


def test_a_visit_is_encrypted_from_a_ticket_on_and_stays_so() -> None:
    play = waiting().clear().do(events.Seat(GUEST, role=Role.INTERPRETER, name="x", encrypted=True))
    assert play.room.encrypted and "encrypted" in play.told(PATIENT)
    assert play.do(seat(PATIENT)).room.encrypted


def test_nobody_encrypts_a_talk_that_goes_on() -> None:
    with pytest.raises(Refused) as refused:
        running().do(events.Seat(GUEST, role=Role.INTERPRETER, name="x", encrypted=True))
    assert refused.value.code == "foreign"


def test_an_empty_room_is_a_room() -> None:
    assert step(new_room(), events.Tick(), 1, RULES).room.phase is Phase.OPEN
