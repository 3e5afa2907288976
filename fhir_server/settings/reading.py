"""Settings from the command line, the environment, or files that it names. Nothing else reads the environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from capability.rows import Setting
from fhir_server.settings.agreement import SettingError, check
from fhir_server.settings.model import Settings
from fhir_server.settings.rows import SETTINGS


def load(given: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from ``given`` (by name, texts or values), then HEARTH_<NAME>, then defaults. Raises SettingError."""
    environ = os.environ if environ is None else environ
    chosen = {name.upper(): value for name, value in (given or {}).items() if value is not None}
    values = {row.name: _value(row, chosen, environ) for row in SETTINGS}
    settings = Settings(values)
    check(settings)
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


def export(settings: Settings) -> None:
    """Put the settings into this process's environment, for servers that build the application in their own workers."""
    os.environ.update(settings.environment())
    # prometheus-client chooses its storage by this variable when it is imported.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(settings.metrics_dir)


def child_environment() -> dict[str, str]:
    """This process's environment, for child processes; ``export`` first."""
    return dict(os.environ)
