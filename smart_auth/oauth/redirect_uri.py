"""Whether a redirect URI is one of a client's: the same text, and nothing else.

RFC 6749 section 3.1.2.3, RFC 9700 section 2.1; RFC 8252 section 7.3 (a native app's loopback port is its own choice).
"""

import re

from smart_auth.model import Client, ClientKind

_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?(/[^\s#@\\]*)?", re.ASCII)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.ASCII)
_ACTIVE = frozenset({"javascript", "data", "vbscript", "file", "blob", "about", "view-source"})


def redirectable(uri: str) -> bool:
    """Whether ``uri`` may be registered at all: absolute, without fragment, of a scheme that runs no script."""
    scheme = _SCHEME.match(uri)
    if scheme is None or scheme[1] in _ACTIVE or not uri.isascii() or not uri.isprintable():
        return False
    return "#" not in uri and " " not in uri and "\\" not in uri


def registered(client: Client, uri: str) -> bool:
    """Whether ``uri`` belongs to ``client``."""
    if not redirectable(uri):
        return False
    if uri in client.redirect_uris:
        return True
    return client.kind is ClientKind.PUBLIC and any(_same_but_port(uri, known) for known in client.redirect_uris)


def _same_but_port(uri: str, known: str) -> bool:
    asked, registered = _LOOPBACK.fullmatch(uri), _LOOPBACK.fullmatch(known)
    return bool(asked and registered and asked.groups() == registered.groups())
