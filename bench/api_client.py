"""A plain keep-alive client for bars that ask one thing after another and want to see every answer."""

import http.client
import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

FHIR_JSON, FHIR_XML = "application/fhir+json", "application/fhir+xml"


class Reply(NamedTuple):
    """Status and body."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        """The body, numbers as the text they were written in."""
        return as_written(self.body)


def as_written(body: bytes) -> Any:
    """JSON by the standard library's parser, not the server's own; every number becomes its text, marked as one."""
    return json.loads(body, parse_float=_number, parse_int=_number)


def _number(text: str) -> str:
    return f"number {text}"


class Api:
    """The API at ``http://127.0.0.1:port/fhir``; addresses are relative to it, or absolute as links are."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)

    def ask(
        self, method: str, address: str, body: bytes = b"", *, sent: str = FHIR_JSON, wanted: str = FHIR_JSON
    ) -> Reply:
        """One request; ``sent`` and ``wanted`` are the media types of body and answer."""
        headers = {"Accept": wanted} | ({"Content-Type": sent} if body else {})
        url = urlsplit(address if address.startswith("http") else f"http://host/fhir/{address}")
        path = url.path.rstrip("/") + (f"?{url.query}" if url.query else "")
        self._connection.request(method, path, body or None, headers)
        response = self._connection.getresponse()
        return Reply(response.status, response.read())

    def count(self, type: str) -> int:
        """How many resources of ``type`` there are."""
        return int(str(self.ask("GET", f"{type}?_summary=count").json["total"]).removeprefix("number "))

    def everything(self, type: str) -> Iterator[dict[str, Any]]:
        """Every resource of ``type``: named by the pages of a search, then each read by itself."""
        address = f"{type}?_count=1000"
        while address:
            page = self.ask("GET", address).json
            for entry in page.get("entry", ()):
                yield self.ask("GET", f"{type}/{entry['resource']['id']}").json
            address = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
