"""Offers: what a page of ours sends is answered, everything else is refused with Refused and nothing but that."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from video.errors import Refused
from video.media import sdp

OFFER = (Path(__file__).parent / "offer.sdp").read_text()
LINES = OFFER.splitlines()


def answering(offer: sdp.Offer) -> sdp.Answering:
    sending = {line.mid: sdp.Sending(5 + 2 * n, 6 + 2 * n) for n, line in enumerate(offer.lines) if line.slot >= 0}
    return sdp.Answering(sdp.Credentials.fresh(), "AA:BB", ("192.0.2.1", "2001:db8::1"), 40000, sending)


def test_an_offer_is_read_and_answered() -> None:
    offer = sdp.parse_offer(OFFER)
    assert offer.slots == 1
    assert [codec.name for codec in offer.lines[0].codecs] == ["opus"]
    assert [codec.name for codec in offer.lines[1].codecs] == ["vp8", "h264"]
    answer = sdp.write_answer(offer, answering(offer))
    assert answer.count("a=setup:passive") == 6 == answer.count("a=ice-ufrag:")
    assert "a=fmtp:111 minptime=10;useinbandfec=1" in answer
    assert "a=candidate:2 1 udp 2130706175 2001:db8::1 40000 typ host" in answer
    assert "a=msid:slot-0 slot-0-audio" in answer
    assert answer.count("a=extmap-allow-mixed") == 1
    plain = sdp.parse_offer(OFFER.replace("a=extmap-allow-mixed", "a=x"))
    assert "extmap-allow-mixed" not in sdp.write_answer(plain, answering(plain))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_offer_is_refused_or_answered(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(LINES) - 1))
    line = LINES[at]
    cut = data.draw(st.integers(0, len(line)))
    other = data.draw(st.sampled_from(["", line[:cut], line[:cut] + "\x01", line + " 1", "a=ssrc:x", "m=audio 9 X 0"]))
    text = "\r\n".join([*LINES[:at], other, *LINES[at + 1 :]]) + "\r\n"
    try:
        offer = sdp.parse_offer(text)
    except Refused:
        return
    sdp.write_answer(offer, answering(offer))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200) | st.lists(st.sampled_from(LINES), max_size=40).map("\r\n".join))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        sdp.parse_offer(text)


@pytest.mark.parametrize(
    "text", [OFFER + "a=x\r\n" * 20000, OFFER + "a=rtpmap:120 x/1\r\n" * 129, OFFER.replace("a=rtcp-mux\n", "")]
)
def test_what_is_too_much_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        sdp.parse_offer(text)


def test_fragments() -> None:
    assert sdp.parse_fragment("a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n").ufrag == "abcd"
    for text in ("", "a=ice-ufrag:ab\r\n", "a=ice-ufrag:abcd\r\na=ice-pwd:short\r\n"):
        with pytest.raises(Refused):
            sdp.parse_fragment(text)
