"""Offers of pages and the answers to them.

RFC 8866 (SDP), RFC 9725 (WHIP), RFC 8829 section 5.3, RFC 7587 (Opus), RFC 7741 (VP8), RFC 6184 (H.264),
RFC 4588 (RTX), RFC 8840 section 9 (fragments), RFC 8843 (BUNDLE).
"""

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from aiortc.rtcdtlstransport import X509_DIGEST_ALGORITHMS, RTCDtlsParameters
from aiortc.sdp import MediaDescription, SessionDescription

from video.errors import Refused
from video.ports import Source

LONGEST = 64 * 1024
SLOTS = 5
SENT = (Source.MICROPHONE, Source.CAMERA, Source.SCREEN)
"""What the lines of an offer are, in their order; then as many for each slot."""
KIND = {Source.MICROPHONE: "audio", Source.CAMERA: "video", Source.SCREEN: "video"}
CLOCK = {"audio": 48000, "video": 90000}
_MOST = {"a=rtpmap": 128, "a=rtcp-fb": 512, "a=fmtp": 128, "a=ssrc": 64, "a=extmap": 32, "a=candidate": 64}
"""Lines of a kind in one section: what is read by aiortc costs the product of some of them."""
_FEEDBACK = {"audio": ("nack",), "video": ("nack", "nack pli", "ccm fir", "goog-remb")}
"""Browsers do not offer NACK for sound and yet do it, both ways, when the answer names it; the others pass it over."""
_EXTENSIONS = {
    "mid": "urn:ietf:params:rtp-hdrext:sdes:mid",
    "time": "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
}
_MIXED = "a=extmap-allow-mixed"
"""RFC 8285 section 6: one-byte and two-byte header extensions in one stream."""
_CREDENTIAL = re.compile(r"^[A-Za-z0-9+/]+$")


@dataclass(frozen=True, slots=True)
class Codec:
    """``name`` is opus, vp8 or h264; ``rtx`` the payload type of its retransmissions, -1 without."""

    name: str
    payload_type: int
    rtx: int
    parameters: str


@dataclass(frozen=True, slots=True)
class Line:
    """One section: what ``source`` of ``slot`` it is (slot -1: what the page sends). No ``codecs``: refused."""

    mid: str
    source: Source
    slot: int
    codecs: tuple[Codec, ...]
    extensions: dict[str, int]
    ssrcs: tuple[int, ...]
    repairs: dict[int, int]

    @property
    def kind(self) -> str:
        return KIND[self.source]


@dataclass(frozen=True, slots=True)
class Credentials:
    """Of one side of ICE (RFC 8445 section 5.3)."""

    ufrag: str
    password: str

    @classmethod
    def fresh(cls) -> "Credentials":
        return cls(secrets.token_hex(8), secrets.token_hex(16))


@dataclass(frozen=True, slots=True)
class Offer:
    """What a page offers; ``dtls`` has its fingerprints, ``mixed``: header extensions of both lengths may be mixed."""

    lines: tuple[Line, ...]
    ice: Credentials
    dtls: RTCDtlsParameters
    mixed: bool = False

    @property
    def slots(self) -> int:
        return len(self.lines) // 3 - 1


@dataclass(frozen=True, slots=True)
class Sending:
    """The SSRCs of a section that the server sends; ``rtx`` 0 without retransmission."""

    ssrc: int
    rtx: int


@dataclass(frozen=True, slots=True)
class Answering:
    """What the answer says of the server."""

    ice: Credentials
    fingerprint: str
    addresses: tuple[str, ...]
    port: int
    sending: dict[str, Sending] = field(default_factory=dict)


def _refused(text: str) -> Refused:
    return Refused("malformed", text)


def parse_offer(text: str) -> Offer:
    """Raises Refused for what is no offer of a page of ours."""
    _measured(text)
    try:
        session = SessionDescription.parse(text)
    except (ValueError, AssertionError, LookupError, StopIteration, TypeError, AttributeError):
        raise _refused("The offer of the browser cannot be read.") from None
    media = session.media
    if len(media) % 3 or not 2 <= len(media) // 3 <= 1 + SLOTS:
        raise _refused("The offer has not the lines that were agreed on.")
    lines = tuple(_line(number, section) for number, section in enumerate(media))
    if len({line.mid for line in lines}) != len(lines):
        raise _refused("Two lines of the offer have the same name.")
    return Offer(lines, _remote(media[0]), _fingerprints(media[0]), _MIXED in text)


def _measured(text: str) -> None:
    if len(text) > LONGEST:
        raise Refused("too-large", "The offer of the browser is too long.", 413)
    if not text.isascii():
        raise _refused("The offer of the browser cannot be read.")
    for section in re.split(r"^m=", text, flags=re.MULTILINE):
        for start, most in _MOST.items():
            if section.count(f"\n{start}") > most:
                raise _refused("The offer of the browser has too many lines of a kind.")


def _remote(media: MediaDescription) -> Credentials:
    ice = media.ice
    if ice is None or ice.iceLite:
        raise _refused("The offer has no ICE credentials.")
    return _credentials(ice.usernameFragment or "", ice.password or "")


def _credentials(ufrag: str, password: str) -> Credentials:
    """Lengths of RFC 8839 section 5.4."""
    if not (4 <= len(ufrag) <= 256 and 22 <= len(password) <= 256):
        raise _refused("The offer has no ICE credentials.")
    if not (_CREDENTIAL.match(ufrag) and _CREDENTIAL.match(password)):
        raise _refused("The offer has no ICE credentials.")
    return Credentials(ufrag, password)


def _fingerprints(media: MediaDescription) -> RTCDtlsParameters:
    dtls = media.dtls
    known = [f for f in dtls.fingerprints if f.algorithm.lower() in X509_DIGEST_ALGORITHMS] if dtls else []
    if dtls is None or not known or len(dtls.fingerprints) > 8:
        raise _refused("The offer names no certificate.")
    if dtls.role not in ("auto", "client"):
        raise _refused("The browser must be the one that calls.")
    return dtls


def _line(number: int, media: MediaDescription) -> Line:
    source, slot = SENT[number % 3], number // 3 - 1
    if media.kind != KIND[source] or media.profile != "UDP/TLS/RTP/SAVPF" or not media.rtp.muxId:
        raise _refused("The offer has not the lines that were agreed on.")
    if media.direction != ("sendonly" if slot < 0 else "recvonly") or not media.rtcp_mux or not _plain(media.rtp.muxId):
        raise _refused("The offer has not the lines that were agreed on.")
    extensions = {e.uri: e.id for e in media.rtp.headerExtensions if 0 < e.id < 15}
    repairs = _repairs(media)
    return Line(
        mid=media.rtp.muxId,
        source=source,
        slot=slot,
        codecs=_codecs(media),
        extensions={name: extensions[uri] for name, uri in _EXTENSIONS.items() if uri in extensions},
        ssrcs=tuple(s.ssrc for s in media.ssrc if s.ssrc not in repairs and 0 < s.ssrc < 1 << 32),
        repairs=repairs,
    )


def _plain(mid: str) -> bool:
    return len(mid) <= 32 and re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+", mid) is not None


def _repairs(media: MediaDescription) -> dict[int, int]:
    """Retransmission SSRC: the SSRC it repairs (RFC 5576 section 4.2, FID)."""
    pairs = [g.items for g in media.ssrc_group if g.semantic == "FID" and len(g.items) == 2]
    return {int(repair): int(main) for main, repair in pairs}


def _codecs(media: MediaDescription) -> tuple[Codec, ...]:
    offered = media.rtp.codecs
    rtx = {c.parameters.get("apt"): c.payloadType or 0 for c in offered if c.name.lower() == "rtx"}
    found: dict[str, Codec] = {}
    for codec in offered:
        name, number = codec.name.lower(), codec.payloadType or 0
        if name not in _FITS or name in found or not _FITS[name](media.kind, codec) or not _dynamic(number):
            continue
        repair = rtx.get(number, -1)
        found[name] = Codec(name, number, repair if _dynamic(repair) else -1, _PARAMETERS[name](codec))
    # Every browser sends VP8, and it alone fits into a recording (WebM): what is first is sent.
    return tuple(sorted(found.values(), key=lambda codec: codec.name != "vp8"))


def _dynamic(number: int) -> bool:
    """A payload type that is no RTCP (RFC 5761 section 4)."""
    return 96 <= number <= 127 or 35 <= number <= 63


def _h264(kind: str, codec: Any) -> bool:
    """Constrained baseline, the profile that every browser reads, in packets of any shape (packetization-mode 1)."""
    level = str(codec.parameters.get("profile-level-id", "")).lower()
    mode = str(codec.parameters.get("packetization-mode", "0"))
    return kind == "video" and codec.clockRate == 90000 and mode == "1" and level[:4] in ("42e0", "4200")


_FITS: dict[str, Callable[[str, Any], bool]] = {
    "opus": lambda kind, codec: kind == "audio" and codec.clockRate == 48000 and codec.channels == 2,
    "vp8": lambda kind, codec: kind == "video" and codec.clockRate == 90000,
    "h264": _h264,
}
_PARAMETERS: dict[str, Callable[[Any], str]] = {
    "opus": lambda codec: "minptime=10;useinbandfec=1",
    "vp8": lambda codec: "",
    "h264": lambda codec: (
        f"level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={_level(codec.parameters['profile-level-id'])}"
    ),
}


def _level(text: str) -> str:
    return text.lower() if re.fullmatch(r"[0-9a-fA-F]{6}", text) else "42e01f"


def write_answer(offer: Offer, answering: Answering) -> str:
    """The answer: ICE-lite, passive in DTLS, all in one bundle, as many sections as the offer."""
    bundle = " ".join(line.mid for line in offer.lines if line.codecs)
    rows = [
        "v=0",
        f"o=- {secrets.randbits(62)} 1 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        f"a=group:BUNDLE {bundle}",
        "a=msid-semantic: WMS *",
    ]
    # Chromium takes an answer without the word for a change in each later offer, and makes its encoders anew.
    rows += [_MIXED] * offer.mixed
    candidates = _candidates(answering.addresses, answering.port)
    for line in offer.lines:
        rows += _section(line, answering, candidates) if line.codecs else _rejected(line)
    return "\r\n".join(rows) + "\r\n"


def _rejected(line: Line) -> list[str]:
    return [f"m={line.kind} 0 UDP/TLS/RTP/SAVPF 0", "c=IN IP4 0.0.0.0", "a=inactive", f"a=mid:{line.mid}"]


def _section(line: Line, answering: Answering, candidates: Sequence[str]) -> list[str]:
    types = [n for codec in line.codecs for n in (codec.payload_type, codec.rtx) if n >= 0]
    rows = [
        f"m={line.kind} 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, types))}",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        f"a=mid:{line.mid}",
        f"a=ice-ufrag:{answering.ice.ufrag}",
        f"a=ice-pwd:{answering.ice.password}",
        f"a=fingerprint:sha-256 {answering.fingerprint}",
        "a=setup:passive",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        f"a={'recvonly' if line.slot < 0 else 'sendonly'}",
    ]
    rows += [f"a=extmap:{number} {_EXTENSIONS[name]}" for name, number in line.extensions.items()]
    for codec in line.codecs:
        rows += _codec_rows(line.kind, codec)
    return rows + _sending_rows(line, answering.sending.get(line.mid)) + list(candidates)


def _codec_rows(kind: str, codec: Codec) -> list[str]:
    names = {"opus": "opus/48000/2", "vp8": "VP8/90000", "h264": "H264/90000"}
    rows = [f"a=rtpmap:{codec.payload_type} {names[codec.name]}"]
    if codec.parameters:
        rows.append(f"a=fmtp:{codec.payload_type} {codec.parameters}")
    rows += [f"a=rtcp-fb:{codec.payload_type} {word}" for word in _FEEDBACK[kind]]
    if codec.rtx >= 0:
        rows += [f"a=rtpmap:{codec.rtx} rtx/90000", f"a=fmtp:{codec.rtx} apt={codec.payload_type}"]
    return rows


def stream(line: Line) -> str:
    """The media stream of a slot; the screen has one of its own, for only one picture goes with the sound."""
    return f"slot-{line.slot}" if line.source is not Source.SCREEN else f"slot-{line.slot}-screen"


def _sending_rows(line: Line, sending: Sending | None) -> list[str]:
    if sending is None:
        return []
    name = stream(line)
    rows = [f"a=msid:{name} {name}-{line.kind}"]
    if sending.rtx:
        rows.append(f"a=ssrc-group:FID {sending.ssrc} {sending.rtx}")
    return rows + [f"a=ssrc:{ssrc} cname:{name}" for ssrc in (sending.ssrc, sending.rtx) if ssrc]


def _candidates(addresses: Sequence[str], port: int) -> list[str]:
    """Host candidates, the first preferred (RFC 8445 section 5.1.2)."""
    rows = []
    for number, address in enumerate(addresses):
        priority = 126 << 24 | (65535 - number) << 8 | 255
        rows.append(f"a=candidate:{number + 1} 1 udp {priority} {ip_address(address)} {port} typ host")
    return [*rows, "a=end-of-candidates"]


def parse_fragment(text: str) -> Credentials:
    """The credentials of an ICE restart (RFC 8840 section 9, RFC 9725 section 4.3.2). Raises Refused."""
    if len(text) > LONGEST:
        raise Refused("too-large", "The fragment of the browser is too long.", 413)
    found = dict(re.findall(r"^a=(ice-ufrag|ice-pwd):([^\r\n]*)", text, flags=re.MULTILINE))
    return _credentials(found.get("ice-ufrag", "").strip(), found.get("ice-pwd", "").strip())


def write_fragment(offer: Offer, answering: Answering) -> str:
    """The answer to it."""
    first = next(line for line in offer.lines if line.codecs)
    rows = [
        "a=ice-lite",
        f"a=ice-ufrag:{answering.ice.ufrag}",
        f"a=ice-pwd:{answering.ice.password}",
        f"m={first.kind} 9 UDP/TLS/RTP/SAVPF 0",
        f"a=mid:{first.mid}",
        *_candidates(answering.addresses, answering.port),
    ]
    return "\r\n".join(rows) + "\r\n"
