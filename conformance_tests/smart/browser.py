"""A browser without JavaScript: keeps cookies, submits forms, follows redirects until they leave the server.

HTML Living Standard 4.10.21 (form submission), Fetch Metadata (Sec-Fetch-Site).
"""

from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx

from conformance_tests.client import TLS

Fields = dict[str, list[str]]

_NAVIGATION = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
_OF_A_FORM = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}
_MOST_REDIRECTS = 10


class Form:
    """A form as it would be sent: ``fields`` hold what is filled in, ``boxes`` and ``buttons`` are
    (name, value)."""

    def __init__(self, action: str, method: str) -> None:
        self.action, self.method = action, method
        self.fields: Fields = {}
        self.boxes: list[tuple[str, str]] = []
        self.buttons: list[tuple[str, str]] = []


class _Reader(HTMLParser):
    """Collects forms, the title and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.title, self.words, self._inside, self._area = "", "", "", ""
        self._form: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._inside = tag if tag in ("title", "code", "textarea", "style") else self._inside
        if tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form is not None and given.get("name"):
            self._field(self._form, tag, given)

    def _field(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name, value, kind = given["name"], given.get("value", ""), given.get("type", "text")
        if tag == "button":
            form.buttons.append((name, value))
        elif kind in ("checkbox", "radio"):
            form.boxes.append((name, value))
            if "checked" in given:
                form.fields.setdefault(name, []).append(value)
        elif tag in ("input", "textarea"):
            form.fields.setdefault(name, []).append(value)
            self._area = name if tag == "textarea" else ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = "" if tag == self._inside else self._inside
        self._form = None if tag == "form" else self._form

    def handle_data(self, data: str) -> None:
        if self._inside == "title":
            self.title += data
        if self._inside == "textarea" and self._form and self._area:
            self._form.fields[self._area] = [data.strip()]
        if self._inside != "style":
            self.words += data + " "


def _onward(answer: httpx.Response) -> str:
    """Where a redirect, or a page that goes on by itself at once, leads; '' where it ends."""
    if answer.is_redirect:
        return urljoin(str(answer.url), answer.headers["location"])
    seconds, _, url = answer.headers.get("refresh", "").partition("; url=")
    return url if seconds == "0" else ""


class Browser:
    """One person's browser at one server. After each step ``answer`` is the last page, ``left`` the URL that a redirect
    to somewhere else named, '' when there was none."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.http = httpx.Client(timeout=60, headers=_NAVIGATION, verify=TLS)
        self.answer = httpx.Response(204, request=httpx.Request("GET", issuer))
        self.left = ""
        self._read: tuple[httpx.Response, _Reader] | None = None

    def close(self) -> None:
        self.http.close()

    def get(self, url: str, query: Mapping[str, str] | Sequence[tuple[str, str]] | None = None) -> "Browser":
        return self._follow(self.http.get(self._absolute(url), params=query))

    def post(self, url: str, fields: Mapping[str, Any], **headers: str) -> "Browser":
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._follow(self.http.post(self._absolute(url), data=dict(fields), headers=sent))

    def _absolute(self, url: str) -> str:
        return urljoin(self.issuer + "/", url)

    def _follow(self, answer: httpx.Response) -> "Browser":
        self.left = ""
        for _ in range(_MOST_REDIRECTS):
            to = _onward(answer)
            if not to:
                break
            if not to.startswith(self.issuer + "/"):
                self.left = to
                break
            answer = self.http.get(to)
        self.answer = answer
        return self

    @property
    def page(self) -> _Reader:
        if self._read is None or self._read[0] is not self.answer:
            self._read = self.answer, _Reader()
            self._read[1].feed(self.answer.text)
        return self._read[1]

    @property
    def title(self) -> str:
        return self.page.title.partition(" · ")[0].strip()

    @property
    def path(self) -> str:
        return urlsplit(str(self.answer.url)).path

    @property
    def told(self) -> dict[str, str]:
        """The query of the URL that this browser left by, each parameter once."""
        assert self.left, f"still at {self.answer.url}: {self.answer.status_code} {self.title}"
        query = parse_qs(urlsplit(self.left).query, keep_blank_values=True)
        assert all(len(values) == 1 for values in query.values()), self.left
        return {name: values[0] for name, values in query.items()}

    def form(self, action: str) -> Form:
        """The first form that is sent by POST to a path that ends with ``action``."""
        for form in self.page.forms:
            if form.method == "post" and urlsplit(form.action).path.endswith(action):
                return form
        raise AssertionError(f"no form to {action} on {self.title!r} ({self.answer.status_code}) {self.answer.url}")

    def submit(self, action: str, **changes: Any) -> "Browser":
        """Send a form of this page; ``changes`` are fields by name: a text, a list, None to leave one out."""
        form = self.form(action)
        fields = {name: value for name, value in (form.fields | changes).items() if value is not None}
        return self.send(form, fields)

    def send(self, form: Form, fields: Mapping[str, Any]) -> "Browser":
        url = urljoin(str(self.answer.url), form.action)
        return self._follow(self.http.post(url, data=dict(fields), headers=_OF_A_FORM))

    def log_in(self, login: str, password: str) -> "Browser":
        if not self.path.endswith("/auth/login"):
            self.get("auth/login")
        return self.submit("/auth/login", login=login, password=password)
