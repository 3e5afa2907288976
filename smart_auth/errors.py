"""What the authorization server refuses, in OAuth's words; rendered once, in ``smart_auth.endpoints``.

RFC 6749 sections 4.1.2.1 and 5.2, RFC 6750 section 3.1, OpenID Connect Core 3.1.2.6::

    AuthError
    +-- OAuthError          error, description, status
    +-- Taken               a unique name is another's
    +-- LoginRefused        one sentence for a person; never says which part was wrong
        +-- LastAdministrator   nobody would be left to administer
"""


class AuthError(Exception):
    """Anything this package refuses."""


class OAuthError(AuthError):
    """An OAuth error: ``error`` is the registered code, ``status`` the HTTP status where it is answered directly."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error, self.description, self.status = error, description, status


class Taken(AuthError):
    """A login or client id that another holds."""


class LoginRefused(AuthError):
    """A log-in that did not succeed; the text may be shown."""


class LastAdministrator(LoginRefused):
    """A change after which nobody would administer."""
