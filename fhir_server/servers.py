"""The HTTP servers that can run the API: granian (default) and gunicorn. Both build the application in each worker."""

from collections.abc import Callable
from pathlib import Path

from fhir_server.settings import Settings

# A factory by name: workers build their own stores and sessions, nothing is shared over a fork.
_FACTORY = "fhir_server.wiring:application"


def run_granian(settings: Settings) -> None:
    """Serve until SIGTERM; requests in flight get STOP_SECONDS."""
    from granian.constants import HTTPModes, Interfaces, SSLProtocols
    from granian.log import LogLevels
    from granian.server import Server

    Server(
        _FACTORY,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        # Only TLS lets a client ask for HTTP/2; looking for it elsewhere costs a tenth of the server's own time.
        http=HTTPModes.auto if settings.tls_cert else HTTPModes.http1,
        websockets=False,
        workers=settings.workers,
        blocking_threads=settings.threads,
        blocking_threads_idle_timeout=600,
        factory=True,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=settings.stop_seconds,
        ssl_cert=Path(settings.tls_cert) if settings.tls_cert else None,
        ssl_key=Path(settings.tls_key) if settings.tls_key else None,
        # SMART asks for TLS 1.2 or later, and much software of hospitals speaks no later one.
        ssl_protocol_min=SSLProtocols.tls12,
    ).serve()


def run_gunicorn(settings: Settings) -> None:
    """Serve until SIGTERM with gunicorn's threaded worker."""
    from gunicorn.app.base import BaseApplication

    options = {
        "bind": f"{settings.host}:{settings.port}",
        "workers": settings.workers,
        "threads": settings.threads,
        "worker_class": "gthread",
        "graceful_timeout": settings.stop_seconds,
        "keepalive": 75,
        "loglevel": "warning",
        "certfile": settings.tls_cert or None,
        "keyfile": settings.tls_key or None,
        "control_socket_disable": True,
    }

    class Served(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in options.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> object:
            from fhir_server.wiring import application

            return application()

    Served().run()


SERVERS: dict[str, Callable[[Settings], None]] = {"granian": run_granian, "gunicorn": run_gunicorn}


def run(settings: Settings) -> None:
    """Run the API in this process tree with the server that the settings name."""
    SERVERS[settings.server](settings)
