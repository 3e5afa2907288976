"""Settings: each a row with name, default and one sentence; given on the command line, as HEARTH_<NAME>, or in the
file that HEARTH_<NAME>_FILE names.
"""

from fhir_server.settings.agreement import SettingError, check_public_url
from fhir_server.settings.model import VIDEO_PORT, Settings
from fhir_server.settings.reading import child_environment, export, load
from fhir_server.settings.rows import SETTINGS

__all__ = [
    "SETTINGS",
    "VIDEO_PORT",
    "SettingError",
    "Settings",
    "check_public_url",
    "child_environment",
    "export",
    "load",
]
