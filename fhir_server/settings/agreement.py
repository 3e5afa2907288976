"""What settings must be together."""

from urllib.parse import urlsplit

from fhir_server.settings.loopback import is_guarded, is_loopback
from fhir_server.settings.model import Settings

_SHORTEST_SECRET = 16


class SettingError(ValueError):
    """A setting has a value that cannot be used; the text names the setting, the value and what is expected."""


def check(settings: Settings) -> None:
    """Raises SettingError."""
    _both_or_neither(settings, "TLS_CERT", "TLS_KEY")
    _both_or_neither(settings, "HL7_TLS_CERT", "HL7_TLS_KEY")
    if settings.hl7_tls_ca and not settings.hl7_tls_cert:
        raise SettingError("HL7_TLS_CA asks senders for certificates, which needs HL7_TLS_CERT and HL7_TLS_KEY")
    _check_video(settings)
    _check_letters(settings)
    for name in ("HOST", "HL7_HOST", "VIDEO_HOST") if settings.open else ():
        if not is_loopback(settings.values[name]):
            raise SettingError(
                f"OPEN serves without authentication, so {name} must be a loopback address, "
                f"not {settings.values[name]!r}"
            )


def _both_or_neither(settings: Settings, one: str, other: str) -> None:
    if bool(settings.values[one]) != bool(settings.values[other]):
        raise SettingError(f"{one} and {other} go together: give both or neither")


def _check_letters(settings: Settings) -> None:
    if settings.smtp_host and "@" not in settings.smtp_from:
        raise SettingError(f"SMTP_FROM is {settings.smtp_from!r}: mails need an address that they come from")
    if settings.smtp_host and settings.smtp_tls == "none" and not is_loopback(settings.smtp_host):
        raise SettingError(f"SMTP_TLS is none, which sends addresses in clear to {settings.smtp_host}: take starttls")
    _both_or_neither(settings, "SMTP_USER", "SMTP_PASSWORD")
    if not settings.webhook_url:
        return
    if not is_guarded(settings.webhook_url):
        raise SettingError(f"WEBHOOK_URL is {settings.webhook_url!r}: expected an https address")
    if len(settings.webhook_secret) < _SHORTEST_SECRET:
        raise SettingError(f"WEBHOOK_SECRET has {len(settings.webhook_secret)} characters: expected 16 or more")


def _check_video(settings: Settings) -> None:
    _both_or_neither(settings, "VIDEO_TLS_CERT", "VIDEO_TLS_KEY")
    if settings.video and not is_guarded(settings.video_url):
        raise SettingError(
            "browsers give no camera to a page without TLS: set VIDEO_PUBLIC_URL to an https address, "
            "or VIDEO_TLS_CERT and VIDEO_TLS_KEY"
        )
    for server in settings.video_ice_servers:
        if server.partition(":")[0] not in ("turn", "turns"):
            raise SettingError(f"VIDEO_ICE_SERVERS has {server!r}: expected turn:host:port or turns:host:port")
    if settings.video_ice_servers and not settings.video_ice_secret:
        raise SettingError("VIDEO_ICE_SERVERS needs VIDEO_ICE_SECRET, the secret that the TURN servers know")
    if settings.video_relay_only and not settings.video_ice_servers:
        raise SettingError("VIDEO_RELAY_ONLY needs VIDEO_ICE_SERVERS: without a TURN server nobody would hear anybody")


def check_public_url(base: str) -> None:
    """Tokens and passwords go to this address, and the routes below it are ours to lay. Raises SettingError."""
    parts = urlsplit(base)
    if not is_guarded(base):
        raise SettingError(
            f"clients would send tokens in clear to {base}: set PUBLIC_URL to an https address, or TLS_CERT and TLS_KEY"
        )
    if not parts.path.endswith("/fhir") or parts.query or parts.fragment:
        raise SettingError(f"PUBLIC_URL is {base!r}: its path must end in /fhir")
