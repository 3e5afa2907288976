"""What a file is by its bytes, and what its name comes to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video.errors import Refused
from video.signalling.file_kinds import ENDINGS, called, disposition, kind

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


@pytest.mark.parametrize(
    ("content", "type"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "application/pdf"),
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        ("Grüße\r\n\tund mehr".encode(), "text/plain"),
        (b"\xef\xbb\xbfname;value\n", "text/plain"),
        (b"<html><script>alert(1)</script>", "text/plain"),
    ],
)
def test_the_bytes_decide(content: bytes, type: str) -> None:
    assert kind(content) == type


@pytest.mark.parametrize(
    "content",
    [b"", b"MZ\x90\x00", b"\x7fELF\x02", b"PK\x03\x04", b"GIF89a\x00", b"text\x00more", b"\x1b[2J", b"\xff\xfeh\x00"],
)
def test_all_else_is_refused(content: bytes) -> None:
    with pytest.raises(Refused) as refused:
        kind(content)
    assert refused.value.code in ("file-type", "empty")


@pytest.mark.parametrize(
    ("name", "type", "stays"),
    [
        ("Brief.PDF", "application/pdf", "Brief.PDF"),
        ("C:\\Users\\me\\scan.jpeg", "image/jpeg", "scan.jpeg"),
        ("../../etc/passwd", "text/plain", "passwd.txt"),
        ("invoice.pdf.exe", "application/pdf", "invoice.pdf.exe.pdf"),
        ("photo\u202egnp.exe", "image/png", "photognp.exe.png"),
        ("", "image/webp", "file.webp"),
        (".pdf", "application/pdf", "pdf.pdf"),
        ("x" * 300 + ".png", "image/png", "x" * 100 + ".png"),
    ],
)
def test_names(name: str, type: str, stays: str) -> None:
    assert called(name, type) == stays


@given(st.text(max_size=150), st.sampled_from(sorted(ENDINGS)))
def test_no_name_leaves_its_header_or_its_folder(name: str, type: str) -> None:
    made = called(name, type)
    assert made.lower().endswith(ENDINGS[type]) and not set(made) & set('/\\\r\n\0"')
    disposition(made).encode("ascii")
