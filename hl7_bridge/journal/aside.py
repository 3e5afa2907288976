"""What a forecourt has set aside because it could not be opened, looked at from any process.

SQLite URI filenames (https://www.sqlite.org/uri.html), mode=ro: whoever looks changes nothing and takes no lock.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from hl7_bridge.journal.forecourt import opened
from hl7_bridge.journal.sealing import Sealing
from hl7_bridge.ports import Incoming
from resources.errors import Unavailable

MOST = 200
"""How many are told, the oldest."""
_BUSY_SECONDS = 5


class Aside(NamedTuple):
    """A message that was acknowledged and is in no journal: its ``number``, the ``size`` of what is stored (bytes), and
    what it is where the keys at hand open it (it then joins the journal when the bridge starts the next time)."""

    number: int
    size: int
    incoming: Incoming | None = None

    @property
    def name(self) -> str:
        """What people call it by."""
        return f"aside-{self.number}"

    @property
    def reason(self) -> str:
        if self.incoming is None:
            return "It was acknowledged and cannot be opened: start the bridge with the keys it was written with."
        return "It was acknowledged and could not be opened; it can now, and is taken up when the bridge starts again."


def set_aside(path: Path, sealing: Sealing) -> list[Aside]:
    """Of the forecourt at ``path``, where there is one. Raises Unavailable."""
    if not path.is_file():
        return []
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", timeout=_BUSY_SECONDS, uri=True)) as file:
            rows = file.execute("SELECT id, sealed FROM aside ORDER BY id LIMIT ?", (MOST,)).fetchall()
    except sqlite3.Error as error:
        raise Unavailable("The file of HL7 messages that just came cannot be read; try again shortly.") from error
    return [Aside(int(id), len(sealed), opened(sealing, sealed)) for id, sealed in rows]
