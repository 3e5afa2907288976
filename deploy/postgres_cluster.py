"""A private PostgreSQL cluster for development and tests: `start`, `stop`, `url`; all its state lies under var/pg.

PostgreSQL 15, chapters 19.2 and 20 (server configuration). Listens on a free loopback port, needs no system service;
run as root, the server is the user postgres. Missing programs are installed with apt when that can be.
"""

import hashlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from deploy import debian

CHECKOUT = Path(__file__).resolve().parents[1]
PACKAGE = "postgresql-15"
DATABASE = "hearth"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "512MB",
    # hash-ordered indexes touch pages all over: full-page images after a checkpoint are most of the log
    "checkpoint_timeout": "30min",
    "max_wal_size": "8GB",
    "wal_compression": "lz4",
    "checkpoint_completion_target": "0.9",
    "wal_buffers": "64MB",
    "autovacuum_vacuum_insert_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.05",
    "random_page_cost": "1.1",
    "effective_io_concurrency": "100",
    "jit": "off",
    "log_min_messages": "warning",
}


def _folder() -> Path:
    """var/pg of the checkout, or /var/tmp when root's server, which is another user, could not get there."""
    closed = any(not parent.stat().st_mode & 0o001 for parent in (CHECKOUT, *CHECKOUT.parents))
    if os.getuid() == 0 and closed:
        return Path("/var/tmp") / f"hearth-pg-{hashlib.sha256(bytes(CHECKOUT)).hexdigest()[:12]}"
    return CHECKOUT / "var" / "pg"


FOLDER = _folder()


class NoPostgres(Exception):
    """PostgreSQL is not here and could not be installed; the text says why."""


def start(folder: Path = FOLDER) -> str:
    """The URL of the running cluster, made and started if need be. Raises NoPostgres."""
    data = folder / "data"
    if not (data / "PG_VERSION").exists():
        _create(folder, data)
    if not is_running(folder):
        _launch(folder, data)
    return url(folder)


def stop(folder: Path = FOLDER) -> None:
    """Stop the cluster if it runs."""
    if is_running(folder):
        run("pg_ctl", "-D", str(folder / "data"), "-m", "fast", "-w", "stop")


def is_running(folder: Path = FOLDER) -> bool:
    """Whether the cluster runs."""
    data = folder / "data"
    if not (data / "postmaster.pid").exists():
        return False
    return subprocess.run(_command("pg_ctl", "-D", str(data), "status"), capture_output=True, cwd="/").returncode == 0


def url(folder: Path = FOLDER) -> str:
    """postgresql://hearth@127.0.0.1:PORT/hearth of the cluster as it was last started."""
    port = (folder / "port").read_text().strip()
    return f"postgresql://{DATABASE}@127.0.0.1:{port}/{DATABASE}"


def own(folder: Path) -> None:
    """Make ``folder`` where it is not, for the user that the server is."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.getuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)


def _create(folder: Path, data: Path) -> None:
    if not _binaries():
        _installed()
    own(folder)
    shutil.rmtree(data, ignore_errors=True)
    run("initdb", "-D", str(data), "-U", DATABASE, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
    lines = [f"{name} = '{value}'" for name, value in SETTINGS.items()]
    with open(data / "postgresql.auto.conf", "a", encoding="utf-8") as config:
        config.write("\n".join([*lines, f"unix_socket_directories = '{folder}'", ""]))


def _launch(folder: Path, data: Path) -> None:
    port = _port_of_before(folder) or free_port()
    (folder / "port").write_text(f"{port}\n")
    run("pg_ctl", "-D", str(data), "-l", str(data / "server.log"), "-o", f"-p {port}", "-w", "-t", "60", "start")
    admin = ["-h", "127.0.0.1", "-p", str(port), "-U", DATABASE]
    listed = run("psql", *admin, "-d", "postgres", "-Atc", f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'")
    if not listed.strip():
        run("createdb", *admin, DATABASE)


def _port_of_before(folder: Path) -> int:
    """So that who knows the address finds the cluster there again; 0 when somebody else has the port now."""
    with suppress(OSError, ValueError), socket.socket() as probe:
        port = int((folder / "port").read_text())
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return port
    return 0


def run(program: str, *arguments: str) -> str:
    """What a program of PostgreSQL printed, run as the user that the server is. Raises NoPostgres when it fails."""
    # pg_ctl start leaves a server that holds its outputs, so they are not pipes
    starts = "start" in arguments
    pipe = subprocess.DEVNULL if starts else subprocess.PIPE
    done = subprocess.run(_command(program, *arguments), stdout=pipe, stderr=pipe, cwd="/", text=True)
    if done.returncode:
        raise NoPostgres(f"{program} failed: {done.stderr or 'see server.log'}")
    return done.stdout or ""


def _command(program: str, *arguments: str) -> list[str]:
    found = _binaries() or _installed()
    command = [str(found / program), *arguments]
    as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.getuid() == 0 else []
    return [*as_postgres, *command]


def _binaries() -> Path | None:
    """The folder of the server programs: the newest of Debian's, else what PATH finds."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if debian:
        return debian[-1].parent
    found = shutil.which("initdb")
    return Path(found).parent if found else None


def _installed() -> Path:
    """Install Debian's package. Raises NoPostgres when apt is not there or refuses."""
    try:
        debian.install(PACKAGE)
    except debian.Missing as error:
        raise NoPostgres(str(error)) from None
    found = _binaries()
    if not found:
        raise NoPostgres(f"{PACKAGE} was installed but its programs are not where Debian puts them")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(arguments: list[str]) -> int:
    action = {"start": lambda: print(start()), "stop": stop, "url": lambda: print(url())}.get(" ".join(arguments))
    if action is None:
        print("usage: postgres_cluster.py start|stop|url", file=sys.stderr)
        return 2
    try:
        action()
    except NoPostgres as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
