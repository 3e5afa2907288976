"""The web site of an app that uses the SMART JavaScript client: a launch page, a page to come back to, the script.

SMART App Launch 2.2 section 2.0.5 (launch URL), https://github.com/smart-on-fhir/client-js (its browser API).
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_HEAD = '<!doctype html><meta charset="utf-8"><title>{title}</title><script src="/fhir-client.js"></script>'
_LAUNCH = """<script>
FHIR.oauth2.authorize({options}).catch(error => {{ document.title = "failed: " + error; }});
</script>"""
_BACK = """<script>
FHIR.oauth2.ready().then(
  client => { window.client = client; document.title = "ready"; },
  error => { document.title = "failed: " + error; });
</script>"""


@dataclass(frozen=True)
class Site:
    """Where the app is, on another site than the server. ``launches`` are the launch pages by name."""

    origin: str
    pages: dict[str, bytes]

    @property
    def back(self) -> str:
        return f"{self.origin}/back"

    def add_launch(self, name: str, **options: str) -> str:
        """A page that starts an authorization with these options of ``FHIR.oauth2.authorize``; its URL."""
        given = {"redirectUri": self.back, "pkceMode": "required", "completeInTarget": True} | options
        page = _HEAD.format(title="launching") + _LAUNCH.format(options=json.dumps(given))
        self.pages[f"/{name}"] = page.encode()
        return f"{self.origin}/{name}"


@contextmanager
def serving(script: bytes) -> Iterator[Site]:
    """The site on a free port of this machine, until the block ends."""
    pages = {"/fhir-client.js": script, "/back": (_HEAD.format(title="back") + _BACK).encode()}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path.partition("?")[0])
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Type", "text/javascript" if self.path.endswith(".js") else "text/html")
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Site(f"http://localhost:{server.server_port}", pages)
    finally:
        server.shutdown()
        server.server_close()
