"""What a page may ask for over its WebSocket, as commands of the room.

Ours; docs/video.md, "The protocol of the page".
"""

import unicodedata
from collections.abc import Callable

import msgspec

from video.errors import Refused
from video.ports import Source
from video.room import events

LONGEST_CHAT = 2000
"""Characters of one message."""


class Message(msgspec.Struct, frozen=True):
    """``id`` is the page's own, another for each command; ``member`` whom it is about, '' for itself."""

    id: str
    do: str
    member: str = ""
    text: str = ""


_ID = 64
_Made = Callable[[Message, str], events.Command]


def _about_itself(kind: type[events.Command]) -> _Made:
    return lambda message, by: kind(by, by, message.id)


def _about_another(kind: type[events.Command]) -> _Made:
    return lambda message, by: kind(message.member, by, message.id)


def _about_either(kind: type[events.Command]) -> _Made:
    return lambda message, by: kind(message.member or by, by, message.id)


def _say(message: Message, by: str) -> events.Command:
    return events.Say(by, by, message.id, text=clean(message.text))


def _pass(message: Message, by: str) -> events.Command:
    if not 0 < len(message.text) <= LONGEST_CHAT:
        raise Refused("too-long", f"What is passed has 1 to {LONGEST_CHAT} characters.")
    return events.Pass(by, by, message.id, to=message.member, text=message.text)


def _turn_off(message: Message, by: str) -> events.Command:
    """``text`` names what is off, with spaces between."""
    known = {source.value: source for source in Source}
    words = message.text[:LONGEST_CHAT].split()
    return events.Off(by, by, message.id, sources=frozenset(known[word] for word in words if word in known))


COMMANDS: dict[str, _Made] = {
    "ready": _about_itself(events.Ready),
    "leave": _about_itself(events.Leave),
    "end": _about_itself(events.End),
    "share": _about_itself(events.Share),
    "chat": _say,
    "off": _turn_off,
    "pass": _pass,
    "record": _about_itself(events.Record),
    "stop-recording": _about_itself(events.StopRecording),
    "agree": _about_itself(events.Agree),
    "withdraw": _about_itself(events.Withdraw),
    "admit": _about_another(events.Admit),
    "deny": _about_another(events.Deny),
    "ask-mute": _about_another(events.AskMute),
    "hold": _about_either(events.Hold),
    "unhold": _about_either(events.Unhold),
    "unshare": _about_either(events.Unshare),
}


def read(text: str) -> Message:
    """Raises Refused for what is no message at all."""
    try:
        message = msgspec.json.decode(text, type=Message)
    except (msgspec.MsgspecError, RecursionError):
        raise Refused("malformed", "This message cannot be read.") from None
    if not 0 < len(message.id) <= _ID:
        raise Refused("malformed", "A command needs an id of 1 to 64 characters.")
    return message


def command(message: Message, by: str) -> events.Command:
    """Raises Refused for a word that is no command, and for chat that is empty or too long."""
    made = COMMANDS.get(message.do)
    if made is None:
        raise Refused("unknown", "There is no such command.")
    return made(message, by)


def clean(text: str) -> str:
    """What was written, without control characters; raises Refused when nothing or too much is left."""
    kept = "".join(c for c in text if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs")).strip()
    if not kept:
        raise Refused("empty", "There is nothing to send.")
    if len(kept) > LONGEST_CHAT:
        raise Refused("too-long", f"A message may have {LONGEST_CHAT} characters.")
    return kept
