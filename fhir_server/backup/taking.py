"""A backup: the database as of one moment, what else of DATA_DIR belongs to the record, the digest of each file.

The folder's files are copied before the database: what goes from them into it meanwhile (audited reads, facts of
visits, HL7 messages of a forecourt) is then in both, and each is known again. The other way it would be in neither.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from time import time

import msgspec

from fhir_server.settings import Settings
from fhir_server.store.copying import CannotCopy, copy_file, dump
from fhir_server.store.copying import restore as restore_database

DATABASE, FILES, MANIFEST = "database", "data", "manifest.json"
# The master key is kept apart from what it opens; the rest belongs to the running server alone.
_LEFT_OUT = ("keys", "metrics", "serving.json", "log")
_BESIDE = ("-wal", "-shm", "-journal")


class Manifest(msgspec.Struct, frozen=True):
    """When it was begun (ms since 1970 UTC), of which kind of database, and SHA-256 (hex) by path in the backup."""

    begun: int
    dialect: str
    digests: dict[str, str]


def take(settings: Settings, folder: Path) -> Manifest:
    """Write a backup into ``folder``, which is empty or not there; the manifest comes last. Raises CannotCopy."""
    if folder.exists() and any(folder.iterdir()):
        raise CannotCopy(f"{folder} is not empty")
    if folder.resolve().is_relative_to(settings.data.resolve()):
        raise CannotCopy(f"{folder} lies in {settings.data}, which is copied: name a folder elsewhere")
    begun = int(time() * 1000)
    (folder / FILES).mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in _kept(settings):
        _copied(settings.data / path, folder / FILES / path)
    dump(settings.database_url, folder / DATABASE)
    made = Manifest(begun, settings.database_url.partition(":")[0].partition("+")[0], dict(_digests(folder)))
    (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(made)))
    return made


def read_manifest(folder: Path) -> Manifest:
    """Of a backup whose files are as they were written. Raises CannotCopy."""
    try:
        made = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise CannotCopy(f"{folder} is no whole backup: {MANIFEST} cannot be read ({error})") from None
    found = dict(_digests(folder))
    amiss = sorted(name for name in made.digests.keys() | found.keys() if made.digests.get(name) != found.get(name))
    if amiss:
        raise CannotCopy(f"{folder} is damaged: {', '.join(amiss[:5])} changed, came or went since it was taken")
    return made


def restore(folder: Path, settings: Settings) -> Manifest:
    """Bring a backup to the empty database and data folder of ``settings``; keys may lie there. Raises CannotCopy."""
    made = read_manifest(folder)
    taken = [path.name for path in settings.data.glob("*") if path.name not in _LEFT_OUT]
    if taken:
        raise CannotCopy(
            f"{settings.data} holds {', '.join(sorted(taken)[:5])}; a backup is restored into a new folder"
        )
    if made.dialect[:6] != settings.database_url[:6]:
        raise CannotCopy(f"this is a backup of {made.dialect}; DATABASE names another kind")
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    restore_database(folder / DATABASE, settings.database_url)
    for path in sorted((folder / FILES).rglob("*")):
        if path.is_file():
            copy_file(path, settings.data / path.relative_to(folder / FILES))
    return made


def _kept(settings: Settings) -> Iterator[Path]:
    """Files below DATA_DIR that are backed up."""
    database = Path(settings.database_url.removeprefix("sqlite:///")).resolve()
    for path in sorted(settings.data.rglob("*")):
        inside = path.relative_to(settings.data)
        ours = inside.parts[0] not in _LEFT_OUT and not path.name.endswith(_BESIDE) and path.resolve() != database
        if ours and path.is_file():
            yield inside


def _copied(source: Path, target: Path) -> None:
    try:
        copy_file(source, target)
    except FileNotFoundError:  # a spool file that is in the database by now, which is copied after it
        target.unlink(missing_ok=True)


def _digests(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != MANIFEST:
            with path.open("rb") as stream:
                yield str(path.relative_to(folder)), hashlib.file_digest(stream, "sha256").hexdigest()
