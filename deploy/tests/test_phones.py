"""The telephones of the demonstration: what is not signed is not shown."""

import hmac
import time
from hashlib import sha256

import httpx

from conformance_tests.process import free_port
from deploy.demo.phones import SECRET, is_signed, phones

BODY = b'{"to": {"value": "+1 <555>"}, "text": "Your visit\\nat the clinic"}'


def signed(at: int, body: bytes = BODY, secret: str = SECRET) -> str:
    return f"t={at},v1={hmac.new(secret.encode(), f'{at}.'.encode() + body, sha256).hexdigest()}"


def test_a_signature_is_of_the_time_the_body_and_the_secret():
    assert is_signed(signed(1000), BODY, 1100)
    assert not is_signed(signed(1000), BODY, 2000)
    assert not is_signed(signed(1000), BODY + b" ", 1000)
    assert not is_signed(signed(1000, secret="another"), BODY, 1000)
    assert not any(is_signed(header, BODY, 1000) for header in ("", "t=1000", "v1=x", "t=x,v1=y", "t=-1"))


def test_letters_are_shown_once_and_escaped():
    port = free_port()
    with phones(port) as letters:
        url = f"http://127.0.0.1:{port}/"
        headers = {"Hearth-Signature": signed(int(time.time())), "Idempotency-Key": "one"}
        assert httpx.post(url, content=BODY).status_code == 403
        assert [httpx.post(url, content=BODY, headers=headers).status_code for _ in range(2)] == [202, 202]
        page = httpx.get(url).text
        assert list(letters) == ["one"] and page.count("<li>") == 1
        assert "+1 &lt;555&gt;" in page and "Your visit<br>at the clinic" in page
