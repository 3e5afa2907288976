"""TLS and mutual TLS: who has no certificate of ours is not heard, and a certificate says who sends."""

import datetime
import ipaddress
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from conformance_tests.hl7.bridge import KIT, Bridge, bridged
from conformance_tests.hl7.messages import oru
from conformance_tests.hl7.wire import Wire

requirement = pytest.mark.requirement
New = Callable[[], str]
NONE = serialization.NoEncryption()


class Identity(NamedTuple):
    """A certificate, its key, and the file that holds both."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    file: Path

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()


def issued(folder: Path, name: str, issuer: Identity | None = None) -> Identity:
    """A certificate for ``name`` and 127.0.0.1, signed by ``issuer`` or by itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder(
            issuer.certificate.subject if issuer else subject, subject, key.public_key(), x509.random_serial_number()
        )
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(issuer.key if issuer else key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, NONE)
    file.write_bytes(made.public_bytes(pem) + secret)
    return Identity(made, key, file)


class Secure(NamedTuple):
    bridge: Bridge
    authority: Identity
    people: dict[str, Identity]

    def wire(self, name: str = "") -> Wire:
        """A connection with the certificate of ``name``."""
        context = ssl.create_default_context(cafile=str(self.authority.file))
        if name:
            context.load_cert_chain(self.people[name].file)
        return Wire(self.bridge.port, context)


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    folder = tmp_path_factory.mktemp("hl7-tls")
    authority = issued(folder, "authority")
    people = {name: issued(folder, name, authority) for name in ("server", "lab.example", "clinic.example", "nobody")}
    people["forger"] = issued(folder, "forged", issued(folder, "other authority"))
    clinic = people["clinic.example"]
    kit = {
        "site.toml": KIT["site.toml"],
        "senders/lab.toml": 'certificates = ["lab.example"]\n',
        "senders/clinic.toml": f'certificates = ["{clinic.fingerprint}"]\napplications = ["CLINIC"]\n',
    }
    server = str(people["server"].file)
    options = ("--hl7-tls-cert", server, "--hl7-tls-key", server, "--hl7-tls-ca", str(authority.file))
    with bridged(folder, "", *options, kit=kit) as bridge:
        yield Secure(bridge, authority, people)


@requirement("bridge:mutual TLS")
def test_a_certificate_identifies_its_sender(secure: Secure, new: New) -> None:
    id = new()
    with secure.wire("lab.example") as wire:
        assert wire.ask(oru(id, id, app="ANYTHING")).code == "AA"
    [line] = [line for line in secure.bridge.hl7("tail").splitlines() if id in line]
    assert " lab " in line


@requirement("bridge:mutual TLS")
def test_a_fingerprint_and_the_application_together(secure: Secure, new: New) -> None:
    with secure.wire("clinic.example") as wire:
        id = new()
        assert wire.ask(oru(id, id, app="CLINIC")).code == "AA"
        id = new()
        assert wire.ask(oru(id, id, app="LAB")).code == "AR"


@requirement("bridge:mutual TLS")
@pytest.mark.parametrize("name", ["nobody", "forger", ""])
def test_others_are_not_heard(secure: Secure, new: New, name: str) -> None:
    with pytest.raises((OSError, ssl.SSLError, ConnectionError)), secure.wire(name) as wire:
        wire.ask(oru(id := new(), id))


@requirement("bridge:mutual TLS")
def test_who_speaks_no_tls_is_not_heard(secure: Secure, new: New) -> None:
    with pytest.raises(OSError), Wire(secure.bridge.port) as wire:
        wire.ask(oru(id := new(), id))


@requirement("bridge:mutual TLS")
def test_messages_cut_into_tls_records(secure: Secure, new: New) -> None:
    id = new()
    with secure.wire("lab.example") as wire:
        for byte in b"\x0b" + oru(id, id).encode() + b"\x1c\r":
            wire.send(bytes([byte]))
        assert wire.answer().id == id
