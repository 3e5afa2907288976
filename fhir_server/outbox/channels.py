"""The two ways out: mail by SMTP, and one HTTPS request for whoever sends the site's text messages.

RFC 5321, RFC 5322 (Message-ID), RFC 3207 (STARTTLS); HMAC-SHA-256 (RFC 2104) over time and body of a request.
"""

import hmac
import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import format_datetime, localtime
from hashlib import sha256
from http.client import HTTPException
from typing import NamedTuple, Protocol
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, HTTPSHandler, ProxyHandler, Request, build_opener

from fhir_server.outbox.addresses import Address
from fhir_server.outbox.letters import Letter
from resources import json_codec

SECONDS = 15.0
"""That each step of a connection may take."""
_OF_THE_LETTER = frozenset({400, 410, 413, 415, 422})
"""What says that this one will never be taken; all else is of the site's settings, or passes."""
_SHORT = 4096


class NotSent(Exception):
    """It did not leave. ``reason`` is a word for operators and never what the other side wrote, which may name the
    patient's address; ``final`` when trying again is of no use."""

    def __init__(self, reason: str, *, final: bool) -> None:
        super().__init__(reason)
        self.reason, self.final = reason, final


class ChannelOut(Protocol):
    def send(self, id: str, letter: Letter, to: Address) -> None:
        """Send ``letter``; the same ``id`` each time that it is tried. Raises NotSent."""
        ...


class Smtp(NamedTuple):
    """A mail server. ``tls`` is starttls, tls or none; ``sender`` the address of From; ``domain`` ends Message-IDs."""

    host: str
    port: int
    tls: str
    user: str
    password: str
    sender: str
    domain: str

    def send(self, id: str, letter: Letter, to: Address) -> None:
        mail = _mail(id, letter, to.value, self.sender, self.domain)
        try:
            with self._connected() as server:
                server.send_message(mail, self.sender, [to.value])
        except smtplib.SMTPRecipientsRefused as error:
            [(code, _)] = error.recipients.values()
            raise NotSent(f"smtp {code}", final=500 <= code < 600) from None
        except smtplib.SMTPDataError as error:
            raise NotSent(f"smtp {error.smtp_code}", final=500 <= error.smtp_code < 600) from None
        except smtplib.SMTPResponseException as error:  # of us, not of the letter: somebody will mend it
            raise NotSent(f"smtp {error.smtp_code}", final=False) from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise NotSent(f"smtp {type(error).__name__}", final=False) from None

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.tls == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=SECONDS, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=SECONDS)
        try:
            if self.tls == "starttls":
                server.starttls(context=context)
            if self.user:
                server.login(self.user, self.password)
        except BaseException:
            server.close()
            raise
        return server


def _mail(id: str, letter: Letter, to: str, sender: str, domain: str) -> EmailMessage:
    mail = EmailMessage()
    headers = {
        "From": sender,
        "To": to,
        "Subject": letter.subject,
        "Date": format_datetime(localtime()),
        "Message-ID": f"<{id}@{domain}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    for name, value in headers.items():
        mail[name] = value
    mail.set_content(letter.text)
    return mail


class Webhook(NamedTuple):
    """One address of the site's; no other is ever asked, and no redirect followed. ``now`` in s since 1970 UTC."""

    url: str
    secret: str
    now: Callable[[], int]

    def send(self, id: str, letter: Letter, to: Address) -> None:
        told = {"id": id, **letter.parameters(), "to": {"system": to.system, "value": to.value}}
        body, at = json_codec.encode(told), str(self.now())
        signed = hmac.new(self.secret.encode(), at.encode() + b"." + body, sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": id,
            "Hearth-Signature": f"t={at},v1={signed}",
        }
        try:
            with _opener().open(Request(self.url, body, headers, method="POST"), timeout=SECONDS) as answer:
                answer.read(_SHORT)
        except HTTPError as error:
            error.close()
            raise NotSent(f"http {error.code}", final=error.code in _OF_THE_LETTER) from None
        except (OSError, HTTPException, ValueError) as error:
            raise NotSent(f"http {type(error).__name__}", final=False) from None


class _Straight(HTTPRedirectHandler):
    """A redirect is an answer like any other that is no success."""

    def redirect_request(self, *given: object, **named: object) -> None:
        return None


def _opener() -> "_Opener":
    # No proxy of the environment, which would be told of everything.
    return build_opener(ProxyHandler({}), _Straight(), HTTPSHandler(context=ssl.create_default_context()))


class _Opener(Protocol):
    def open(self, request: Request, *, timeout: float) -> "_Answer": ...


class _Answer(Protocol):
    def read(self, size: int) -> bytes: ...

    def __enter__(self) -> "_Answer": ...

    def __exit__(self, *error: object) -> None: ...
