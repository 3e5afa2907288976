"""Settings: each a row with name, default and one sentence; given on the command line, as HEARTH_<NAME>, or in the
file that HEARTH_<NAME>_FILE names.

The only module that reads the environment.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from capability.rows import Setting

VIDEO_PORT = 8081
"""Taken when ``hearth serve video`` is told none."""
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}
_SHORTEST_SECRET = 16
_LONGEST_LEAD = 20_160
"""Minutes of a fortnight."""
_HOURS = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]")


class SettingError(ValueError):
    """A setting has a value that cannot be used; the text names the setting, the value and what is expected."""


def _flag(text: str) -> bool:
    if text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    raise ValueError("expected true or false")


def _one_of(*choices: str) -> Any:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"expected one of {', '.join(choices)}")
        return text

    return parse


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _places(text: str) -> tuple[str, ...]:
    places = _listed(text)
    for place in places:
        try:
            ip_network(place)
        except ValueError:
            raise ValueError(f"expected addresses, or networks such as 10.0.0.0/8, not {place!r}") from None
    return places


def _whole(lowest: int, highest: int) -> Any:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= highest:
            raise ValueError(f"expected a whole number from {lowest} to {highest}")
        return int(text)

    return parse


def _zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, OSError, ValueError):
        raise ValueError("expected a time zone such as Europe/Berlin") from None


def _minutes_before(text: str) -> tuple[int, ...]:
    parts = _listed(text)
    if not all(part.isascii() and part.isdigit() and 0 < int(part) <= _LONGEST_LEAD for part in parts):
        raise ValueError(f"expected minutes from 1 to {_LONGEST_LEAD}, separated by commas, such as 1440,60")
    return tuple(sorted(map(int, parts), reverse=True))


def _hours_of_day(text: str) -> str:
    if text and not _HOURS.fullmatch(text):
        raise ValueError("expected two times of day such as 21:00-08:00, or nothing")
    return text


SETTINGS: tuple[Setting, ...] = (
    Setting("HOST", "127.0.0.1", "Address the API listens on; with OPEN only a loopback address is taken."),
    Setting("PORT", 8080, "Port the API listens on.", _whole(1, 65535)),
    Setting(
        "PUBLIC_URL",
        "",
        "Base address clients use, such as https://fhir.example.org/fhir; empty: built from HOST and PORT.",
    ),
    Setting("TLS_CERT", "", "Certificate chain file (PEM) to serve HTTPS with."),
    Setting("TLS_KEY", "", "Private key file (PEM) of TLS_CERT."),
    Setting("DATA_DIR", "var", "Folder for all local state: SQLite file, master key, spools."),
    Setting("DATABASE", "", "Database address: postgresql://... or sqlite:///path; empty: SQLite under DATA_DIR."),
    Setting("WORKERS", 1, "API worker processes.", _whole(1, 256)),
    Setting("THREADS", 4, "Request threads (and database connections) of each API worker.", _whole(1, 256)),
    Setting("SERVER", "granian", "HTTP server that runs the API: granian or gunicorn.", _one_of("granian", "gunicorn")),
    Setting("OPEN", False, "Serve without authentication, on loopback addresses only.", _flag),
    Setting(
        "SECOND_FACTOR",
        "",
        "Of whom two factors are required: nobody, administrators or staff; empty: administrators, but nobody where "
        "the public address is loopback.",
        _one_of("", "nobody", "administrators", "staff"),
    ),
    Setting(
        "MASTER_KEY",
        "",
        "Key (32 bytes, base64 or hex) that seals the keys in the database; empty: a file under DATA_DIR.",
    ),
    Setting(
        "AT_REST",
        "plain",
        "How documents are stored: plain, or envelope (encrypted with per-patient keys).",
        _one_of("plain", "envelope"),
    ),
    Setting(
        "REFERENTIAL_INTEGRITY",
        "both",
        "Refuse dangling references and deletes of what is referred to (both), only those (deletes), neither (off).",
        _one_of("both", "deletes", "off"),
    ),
    Setting(
        "SEARCH_HANDLING",
        "strict",
        "Unknown search parameters are errors (strict) or ignored with a warning (lenient).",
        _one_of("strict", "lenient"),
    ),
    Setting("PAGE_COUNT", 50, "Entries of a page when _count is not given.", _whole(1, 1000)),
    Setting("PAGE_COUNT_MAX", 1000, "Most entries of a page whatever _count says.", _whole(1, 10000)),
    Setting("BODY_MAX", 64 * 1024 * 1024, "Largest request body in bytes, unpacked.", _whole(1024, 1 << 34)),
    Setting(
        "STATEMENT_TIMEOUT",
        30,
        "Seconds a database statement may take before it is refused as too costly.",
        _whole(1, 3600),
    ),
    Setting(
        "CORS_ORIGINS",
        ("*",),
        "Origins whose pages may call the API, separated by commas; * for any (with OPEN: any of this machine).",
        _listed,
    ),
    Setting(
        "PROXIES",
        ("127.0.0.1", "::1"),
        "Addresses and networks (10.0.0.0/8) of reverse proxies whose X-Forwarded-For is believed, by commas.",
        _places,
    ),
    Setting(
        "METRICS_HOSTS",
        ("127.0.0.1", "::1"),
        "Client addresses and networks that may read /metrics, separated by commas.",
        _places,
    ),
    Setting(
        "LOG_LEVEL",
        "info",
        "Least severe log lines written: debug, info, warning or error.",
        _one_of("debug", "info", "warning", "error"),
    ),
    Setting("HL7_HOST", "127.0.0.1", "Address HL7 v2 messages are taken on; with OPEN only a loopback address."),
    Setting(
        "HL7_PORT",
        0,
        "Port HL7 v2 messages are taken on over MLLP; 0: `hearth serve` runs no bridge, `hearth serve hl7` takes 2575.",
        _whole(0, 65535),
    ),
    Setting("HL7_SITE", "", "Folder of the site kit: senders, receivers, codes; empty: hl7 under DATA_DIR."),
    Setting("HL7_WORKERS", 1, "Processes that apply messages to the record.", _whole(1, 64)),
    Setting("HL7_TLS_CERT", "", "Certificate chain file (PEM) to take messages over TLS with."),
    Setting("HL7_TLS_KEY", "", "Private key file (PEM) of HL7_TLS_CERT."),
    Setting("HL7_TLS_CA", "", "Certificates (PEM) that sign senders' own; given, every sender must show one."),
    Setting("HL7_MESSAGE_MAX", 64 * 1024 * 1024, "Largest HL7 v2 message in bytes.", _whole(1024, 1 << 30)),
    Setting("HL7_CONNECTIONS", 2000, "Most connections of senders at once.", _whole(1, 100_000)),
    Setting(
        "HL7_IDLE_SECONDS",
        0,
        "Seconds of silence after which a sender's connection ends; 0: never.",
        _whole(0, 864_000),
    ),
    Setting(
        "HL7_ANSWER_SECONDS",
        2,
        "Seconds that a sender of HL7 v2 in original mode waits for its message to be applied; then AA says stored.",
        _whole(0, 600),
    ),
    Setting(
        "HL7_RETENTION_DAYS",
        0,
        "Days that applied and refused messages are kept; 0: always. What waits for a person stays.",
        _whole(0, 36_500),
    ),
    Setting("VIDEO_HOST", "127.0.0.1", "Address visits are held on over HTTP; with OPEN only a loopback address."),
    Setting(
        "VIDEO_PORT",
        0,
        "Port visits are held on over HTTP; 0: `hearth serve` runs no video, `hearth serve video` takes 8081.",
        _whole(0, 65535),
    ),
    Setting("VIDEO_MEDIA_PORT", 40000, "UDP port of the media of all visits.", _whole(1, 65535)),
    Setting(
        "VIDEO_MEDIA_ADDRESSES",
        (),
        "IP addresses at which browsers reach VIDEO_MEDIA_PORT, separated by commas; empty: VIDEO_HOST.",
        _listed,
    ),
    Setting(
        "VIDEO_PUBLIC_URL",
        "",
        "Base address of the visits' page, such as https://visit.example.org; empty: from VIDEO_HOST and VIDEO_PORT.",
    ),
    Setting(
        "TIME_ZONE",
        "UTC",
        "Time zone of the clinic, such as Europe/Berlin: its days and hours are those of the clinicians' pages.",
        _zone,
    ),
    Setting(
        "BOOKINGS_AHEAD",
        20,
        "Appointments that may be ahead of a patient when they, or who cares for them, book one more; 0: any number.",
        _whole(0, 500),
    ),
    Setting("TARIFF", "", "File (TOML) of what visits are charged as; empty: tariff.toml under DATA_DIR."),
    Setting("VIDEO_TLS_CERT", "", "Certificate chain file (PEM) to hold visits over HTTPS with."),
    Setting("VIDEO_TLS_KEY", "", "Private key file (PEM) of VIDEO_TLS_CERT."),
    Setting(
        "VIDEO_ICE_SERVERS",
        (),
        "TURN servers offered to browsers, such as turn:turn.example.org:3478?transport=udp, separated by commas.",
        _listed,
    ),
    Setting("VIDEO_ICE_SECRET", "", "Secret shared with the TURN servers, of which their time-limited passwords come."),
    Setting("VIDEO_RELAY_ONLY", False, "Browsers send and receive media over the TURN servers alone.", _flag),
    Setting("VIDEO_FILE_MAX", 10 * 1024 * 1024, "Largest file sent in a visit, in bytes; 0: none.", _whole(0, 1 << 26)),
    Setting(
        "VIDEO_RECORDING", False, "Clinicians may record visits, with the consent of everybody who is in them.", _flag
    ),
    Setting("VIDEO_LONGEST_HOURS", 12, "Hours after which a visit ends, whoever is in it.", _whole(1, 168)),
    Setting("SMTP_HOST", "", "Mail server that takes the letters to patients; empty: none are sent by mail."),
    Setting("SMTP_PORT", 587, "Port of SMTP_HOST.", _whole(1, 65535)),
    Setting(
        "SMTP_TLS",
        "starttls",
        "How SMTP_HOST is spoken to: starttls, tls (from the first byte), or none on a loopback address.",
        _one_of("starttls", "tls", "none"),
    ),
    Setting("SMTP_USER", "", "Name to log in to SMTP_HOST with; empty: no log-in."),
    Setting("SMTP_PASSWORD", "", "Password of SMTP_USER."),
    Setting("SMTP_FROM", "", "Address that mails to patients come from, such as visits@clinic.example.org."),
    Setting(
        "WEBHOOK_URL",
        "",
        "Address (https) that takes letters to patients who have a mobile telephone and no e-mail; empty: none.",
    ),
    Setting("WEBHOOK_SECRET", "", "Secret that requests to WEBHOOK_URL are signed with, 16 characters or more."),
    Setting(
        "CLINIC_NAME",
        "the clinic",
        "How letters name the clinic; let it not say what is treated there.",
    ),
    Setting(
        "REMINDERS",
        (1440, 60),
        "Minutes before a visit at which patients are reminded, separated by commas; empty: never.",
        _minutes_before,
    ),
    Setting(
        "QUIET_HOURS",
        "21:00-08:00",
        "Times of day in TIME_ZONE between which nobody is reminded; empty: none.",
        _hours_of_day,
    ),
    Setting(
        "LETTER_LINK",
        "visit",
        "Where letters lead: into the visit without a log-in (visit), or to the log-in (account).",
        _one_of("visit", "account"),
    ),
    Setting("STOP_SECONDS", 30, "Seconds that running requests get to finish at a stop.", _whole(1, 3600)),
)

_BY_NAME = {row.name: row for row in SETTINGS}


@dataclass(frozen=True)
class Settings:
    """All settings by attribute in lower case: ``settings.page_count``."""

    values: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[name.upper()]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def base_url(self) -> str:
        """Base of the API as clients see it, without a final slash; the Host header is never asked."""
        if self.public_url:
            return str(self.public_url).rstrip("/")
        scheme = "https" if self.tls_cert else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}/fhir"

    @property
    def issuer(self) -> str:
        """Where the authorization server is: the base without its last path segment."""
        return self.base_url.rsplit("/", 1)[0]

    def is_default(self, *names: str) -> bool:
        """Whether all of ``names`` have the value they have when nobody says anything."""
        return all(self.values[name] == _BY_NAME[name].default for name in names)

    @property
    def local(self) -> bool:
        """Whether clients of this machine alone are meant: a developer's."""
        return _is_loopback(urlsplit(self.base_url).hostname or "")

    @property
    def data(self) -> Path:
        return Path(self.data_dir)

    @property
    def metrics_dir(self) -> Path:
        """Where API workers keep their counters, so that each can answer for all."""
        return self.data / "metrics"

    @property
    def hl7_site(self) -> Path:
        """The folder of the HL7 v2 site kit."""
        return Path(self.values["HL7_SITE"] or self.data / "hl7")

    @property
    def tariff_file(self) -> Path:
        """What visits are charged as; there may be none."""
        return Path(self.values["TARIFF"] or self.data / "tariff.toml")

    @property
    def video(self) -> bool:
        """Whether there are visits to join: this server holds them, or it is said where."""
        return bool(self.video_port or self.video_public_url)

    @property
    def video_url(self) -> str:
        """Base of the visits' page as browsers see it, without a final slash."""
        if self.video_public_url:
            return str(self.video_public_url).rstrip("/")
        host = f"[{self.video_host}]" if ":" in self.video_host else self.video_host
        return f"{'https' if self.video_tls_cert else 'http'}://{host}:{self.video_port or VIDEO_PORT}"

    @property
    def video_origin(self) -> str:
        """Of the visits' page, as browsers name it."""
        parts = urlsplit(self.video_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def video_address(self) -> str:
        """Base under which other processes of this server reach the video process."""
        if not self.video_port:
            return self.video_url
        host = f"[{self.video_host}]" if ":" in self.video_host else self.video_host
        return f"{'https' if self.video_tls_cert else 'http'}://{host}:{self.video_port}"

    @property
    def quiet_hours(self) -> tuple[int, int] | None:
        """Minutes of the day from and to which nobody is reminded."""
        if not self.values["QUIET_HOURS"]:
            return None
        begin, end = (time.fromisoformat(part) for part in self.values["QUIET_HOURS"].split("-"))
        return begin.hour * 60 + begin.minute, end.hour * 60 + end.minute

    @property
    def letters(self) -> bool:
        """Whether letters are sent to patients."""
        return bool(self.smtp_host or self.webhook_url)

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.data / 'hearth.sqlite'}"

    def environment(self) -> dict[str, str]:
        """These settings as HEARTH_<NAME> variables, so that a child process reads the same."""
        return {
            f"HEARTH_{name}": _text(value) for name, value in self.values.items() if value != _BY_NAME[name].default
        }


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def load(given: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from ``given`` (by name, texts or values), then HEARTH_<NAME>, then defaults. Raises SettingError."""
    environ = os.environ if environ is None else environ
    chosen = {name.upper(): value for name, value in (given or {}).items() if value is not None}
    values = {row.name: _value(row, chosen, environ) for row in SETTINGS}
    settings = Settings(values)
    _check(settings)
    return settings


def _value(row: Setting, given: Mapping[str, Any], environ: Mapping[str, str]) -> Any:
    if row.name in given and not isinstance(given[row.name], str):
        return given[row.name]
    text = given.get(row.name, _from_environment(row.name, environ))
    if text is None:
        return row.default
    try:
        return row.parse(text)
    except ValueError as error:
        raise SettingError(f"{row.name} is {text!r}: {error}") from None


def _from_environment(name: str, environ: Mapping[str, str]) -> str | None:
    """HEARTH_<NAME>, or what stands in the file that HEARTH_<NAME>_FILE names, as secrets are handed to containers."""
    path = environ.get(f"HEARTH_{name}_FILE")
    if not path or f"HEARTH_{name}" in environ:
        return environ.get(f"HEARTH_{name}")
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"HEARTH_{name}_FILE names {path!r}, which cannot be read: {error}") from None


def _check(settings: Settings) -> None:
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise SettingError("TLS_CERT and TLS_KEY go together: give both or neither")
    if bool(settings.hl7_tls_cert) != bool(settings.hl7_tls_key):
        raise SettingError("HL7_TLS_CERT and HL7_TLS_KEY go together: give both or neither")
    if settings.hl7_tls_ca and not settings.hl7_tls_cert:
        raise SettingError("HL7_TLS_CA asks senders for certificates, which needs HL7_TLS_CERT and HL7_TLS_KEY")
    _check_video(settings)
    _check_letters(settings)
    for name in ("HOST", "HL7_HOST", "VIDEO_HOST") if settings.open else ():
        if not _is_loopback(settings.values[name]):
            raise SettingError(
                f"OPEN serves without authentication, so {name} must be a loopback address, "
                f"not {settings.values[name]!r}"
            )


def _check_letters(settings: Settings) -> None:
    if settings.smtp_host and "@" not in settings.smtp_from:
        raise SettingError(f"SMTP_FROM is {settings.smtp_from!r}: mails need an address that they come from")
    if settings.smtp_host and settings.smtp_tls == "none" and not _is_loopback(settings.smtp_host):
        raise SettingError(f"SMTP_TLS is none, which sends addresses in clear to {settings.smtp_host}: take starttls")
    if bool(settings.smtp_user) != bool(settings.smtp_password):
        raise SettingError("SMTP_USER and SMTP_PASSWORD go together: give both or neither")
    if not settings.webhook_url:
        return
    parts = urlsplit(settings.webhook_url)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        raise SettingError(f"WEBHOOK_URL is {settings.webhook_url!r}: expected an https address")
    if len(settings.webhook_secret) < _SHORTEST_SECRET:
        raise SettingError(f"WEBHOOK_SECRET has {len(settings.webhook_secret)} characters: expected 16 or more")


def _check_video(settings: Settings) -> None:
    if bool(settings.video_tls_cert) != bool(settings.video_tls_key):
        raise SettingError("VIDEO_TLS_CERT and VIDEO_TLS_KEY go together: give both or neither")
    parts = urlsplit(settings.video_url)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        text = "browsers give no camera to a page without TLS: set VIDEO_PUBLIC_URL to an https address"
        if settings.video:
            raise SettingError(f"{text}, or VIDEO_TLS_CERT and VIDEO_TLS_KEY")
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
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        raise SettingError(
            f"clients would send tokens in clear to {base}: set PUBLIC_URL to an https address, or TLS_CERT and TLS_KEY"
        )
    if not parts.path.endswith("/fhir") or parts.query or parts.fragment:
        raise SettingError(f"PUBLIC_URL is {base!r}: its path must end in /fhir")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def export(settings: Settings) -> None:
    """Put the settings into this process's environment, for servers that build the application in their own workers."""
    os.environ.update(settings.environment())
    # prometheus-client chooses its storage by this variable when it is imported.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(settings.metrics_dir)


def child_environment() -> dict[str, str]:
    """This process's environment, for child processes; ``export`` first."""
    return dict(os.environ)
