"""A way to PostgreSQL that swallows an answer: what was asked is done, and who asked never hears of it."""

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit


class Lossy:
    """Passes on what goes between clients and the server of ``url``; while ``deaf``, answers end the connection, while
    ``mute`` they are kept back and nothing ends."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname or "", parts.port or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        here = f"{parts.username}@127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = urlunsplit(parts._replace(netloc=here))
        self.deaf = self.mute = False
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                server = socket.create_connection(self._server)
                for source, sink, answers in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._pass, args=(source, sink, answers), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while (data := source.recv(65536)) and not (answers and self.deaf):
                if not (answers and self.mute):
                    sink.sendall(data)
            for each in (source, sink):
                each.shutdown(socket.SHUT_RDWR)
