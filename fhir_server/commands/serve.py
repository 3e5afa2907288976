"""``hearth serve``: everything under one supervisor, or one kind of process alone."""

import logging
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable

from fhir_server import servers
from fhir_server.logs import start_logging
from fhir_server.preparation import first_link, prepare
from fhir_server.settings import Settings, check_public_url, child_environment
from fhir_server.supervisor import Child, Supervisor
from fhir_server.whereabouts import remember


def _run_worker(settings: Settings) -> None:
    from fhir_server.worker import run  # heavy, and not for the supervisor

    run(settings)


def _run_hl7(settings: Settings) -> None:
    from fhir_server.hl7 import run

    run(settings)


def _run_video(settings: Settings) -> None:
    from fhir_server.video_service import run

    run(settings)


PARTS: dict[str, Callable[[Settings], None]] = {
    "api": servers.run,
    "hl7": _run_hl7,
    "video": _run_video,
    "worker": _run_worker,
}
_BY_PORT = {"hl7": "HL7_PORT", "video": "VIDEO_PORT"}
"""Parts that run beside the others only when they are given a port."""


def run(settings: Settings, part: str | None, *, supervised: bool = False) -> int:
    """Serve until SIGTERM or SIGINT; ``supervised`` as a part of all. Raises SettingError when it would be unsafe."""
    if not settings.open:
        check_public_url(settings.base_url)
    start_logging(settings.log_level)
    if not supervised:  # the supervisor has done it, before it started this part
        prepare(settings)
        if part in (None, "api"):
            _forget_counters(settings)
            remember(settings)
            _announce(settings)
    if part:
        PARTS[part](settings)
        return 0
    threading.Thread(target=_welcome, args=(settings,), daemon=True).start()
    children = [_child(name) for name in PARTS if name not in _BY_PORT or settings.values[_BY_PORT[name]]]
    return Supervisor(children, child_environment(), settings.stop_seconds).run()


def _child(part: str) -> Child:
    return Child(part, [sys.executable, "-m", "fhir_server.cli", "serve", part, "--supervised"])


def _announce(settings: Settings) -> None:
    """What the operator must know at every start: that there is no authentication, or how the first person logs in."""
    if settings.open:
        print("\nOPEN: no authentication. Whoever is on this machine reads and writes everything.", flush=True)
    elif link := first_link(settings):
        print(_FIRST.format(link=link), flush=True)


def _forget_counters(settings: Settings) -> None:
    """The counters of processes that are gone would be added to those of the new ones."""
    shutil.rmtree(settings.metrics_dir, ignore_errors=True)
    settings.metrics_dir.mkdir(mode=0o700)


def _welcome(settings: Settings) -> None:
    if _listening(settings.host, settings.port):
        text = _WELCOME if settings.open else _SECURED
        print(text.format(base=settings.base_url, issuer=settings.issuer, data=settings.data), flush=True)
    else:
        logging.getLogger("hearth").error("the API did not start to listen; see the lines above")


def _listening(host: str, port: int, seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            socket.create_connection((host, port), timeout=1).close()
            return True
        except OSError:
            time.sleep(0.1)
    return False


_WELCOME = """
Hearth serves FHIR R4 at {base} (open: no authentication, this machine only; data in {data}/)

Try next, in another terminal:
  curl '{base}/metadata?_summary=true'
  curl '{base}/Patient' -H 'Content-Type: application/fhir+json' \\
       -d '{{"resourceType":"Patient","name":[{{"family":"Okafor"}}]}}'
  curl '{base}/Patient?name=okafor'
  .venv/bin/hearth load PATH      # Bundles .json .xml .ndjson, gzipped too
Stop with Ctrl-C.
"""

_SECURED = """
Hearth serves FHIR R4 at {base} (secured; people log in at {issuer}/auth/access; data in {data}/)

Try next, in another terminal:
  TOKEN=$(.venv/bin/hearth token --data-dir {data} --scope 'user/*.cruds' | tail -1)
  curl '{base}/Patient' -H "Authorization: Bearer $TOKEN"
  .venv/bin/hearth person add --help      # people who log in
  .venv/bin/hearth client add --help      # apps and backend services
Stop with Ctrl-C.
"""

_FIRST = """
Nobody administers this server yet. Open this link within 24 hours to choose the password of 'admin':
  {link}
Who has the link is the administrator. A new start prints a new one until somebody has logged in.
"""
