"""What a page may ask for: read, or refused; nothing else comes out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video.errors import Refused
from video.ports import Source
from video.room import events
from video.signalling.commands import COMMANDS, LONGEST_CHAT, Message, clean, command, read


@pytest.mark.parametrize("do", COMMANDS)
def test_every_command_is_by_who_sent_it(do: str) -> None:
    made = command(Message("c1", do, "other", "text"), "me")
    assert (made.by, made.id) == ("me", "c1")
    itself = {events.Ready, events.Leave, events.End, events.Share, events.Say, events.Pass}
    itself |= {events.Off, events.Record, events.StopRecording, events.Agree, events.Withdraw}
    assert made.member == ("me" if type(made) in itself else "other")


def test_what_is_off_are_words_that_are_known() -> None:
    made = command(Message("c1", "off", text="camera  microphone teapot"), "me")
    assert isinstance(made, events.Off) and made.sources == {Source.CAMERA, Source.MICROPHONE}


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert read(text).id
    except Refused as refused:
        assert refused.code == "malformed"


@given(st.text(max_size=LONGEST_CHAT + 50))
def test_chat_keeps_no_control_characters(text: str) -> None:
    try:
        kept = clean(text)
    except Refused as refused:
        assert refused.code in ("empty", "too-long")
        return
    assert 0 < len(kept) <= LONGEST_CHAT
    assert not any(ord(letter) < 32 and letter != "\n" for letter in kept)
    kept.encode()
