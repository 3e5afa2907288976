"""The site kit of a running bridge: read anew when its files change, and only when they have no fault.

Ours. It can be given to another process, which begins with what was usable here, whatever the files say by then.
"""

import logging
from dataclasses import dataclass, field
from pathlib import Path

from hl7_bridge.site.files import SiteError, read_site
from hl7_bridge.site.model import Site

log = logging.getLogger("hearth.hl7")

Looks = tuple[tuple[str, int, int], ...]
"""Name, time of change (ns) and bytes of each file."""


@dataclass(slots=True)
class LiveSite:
    """``site`` is what counts now; one thread at a time may look for a newer one."""

    folder: Path
    site: Site
    _read: Looks | None = field(default=None)
    _seen: Looks | None = field(default=None)

    def look(self, *, at_once: bool = False) -> bool:
        """Whether ``site`` is another one now.

        Files that change are read when they look the same twice, so that none is read while it is being written;
        ``at_once`` when somebody else has found them usable already.
        """
        try:
            looks = _looks(self.folder)
        except OSError as error:
            log.error("the site kit cannot be looked at; the one before stays", extra={"fault": type(error).__name__})
            return False
        is_settled, self._seen = at_once or looks == self._seen, looks
        if not is_settled or looks == self._read:
            return False
        self._read = looks
        return self._taken()

    def _taken(self) -> bool:
        try:
            site = read_site(self.folder)
        except (SiteError, OSError) as error:
            faults = [str(fault) for fault in error.faults] if isinstance(error, SiteError) else [type(error).__name__]
            log.error("the changed site kit is not taken over; the one before stays", extra={"faults": faults[:20]})
            return False
        if site == self.site:
            return False
        self.site = site
        extra = {"senders": len(site.senders), "receivers": len(site.receivers)}
        log.info("the changed site kit is taken over", extra=extra)
        return True


def _looks(folder: Path) -> Looks:
    files = (path for pattern in ("*.toml", "*.csv") for path in folder.rglob(pattern))
    return tuple(sorted((str(path), (stat := path.stat()).st_mtime_ns, stat.st_size) for path in files))
