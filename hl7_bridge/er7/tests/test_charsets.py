"""Character sets: MSH-18, byte order marks, the sender's own, and bytes that fit none."""

import pytest

from hl7_bridge.er7.charsets import CODECS, decode, table_0211
from hl7_bridge.errors import Place, Unreadable


def header(charset: str) -> str:
    return f"MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.5||||||{charset}\rPID|1||7||"


@pytest.mark.parametrize(
    ("declared", "codec", "text"),
    [
        ("", "utf-8", "Zoë"),
        ("UNICODE UTF-8", "utf-8", "Zoë"),
        ("utf-8", "utf-8", "Zoë"),
        ("UTF-8~UNICODE", "utf-8", "Zoë"),
        ("ASCII", "utf-8", "Zoë"),
        ("ASCII", "ascii", "Zoe"),
        ("8859/1", "latin-1", "Zoë"),
        ("8859/15", "iso8859-15", "1€"),
        ("8859/5", "iso8859-5", "Анна"),
        ("WINDOWS-1252", "cp1252", "1€"),
        ("GB 18030-2000", "gb18030", "李"),
        ("KS X 1001", "euc_kr", "김"),
        ("~ISO IR87", "iso2022_jp", "山田^太郎"),
        ("ASCII~ISO IR87~ISO IR159", "iso2022_jp_ext", "ヤマダ山田|"),
        ("ISO IR14~ISO IR87", "iso2022_jp", "山田"),
        ("UNICODE UTF-16", "utf-8", "Zoë"),
    ],
)
def test_declared_sets(declared: str, codec: str, text: str) -> None:
    assert decode((header(declared) + text).encode(codec))[0] == header(declared) + text


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_byte_order_marks(codec: str) -> None:
    text, read_as = decode((header("UNICODE UTF-16") + "Zoë").encode(codec))
    assert text == header("UNICODE UTF-16") + "Zoë"
    assert read_as == {"utf-8-sig": "utf-8"}.get(codec, codec)


def test_the_senders_own_set_counts_when_nothing_is_declared() -> None:
    assert decode(header("").encode() + b"Zo\xeb", "latin-1") == (header("") + "Zoë", "latin-1")
    assert decode(header("UNICODE UTF-8").encode() + "Zoë".encode(), "latin-1")[0].endswith("Zoë")


def test_bytes_outside_the_set_are_told_with_their_place_and_not_their_text() -> None:
    with pytest.raises(Unreadable) as caught:
        decode(header("UNICODE UTF-8").encode() + b"Zo\xeb|")
    assert caught.value.place == Place("PID", 1, 5)
    assert "0xEB" in caught.value.text and "Zo" not in caught.value.text


@pytest.mark.parametrize("declared", ["KLINGON", "8859/1~8859/5"])
def test_sets_that_cannot_be_read(declared: str) -> None:
    with pytest.raises(Unreadable) as caught:
        decode(header(declared).encode() + b"\x1b-Lx")
    assert caught.value.place == Place("MSH", 1, 18)


def test_a_profile_with_an_unknown_codec_is_no_crash() -> None:
    with pytest.raises(Unreadable):
        decode(b"MSH|^~\\&|", "klingon")


def test_names_for_replies() -> None:
    assert table_0211("utf-8") == "UNICODE UTF-8"
    assert table_0211("latin-1") == "8859/1"
    assert table_0211("ascii") == "" == table_0211("cp1252")
    assert all("a".encode(codec) for codec in CODECS.values())
