"""The two ways out, against real servers: what they send, and what each answer means."""

import hmac
from datetime import UTC
from hashlib import sha256
from typing import Any

import pytest

from fhir_server.outbox.addresses import Address
from fhir_server.outbox.channels import NotSent, Smtp, Webhook
from fhir_server.outbox.letters import written
from fhir_server.outbox.planning import Template

LETTER = written(Template.REMINDER, "the clinic", 1_795_000_000_000, UTC, "https://x.example/visit#1", opens=True)
MAIL, PHONE = Address("smtp", "email", "a@example.org"), Address("webhook", "sms", "+491701234567")
SECRET = "a secret of the site"


def smtp(port: int, **given: Any) -> Smtp:
    usual = Smtp("127.0.0.1", port, "none", "", "", "visits@clinic.example", "fhir.example.org")
    return usual._replace(**given)


def test_a_mail(mail_server):
    smtp(mail_server.port).send("abc", LETTER, MAIL)
    [mail], [envelope] = mail_server.mails, mail_server.envelopes
    assert mail["Message-ID"] == "<abc@fhir.example.org>" and mail["Auto-Submitted"] == "auto-generated"
    assert (mail["From"], mail["To"], mail["Subject"]) == (
        "visits@clinic.example", "a@example.org", "Reminder of your visit",
    )  # fmt: skip
    assert mail.get_content().replace("\r\n", "\n").strip() == LETTER.text
    assert envelope.rcpt_tos == ["a@example.org"] and envelope.mail_from == "visits@clinic.example"


def test_a_mail_over_tls_with_a_log_in(tls_mail_server):
    port = tls_mail_server.port
    smtp(port, tls="starttls", user="robot", password="secret").send("abc", LETTER, MAIL)
    assert len(tls_mail_server.mails) == 1
    with pytest.raises(NotSent, match="smtp 535") as told:
        smtp(port, tls="starttls", user="robot", password="guess").send("abd", LETTER, MAIL)
    assert not told.value.final
    with pytest.raises(NotSent):
        smtp(port).send("abe", LETTER, MAIL)
    assert len(tls_mail_server.mails) == 1


def test_a_certificate_nobody_trusts_gets_no_mail(tls_mail_server, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(NotSent, match="SSL") as told:
        smtp(tls_mail_server.port, tls="starttls").send("abc", LETTER, MAIL)
    assert not told.value.final and not tls_mail_server.mails


@pytest.mark.parametrize(
    ("refused", "answer", "final"),
    [
        ("refuse_recipient", "550 No such a@example.org here", True),
        ("refuse_recipient", "451 Later", False),
        ("refuse_body", "554 Spam for a@example.org", True),
        ("refuse_body", "452 Full", False),
        ("refuse_sender", "550 Not from here", False),
    ],
)
def test_what_a_mail_server_refuses(mail_server, refused, answer, final):
    setattr(mail_server, refused, [answer])
    with pytest.raises(NotSent) as told:
        smtp(mail_server.port).send("abc", LETTER, MAIL)
    assert (told.value.final, told.value.reason) == (final, f"smtp {answer[:3]}")


def test_a_mail_server_that_is_not_there():
    with pytest.raises(NotSent) as told:
        smtp(9).send("abc", LETTER, MAIL)
    assert not told.value.final


def test_a_request(web_server):
    Webhook(web_server.url, SECRET, lambda: 1_795_000_000).send("abc", LETTER, PHONE)
    [(path, headers, body)], [told] = web_server.requests, web_server.bodies
    signed = hmac.new(SECRET.encode(), b"1795000000." + body, sha256).hexdigest()
    assert path == "/letters" and headers["Hearth-Signature"] == f"t=1795000000,v1={signed}"
    assert headers["Idempotency-Key"] == "abc" == told["id"]
    assert told["to"] == {"system": "sms", "value": "+491701234567"}
    assert set(told) == {"id", "template", "clinic", "start", "time", "subject", "text", "link", "to"}


@pytest.mark.parametrize(
    ("status", "final"),
    [(500, False), (429, False), (401, False), (404, False), (302, False), (307, False), (400, True), (422, True)],
)
def test_what_a_web_server_refuses(web_server, status, final):
    web_server.statuses.append(status)
    with pytest.raises(NotSent) as told:
        Webhook(web_server.url, SECRET, lambda: 1).send("abc", LETTER, PHONE)
    assert (told.value.final, told.value.reason) == (final, f"http {status}")
    assert len(web_server.requests) == 1, "no redirect is followed"


def test_no_proxy_of_the_environment_is_told(web_server, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    Webhook(web_server.url, SECRET, lambda: 1).send("abc", LETTER, PHONE)
    assert len(web_server.requests) == 1


def test_a_web_server_that_is_not_there():
    with pytest.raises(NotSent) as told:
        Webhook("http://127.0.0.1:9/", SECRET, lambda: 1).send("abc", LETTER, PHONE)
    assert not told.value.final
