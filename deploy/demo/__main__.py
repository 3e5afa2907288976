"""Starts the clinic and all around it, prints who may look at what, and stops with Ctrl-C.

Everything is on this machine and under one folder; what was done there is still there at the next start.
"""

import argparse
import asyncio
import functools
import json
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from deploy.demo.house import ADMINISTRATOR, CLINICIAN, PROGRAM, House, Ports
from deploy.demo.peers import Peer, dispensed, results
from deploy.demo.phones import phones

APP = Path(__file__).with_name("app")


@contextmanager
def app(ports: Ports) -> Iterator[None]:
    """The SMART app, a web server of its own."""

    class Handler(SimpleHTTPRequestHandler):
        """Its files, and where its server is."""

        def do_GET(self) -> None:
            if self.path != "/server.json":
                return super().do_GET()
            body = json.dumps({"iss": ports.base}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return None

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: addresses carry codes."""

    with ThreadingHTTPServer(("127.0.0.1", ports.app), functools.partial(Handler, directory=str(APP))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def check(ports: Ports) -> None:
    """Raises SystemExit for a port that another program has: it might be a server that answers in our place."""
    for name, port in ports._asdict().items():
        kind = socket.SOCK_DGRAM if name == "media" else socket.SOCK_STREAM
        with socket.socket(type=kind) as tried:
            if kind == socket.SOCK_STREAM:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do, after a stop
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                raise SystemExit(f"Port {port} is in use: stop what has it, or give --{name}-port another.") from None


async def peers(ports: Ports, until: asyncio.Event) -> None:
    """The laboratory, the pharmacy and the archive, until the event."""
    around = (
        Peer("LAB", results, ports.lab, ports.hl7),
        Peer("PHARMACY", dispensed, ports.pharmacy, ports.hl7),
        Peer("ARCHIVE", None, ports.archive, ports.hl7),
    )
    running = [asyncio.create_task(peer.serve()) for peer in around]
    await until.wait()
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


def told(house: House, visit: str) -> str:
    """Who opens what."""
    ports = house.ports
    site = f"http://127.0.0.1:{ports.api}"
    return f"""
Hearth Street Clinic is open. Everything is made up, and everything is on this machine.

  Patient        {visit}
                 Ada Okafor's visit by video with Dr Bergmann: one click, no account.
                 {house.link("ada")}
                 Her own account (login ada); then {site}/my/ is her record, and an app
                 reads from it: http://127.0.0.1:{ports.app}/
                 Links and reminders come to her telephone: http://127.0.0.1:{ports.phones}/
  Clinician      {house.link(CLINICIAN)}
                 Dr Bergmann chooses a password (login {CLINICIAN}); then {site}/visits/,
                 and after a visit {site}/billing/. A chart has Apps: Trends opens there with its patient.
  Administrator  {house.link(ADMINISTRATOR)}
                 login {ADMINISTRATOR}; then {site}/hl7/ shows every message
  Integrator     {ports.base}/metadata, HL7 v2 on port {ports.hl7} (MLLP)
                 {PROGRAM} token --scope 'system/*.cruds' --data-dir {house.folder}
                 An order (ServiceRequest) goes to the laboratory as OML^O21, and comes back as ORU^R01 in some seconds;
                 a prescription as RDS^O13. A signed note goes to the archive as MDM^T02. They say so here.

Ctrl-C stops it all. {house.folder} keeps the data; --fresh begins anew.
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("var/demo"))
    parser.add_argument("--fresh", action="store_true", help="throw away what was there")
    for name, port in Ports()._asdict().items():
        parser.add_argument(f"--{name}-port", type=int, default=port, metavar="N")
    given = parser.parse_args()
    ports = Ports(**{name: getattr(given, f"{name}_port") for name in Ports._fields})
    check(ports)
    folder: Path = given.folder.resolve()
    if given.fresh:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    for name in [name for name in os.environ if name.startswith("HEARTH_")]:
        del os.environ[name]  # the settings of another server
    asyncio.run(_open(House(folder, ports)))
    return 0


async def _open(house: House) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await asyncio.to_thread(house.furnish)
    around = asyncio.create_task(peers(house.ports, stop))
    serving = house.serving()
    await asyncio.to_thread(serving.__enter__)
    try:
        with app(house.ports), phones(house.ports.phones):
            print(told(house, await asyncio.to_thread(house.book)), flush=True)
            await stop.wait()
    finally:
        print("Closing …", flush=True)
        await asyncio.to_thread(serving.__exit__, None, None, None)
        stop.set()
        await around


if __name__ == "__main__":
    sys.exit(main())
