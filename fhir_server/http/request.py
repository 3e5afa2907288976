"""The request as the interactions see it: method, path below the base, query, headers, body; parsed from WSGI.

FHIR R4 RESTful API, service base URL and content types (https://hl7.org/fhir/R4/http.html#general), PEP 3333.
"""

import re
from random import getrandbits
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

from fhir_server.http.body import read_body
from resources.errors import BadSyntax, TooLarge

Environ = dict[str, Any]

BASE_PATH = "/fhir"
_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST_PAIRS = 10_000
_TOKEN = "access_token"  # RFC 6750 sections 2.2 and 2.3, which this server does not do
_MOST_QUERY = 1 << 20  # characters; every escaped one costs memory of its own while the text is split

Pairs = tuple[tuple[str, str], ...]


class Request(msgspec.Struct, frozen=True, gc=False):
    """One request. ``segments`` are the decoded path parts below ``/fhir``; ``method`` is GET for HEAD too (the edge
    sends no body then); ``query`` the pairs in order, blank values kept."""

    method: str
    segments: tuple[str, ...]
    query: Pairs
    environ: Environ
    id: str

    def header(self, name: str) -> str:
        """The value of a header named as in WSGI (``IF_MATCH``) or ''."""
        value: str = self.environ.get(f"HTTP_{name}", "")
        return value

    @property
    def content_type(self) -> str:
        value: str = self.environ.get("CONTENT_TYPE") or ""
        return value

    def param(self, name: str) -> str:
        """The last value of a query parameter or ''."""
        for key, value in reversed(self.query):
            if key == name:
                return value
        return ""

    def body(self, limit: int) -> bytes:
        """The unpacked body. Raises TooLarge over ``limit`` bytes, UnsupportedMediaType, BadSyntax."""
        return read_body(self.environ, limit)


def parse_request(environ: Environ, id: str) -> Request:
    """The request in ``environ``, known as ``id``. Raises BadSyntax when path or query is not UTF-8."""
    method, path, text = environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("QUERY_STRING")
    query = parse_query(text) if text else ()
    if not path.isascii():  # WSGI hands over the decoded bytes as latin-1
        path = _utf8(path)
    below = path[len(BASE_PATH) :].strip("/")
    segments = tuple(below.split("/")) if below else ()
    return Request("GET" if method == "HEAD" else method, segments, query, environ, id)


def _utf8(path: str) -> str:
    try:
        return path.encode("latin-1").decode()
    except UnicodeError:
        raise BadSyntax("The path is not UTF-8.") from None


def parse_query(text: str) -> Pairs:
    """The pairs of a query string or form body, in order. Raises BadSyntax, TooLarge."""
    if len(text) > _MOST_QUERY:
        raise TooLarge(f"The query has {len(text)} characters; at most {_MOST_QUERY} are taken. Ask in parts.")
    try:
        pairs = tuple(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PAIRS))
    except UnicodeDecodeError:
        raise BadSyntax("The query is not UTF-8 with percent-encoding.") from None
    except ValueError:
        raise BadSyntax(f"The query has more than {_MOST_PAIRS} parameters.") from None
    if any(name == _TOKEN for name, _ in pairs):
        raise BadSyntax("A token belongs in the Authorization header; addresses are logged. Revoke this one.")
    return pairs


def request_id(environ: Environ) -> str:
    """The client's X-Request-Id when it is harmless (64 of letters, digits, ``.``, ``_``, ``-``), else a new one."""
    given = environ.get("HTTP_X_REQUEST_ID")
    if given and _SAFE_ID.fullmatch(given):
        return str(given)
    return f"{getrandbits(72):018x}"  # it only has to be unlike all others; the generator is seeded anew in a fork


def client_address(environ: Environ) -> str:
    """Who asks; the application has put it in the place of trusted proxies."""
    value: str = environ.get("REMOTE_ADDR") or ""
    return value


def split_url(url: str) -> tuple[tuple[str, ...], Pairs]:
    """Path segments and query pairs of a relative URL such as a Bundle entry carries. Raises BadSyntax."""
    path, _, query = url.partition("?")
    try:
        segments = tuple(unquote(part, errors="strict") for part in path.strip("/").split("/")) if path else ()
    except UnicodeDecodeError:
        raise BadSyntax("The URL is not UTF-8 with percent-encoding.") from None
    return segments, parse_query(query) if query else ()
