"""Where a data folder's server is: its public address and its database, for commands that are told the folder alone.

``hearth serve`` writes it, the administration commands read it. The address of a database may hold a password, so the
file is for its owner only, as the master key beside it is.
"""

import os
from pathlib import Path

import msgspec

from fhir_server.settings import Settings

_REMEMBERED = ("PUBLIC_URL", "DATABASE")
_OF_ADDRESS = ("PUBLIC_URL", "HOST", "PORT", "TLS_CERT")


def remember(settings: Settings) -> None:
    """Write down what this server is started with."""
    told = {"PUBLIC_URL": settings.base_url, "DATABASE": settings.database}
    path = _path(settings)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_bytes(msgspec.json.encode(told))
    draft.replace(path)


def recall(settings: Settings) -> Settings:
    """``settings`` with the address and the database of the folder's server where they say nothing themselves."""
    try:
        told = msgspec.json.decode(_path(settings).read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        return settings
    unsaid = [name for name in _REMEMBERED if settings.is_default(*(_OF_ADDRESS if name == "PUBLIC_URL" else (name,)))]
    return Settings({**settings.values, **{name: told[name] for name in unsaid}})


def _path(settings: Settings) -> Path:
    return settings.data / "serving.json"
