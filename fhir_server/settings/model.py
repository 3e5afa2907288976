"""All settings of a process as one value, and what follows from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fhir_server.settings.loopback import is_loopback
from fhir_server.settings.rows import SETTINGS

VIDEO_PORT = 8081
"""Taken when ``hearth serve video`` is told none."""
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
        return is_loopback(urlsplit(self.base_url).hostname or "")

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
