"""``hearth backup``, ``hearth restore`` and ``hearth rehearse-restore``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fhir_server.commands import CommandError
from fhir_server.settings import Settings
from fhir_server.store.copying import CannotCopy
from fhir_server.whereabouts import recall


def backup(settings: Settings, folder: str) -> int:
    """Take one while everything serves, and say what is in it. Raises CommandError."""
    from fhir_server.backup.taking import take

    with _refusals():
        made = take(recall(settings), Path(folder))
    print(f"{len(made.digests)} files; the master key is not among them: keep it elsewhere")
    return 0


def restore(settings: Settings, folder: str) -> int:
    """Bring one to the empty place that the settings name. Raises CommandError."""
    from fhir_server.backup.taking import restore as bring

    with _refusals():
        bring(Path(folder), settings)
    print(f"restored; put the master key under {settings.data / 'keys'} or in HEARTH_MASTER_KEY, then `hearth check`")
    return 0


def rehearse(settings: Settings, sample: int) -> int:
    """Take, restore, serve and compare; 1 when something is amiss. Raises CommandError."""
    from fhir_server.backup.rehearsal import rehearse as play

    with _refusals():
        problems = play(recall(settings), sample, lambda text: print(text, flush=True))
    print("\n".join(f"AMISS {problem}" for problem in problems) or "the copy is whole and can be served")
    return 1 if problems else 0


@contextmanager
def _refusals() -> Iterator[None]:
    """What cannot be copied is told without a traceback."""
    try:
        yield
    except CannotCopy as error:
        raise CommandError(str(error)) from None
