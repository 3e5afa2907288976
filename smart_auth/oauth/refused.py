"""How an authorization request is refused: on a page, or by a redirect to the app once its address is known good.

RFC 6749 section 4.1.2.1, RFC 9207 (``iss`` in the answer).
"""

from urllib.parse import urlencode

from smart_auth.errors import OAuthError


class RefusedPage(OAuthError):
    """Shown to the person. Never redirected: the redirect URI is not validated, or nothing was asked for by an app."""


class RefusedRedirect(OAuthError):
    """Told to the app: ``url`` is its validated redirect URI with error, state and iss."""

    def __init__(self, error: str, description: str, url: str) -> None:
        super().__init__(error, description)
        self.url = url


def answer_url(redirect_uri: str, **params: str) -> str:
    """The redirect URI with ``params`` added to its query."""
    joint = "&" if "?" in redirect_uri else "?"
    return redirect_uri + joint + urlencode(params)
