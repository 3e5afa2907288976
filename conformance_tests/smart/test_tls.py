"""The server with a certificate of its own: TLS 1.2 at least, cookies and documents for https alone."""

import datetime
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from conformance_tests.smart.hearth import Hearth, secured

requirement = pytest.mark.requirement

OLD = {"TLS 1.0": ssl.TLSVersion.TLSv1, "TLS 1.1": ssl.TLSVersion.TLSv1_1}
NEW = {"TLS 1.2": ssl.TLSVersion.TLSv1_2, "TLS 1.3": ssl.TLSVersion.TLSv1_3}


@pytest.fixture(scope="module")
def over_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hearth]:
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = _certificate(folder)
    options = ("--tls-cert", str(certificate), "--tls-key", str(key))
    with secured(folder, "", *options, scheme="https") as hearth:
        yield hearth


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signed itself, and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    written = folder / "certificate.pem", folder / "key.pem"
    written[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    written[1].write_bytes(key.private_bytes(pem, pkcs8, serialization.NoEncryption()))
    return written


def spoken(hearth: Hearth, version: ssl.TLSVersion) -> str:
    """The version that a client gets who speaks no other. Raises OSError when it gets none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    parts = urlsplit(hearth.base)
    with socket.create_connection((parts.hostname, parts.port), 10) as raw, context.wrap_socket(raw) as wrapped:
        return str(wrapped.version())


@requirement("inferno:standalone_auth_tls")
@requirement("inferno:standalone_token_tls")
@requirement("inferno:smart_backend_services_token_tls_version")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [*OLD, *NEW])
def test_tls_1_2_at_least(over_tls: Hearth, version: str) -> None:
    if version in NEW:
        assert spoken(over_tls, NEW[version]) == version.replace("TLS ", "TLSv")
        return
    with pytest.raises(OSError):
        spoken(over_tls, OLD[version])


@requirement("inferno:standalone_auth_tls")
def test_every_endpoint_is_https(over_tls: Hearth) -> None:
    told = httpx.get(f"{over_tls.base}/.well-known/smart-configuration", verify=False).json()
    urls = [value for name, value in told.items() if name.endswith("_endpoint") or name in ("issuer", "jwks_uri")]
    assert urls and all(url.startswith("https://") for url in urls)


@requirement("attack:60 session")
def test_the_cookie_is_for_https_and_this_host_alone(over_tls: Hearth) -> None:
    answer = httpx.get(f"{over_tls.base.removesuffix('/fhir')}/auth/login", verify=False)
    name, *flags = answer.headers["set-cookie"].split(";")
    assert name.startswith("__Host-")
    assert "secure" in {flag.strip().lower() for flag in flags}
