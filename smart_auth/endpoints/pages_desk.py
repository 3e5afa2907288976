"""What every page needs: the browser that asks, forms that only it can send, things kept between two pages.

OWASP ASVS 5.0 V3.3 (cookies), V3.5 (cross-site request forgery, before the log-in too), V7.2. A cookie holds one
secret: of a session, or of a browser that is not logged in yet; the anonymous one gives way at log-in.
"""

import hmac
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

from flask import Response, g, request

from smart_auth.endpoints.pages_rendering import Templates, guard, statics
from smart_auth.model import Person, Session
from smart_auth.people.accounts import Accounts
from smart_auth.people.links import Links
from smart_auth.people.lockout import Lockout
from smart_auth.people.login import LogIn
from smart_auth.people.passkeys import Passkeys
from smart_auth.people.passwords import Passwords
from smart_auth.people.secret import digest, fresh
from smart_auth.people.sessions import IDLE, LoggedIn, Sessions
from smart_auth.people.totp import Totp
from smart_auth.service import ADDRESS, AuthService

MENU = (
    ("/auth/access", "App access", "access"),
    ("/auth/account", "My account", "account"),
    ("/auth/admin/people", "Administration", "admin"),
)


class Kind(StrEnum):
    """What is kept between two pages, under a handle that only the same browser can use."""

    REQUEST = "request"
    ARRIVING = "arriving"
    SECOND_FACTOR = "second-factor"
    CHALLENGE = "challenge"
    SEED = "seed"


class Forbidden(Exception):
    """A form that this server did not give to this browser, or a page for others; the text is for the person."""


class Gone(Exception):
    """Something that was used already or is too old; the text is for the person."""


class NotLoggedIn(Exception):
    """The page is only for who is logged in; ``next`` names it in ``pages_login.AFTER``."""

    def __init__(self, next: str, why: str = "") -> None:
        super().__init__(next)
        self.next, self.why = next, why


class OwesFactor(Exception):
    """The page is only for who logged in with two factors, as is required of this person."""


class Browser:
    """The browser of this request. ``secret`` is its cookie, made now for a ``new`` one; ``changed`` when it logged in
    or out just now."""

    def __init__(self, secret: str, logged_in: LoggedIn | None) -> None:
        self.new = not secret
        self.changed = False
        self.secret = secret or fresh()
        self.logged_in = logged_in

    @property
    def hash(self) -> str:
        return digest(self.secret)

    @property
    def csrf(self) -> str:
        """What its forms must bring back."""
        session = self.session
        return session.csrf if session else digest(f"form {self.secret}")

    @property
    def session(self) -> Session | None:
        return self.logged_in.session if self.logged_in else None

    @property
    def person(self) -> Person | None:
        return self.logged_in.person if self.logged_in else None


class Desk:
    """The people's parts of the service and what pages do with them."""

    def __init__(self, service: AuthService) -> None:
        self.service = service
        records, now = service.records, service.now
        parts = urlsplit(service.issuer)
        self.root, self.origin = parts.path, f"{parts.scheme}://{parts.netloc}"
        self.files = statics()
        self.templates = Templates(self.root, self.files)
        self.passwords = Passwords()
        self.sessions = Sessions(records, now)
        self.links = Links(records, now)
        self.totp = Totp(records, service.sealer, now, "Hearth")
        self.passkeys = Passkeys(records, service.issuer, now)
        self.lockout = Lockout(records, now)
        self.log_in = LogIn(records, service.tell, self.lockout, self.passwords, self.totp, self.passkeys)

    @cached_property
    def accounts(self) -> Accounts:
        service = self.service
        keep = service.lifetimes.user_token
        return Accounts(service.records, service.chart, service.tell, self.passwords, service.now, keep)

    # the browser

    @property
    def cookie(self) -> str:
        """__Host- keeps other hosts of the domain from planting one; browsers take it on https only."""
        return "__Host-hearth" if self.service.secure else "hearth"

    def browser(self, *, active: bool = True) -> Browser:
        """Who asks; one that is not ``active`` asks by itself, for nobody who is sitting there."""
        if "browser" not in g:
            secret = request.cookies.get(self.cookie, "")[:128]
            g.browser = Browser(secret, self.sessions.find(secret, active=active))
        browser: Browser = g.browser
        return browser

    def address(self) -> str:
        return ADDRESS.get()

    def start_session(self, person: Person, amr: tuple[str, ...]) -> Browser:
        """Log this browser in: the old cookie, whoever planted it, is worth nothing afterwards."""
        old = self.browser()
        if old.session:
            self.sessions.end(old.session)
        secret, session = self.sessions.start(person.id, amr)
        g.browser = browser = Browser(secret, LoggedIn(session, person))
        browser.changed = True
        return browser

    def end_session(self) -> None:
        session = self.browser().session
        if session:
            self.sessions.end(session)
        g.browser = Browser("", None)
        g.browser.changed = True

    def person(self, page: str, *, owing: bool = False) -> LoggedIn:
        """Who is logged in. Raises NotLoggedIn; and OwesFactor, unless the page is for those who are ``owing``."""
        logged_in = self.browser().logged_in
        if logged_in is None:
            raise NotLoggedIn(page)
        if self.owes_factor(logged_in):
            if logged_in.person.totp or self.service.records.passkeys(logged_in.person.id):
                raise NotLoggedIn(page, "factor")  # a password alone must not replace the factor that is there
            if not owing:
                raise OwesFactor
        return logged_in

    def owes_factor(self, logged_in: LoggedIn) -> bool:
        return self.service.required_factor.owed(logged_in.person, logged_in.session.amr)

    # forms

    def check_form(self) -> None:
        """Raises Forbidden unless this form came from a page of ours in this very browser."""
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        # With Referrer-Policy no-referrer browsers send "Origin: null" for our own forms: Sec-Fetch-Site is what tells.
        foreign = site != "same-origin" if site else origin not in (None, "null", self.origin)
        sent = request.form.get("csrf", "").encode()
        if foreign or self.browser().new or not hmac.compare_digest(sent, self.browser().csrf.encode()):
            raise Forbidden(
                "This form was not sent from this browser, or it is too old. Go back, reload and try again."
            )

    # things kept between two pages

    def keep(self, kind: Kind, data: bytes, lifetime: int = IDLE) -> str:
        """A handle for ``data`` that only this browser can use."""
        handle = fresh()
        self._put(kind, handle, self.browser().hash, data, lifetime)
        return handle

    def keep_for_anybody(self, kind: Kind, data: bytes, lifetime: int) -> str:
        """As ``keep``, for whoever has the handle: across a post from another site, which brings no cookie."""
        handle = fresh()
        self._put(kind, handle, digest(handle), data, lifetime)
        return handle

    def _put(self, kind: Kind, handle: str, owner: str, data: bytes, lifetime: int) -> None:
        self.service.records.put_request(_named(kind, handle), owner, data, self.service.now() + lifetime)

    def look(self, kind: Kind, handle: str) -> bytes | None:
        return self.service.records.request(_named(kind, handle), self.browser().hash, self.service.now())

    def use(self, kind: Kind, handle: str) -> bytes | None:
        """As ``look``, once."""
        return self.service.records.use_request(_named(kind, handle), self.browser().hash, self.service.now())

    def use_anybodys(self, kind: Kind, handle: str) -> bytes | None:
        return self.service.records.use_request(_named(kind, handle), digest(handle), self.service.now())

    # answers

    def menu(self, person: Person | None) -> list[tuple[str, str, str]]:
        """The rows of MENU for ``person``, and those of the host's pages."""
        ours = [row for row in MENU if row[2] != "admin" or (person and person.administrator)]
        theirs = [page for page in self.service.host_pages if person and page.is_for(person)]
        return [*ours, *((page.path, page.text, page.name) for page in theirs)]

    def url(self, path: str, **query: str) -> str:
        asked = urlencode({name: value for name, value in query.items() if value})
        return f"{self.root}{path}" + (f"?{asked}" if asked else "")

    def go(self, path: str, **query: str) -> Response:
        """To a page of ours."""
        return self.leave(self.url(path, **query))

    def leave(self, url: str) -> Response:
        """To a URL that was made or validated here; 303 turns a post into a get.

        Chromium holds form-action against every redirect that follows a form, also those that the app answers with
        (an identity broker's, to another origin): to browsers, the answer to a form is a page that goes on by itself.
        """
        outside = url.startswith(("https://", "http://"))
        if outside and request.method == "POST" and request.headers.get("Sec-Fetch-Mode") == "navigate":
            return self._onward(url)
        return self.finish(guard(Response(status=303, headers={"Location": url})))

    def _onward(self, url: str) -> Response:
        response = self.page("onward.html", url=url, place=urlsplit(url).netloc)
        response.headers["Refresh"] = f"0; url={url}"
        return response

    def page(
        self,
        template: str,
        status: int = 200,
        *,
        here: str = "",
        handle: str = "",
        redirect_uri: str = "",
        **context: Any,
    ) -> Response:
        """A page. ``handle`` and ``redirect_uri`` are those of the authorization request that it belongs to."""
        browser = self.browser()
        shared = {
            "csrf": browser.csrf,
            "person": browser.person,
            "menu": self.menu(browser.person),
            "here": here,
            "handle": handle,
            "error": "",
            "notice": "",
        }
        response = self.templates.render(template, shared | context, status, redirect_uri)
        if browser.person:
            # Automatic log-off is also what is still on the screen. Without JavaScript, this header does it.
            response.headers["Refresh"] = f"{IDLE + 5}; url={self.url('/auth/login', why='idle')}"
        return self.finish(response)

    def problem(
        self, status: int, heading: str, text: str, code: str = "", link: tuple[str, str] | None = None
    ) -> Response:
        """The error page."""
        return self.page("error.html", status, heading=heading, text=text, code=code, link=link)

    def without_records(self, text: str) -> Response:
        """The error page while nothing can be read: nobody is known, and the browser keeps its cookie."""
        g.browser = Browser("unknown", None)
        response = self.problem(503, "Not available", text)
        response.headers["Retry-After"] = "5"
        return response

    def finish(self, response: Response) -> Response:
        """Gives a new browser its cookie.

        A post that brings none may come from another site, with the cookie held back (SameSite): answering that with
        a new one would log the person off.
        """
        browser = self.browser()
        if browser.changed or (browser.new and request.method != "POST"):
            same_site: Literal["Lax"] = "Lax"
            response.set_cookie(
                self.cookie, browser.secret, path="/", secure=self.service.secure, httponly=True, samesite=same_site
            )
        return response


def _named(kind: Kind, handle: str) -> str:
    """Handles of one kind open nothing of another."""
    return digest(f"{kind} {handle}")
