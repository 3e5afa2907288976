"""The patients' telephones: takes letters of the webhook as a sender of text messages would, and shows them on a page.

docs/reminders.md: the signature is checked, and what came before is not shown twice.
"""

import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time
from typing import Any

SECRET = "of this demonstration alone"
_OLDEST = 300
"""Seconds after which a signature is no longer believed."""


def is_signed(header: str, body: bytes, now: float) -> bool:
    """Whether who knows the secret sent ``body`` a moment ago."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    at = parts.get("t", "")
    if not at.isdigit() or abs(now - int(at)) > _OLDEST:
        return False
    wanted = hmac.new(SECRET.encode(), at.encode() + b"." + body, sha256).hexdigest()
    return hmac.compare_digest(wanted, parts.get("v1", ""))


@contextmanager
def phones(port: int) -> Iterator[dict[str, dict[str, Any]]]:
    """Serves until the block ends; the letters by their id, as they come."""
    letters: dict[str, dict[str, Any]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            good = is_signed(self.headers.get("Hearth-Signature", ""), body, time())
            if good:
                letters.setdefault(self.headers["Idempotency-Key"], json.loads(body))
            self._answer(202 if good else 403, b"")

        def do_GET(self) -> None:
            self._answer(200, _page(letters).encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: letters carry links."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield letters
        server.shutdown()


def _page(letters: dict[str, dict[str, Any]]) -> str:
    shown = "".join(
        f"<li><h2>{escape(one['to']['value'])}</h2><p>{escape(one['text']).replace(chr(10), '<br>')}</p></li>"
        for one in reversed(letters.values())
    )
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Telephones</title><meta http-equiv="refresh" '
    style = "body{font:1rem/1.5 sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}"
    return f'{head}content="5"><style>{style}</style><h1>Text messages</h1><ul>{shown or "<li>None yet.</li>"}</ul>'
