"""What peers say of our messages."""

import pytest

from hl7_bridge.er7 import parse
from hl7_bridge.errors import Malformed, Place
from hl7_bridge.reply import Reply, Reported, read_reply
from hl7_bridge.verdict import Level, Verdict


def test_replies_of_peers() -> None:
    reply = read_reply(parse(b"MSH|^~\\&|\rMSA|ca|77|fine\r"))
    assert reply == Reply("CA", "77", "fine", ()) and (reply.level, reply.verdict) == (Level.ACCEPT, Verdict.ACCEPTED)
    err = b"ERR||OBX^2^5^1^3|102^Data type error^HL70357|W|||detail|for people\rERR|PID^1^3^101&Missing&HL70357\rERR\r"
    reply = read_reply(parse(b"MSH|^~\\&|\rMSA|AE|77\r" + err))
    assert reply.errors == (
        Reported("102", "for people", Place("OBX", 2, 5, 1, 3), "W"),
        Reported("101", "Missing", Place("PID", 1, 3)),
    )
    assert read_reply(parse(b"MSH|^~\\&|\rMSA|AR|77||||207^Internal\r")).errors == (Reported("207", "Internal"),)


@pytest.mark.parametrize("sent", [b"MSH|^~\\&|\rPID|1", b"MSH|^~\\&|\rMSA|XX|1", b"MSH|^~\\&|\rMSA"])
def test_what_is_no_reply(sent: bytes) -> None:
    with pytest.raises(Malformed):
        read_reply(parse(sent))
