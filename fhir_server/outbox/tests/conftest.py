"""Fixtures of the outbox: a mail server and a web server of our own, and a clinic that sends letters."""

import json
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Json = dict[str, Any]


class MailServer:
    """Takes mail; ``answers`` to the next recipients or bodies instead of 250, ``on_mail`` is called with each."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.refuse_sender: list[str] = []
        self.refuse_recipient: list[str] = []
        self.refuse_body: list[str] = []
        self.on_mail: Callable[[], None] = lambda: None
        self.port = 0

    async def handle_MAIL(self, server: SMTP, session: Any, envelope: Envelope, address: str, options: Any) -> str:
        if self.refuse_sender:
            return self.refuse_sender.pop(0)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Envelope, address: str, options: Any) -> str:
        if self.refuse_recipient:
            return self.refuse_recipient.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Envelope) -> str:
        if self.refuse_body:
            return self.refuse_body.pop(0)
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.envelopes.append(envelope)
        self.on_mail()
        return "250 Taken"


def _serving(controller: Controller, server: MailServer) -> Iterator[MailServer]:
    controller.start()
    try:
        server.port = controller.port
        yield server
    finally:
        controller.stop()


class _Anywhere(Controller):
    """On a port that is free, which it is told before the controller looks whether it answers."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture(scope="session")
def one_mail_server() -> Iterator[MailServer]:
    server = MailServer()
    yield from _serving(_Anywhere(server, hostname="127.0.0.1", port=0), server)


@pytest.fixture
def mail_server(one_mail_server: MailServer) -> MailServer:
    """That of all tests, which remembers nothing of those before."""
    fresh = vars(MailServer()) | {"port": one_mail_server.port}
    vars(one_mail_server).update(fresh)
    return one_mail_server


@pytest.fixture
def tls_mail_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """Wants STARTTLS and the log-in robot/secret; its certificate is trusted here."""
    paths = _certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(paths[0]))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*paths)
    server = MailServer()

    def authenticator(asked: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"robot", b"secret")
        return AuthResult(success=good, handled=False)

    controller = _Anywhere(
        server, hostname="127.0.0.1", port=0, tls_context=context, require_starttls=True,
        auth_required=True, authenticator=authenticator,
    )  # fmt: skip
    yield from _serving(controller, server)


def _certificate(folder: Path) -> tuple[Path, Path]:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    start = datetime.now(UTC) - timedelta(days=1)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(start).not_valid_after(start + timedelta(days=9))
        .add_extension(names, critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


@dataclass
class WebServer:
    """Takes requests, answers with ``statuses`` and then with 202."""

    url: str
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    @property
    def bodies(self) -> list[Json]:
        return [json.loads(body) for _, _, body in self.requests]


@pytest.fixture
def web_server(one_web_server: WebServer) -> WebServer:
    """That of all tests, which remembers nothing of those before."""
    one_web_server.requests.clear()
    one_web_server.statuses.clear()
    return one_web_server


@pytest.fixture(scope="session")
def one_web_server() -> Iterator[WebServer]:
    found = WebServer("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.requests.append((self.path, dict(self.headers.items()), body))
            self.send_response(found.statuses.pop(0) if found.statuses else 202)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *told: object) -> None:
            return None

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        found.url = f"http://127.0.0.1:{server.server_address[1]}/letters"
        yield found
        server.shutdown()
        thread.join()
