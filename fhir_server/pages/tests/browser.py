"""A browser without JavaScript, before a WSGI application."""

import re
from html import unescape
from typing import Any

from werkzeug.test import Client, TestResponse

BASE = "http://localhost:8080"


class Browser:
    """Follows redirects of this server."""

    def __init__(self, application: Any) -> None:
        self.client = Client(application)
        self.answer: TestResponse = TestResponse((), "200 OK", {}, None)  # type: ignore[arg-type]

    def get(self, path: str, **headers: str) -> "Browser":
        return self._follow(self.client.get(path, base_url=BASE, headers=headers))

    def post(self, path: str, data: dict[str, Any], **headers: str) -> "Browser":
        return self._follow(self.client.post(path, base_url=BASE, data=data, headers=headers))

    def submit(self, action: str, which: int = 0, **fields: Any) -> "Browser":
        """Send the form to ``action`` with its hidden fields, as a browser sends it from our own page."""
        ours = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}
        return self.post(action, self.hidden(action, which) | fields, **ours)

    def hidden(self, action: str, which: int = 0) -> dict[str, str]:
        """The hidden fields of a form that goes to ``action``."""
        forms = re.findall(rf'<form method="post" action="{re.escape(action)}".*?</form>', self.text, re.S)
        assert forms, f"no form to {action}"
        pairs = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', forms[which])
        return {unescape(name): unescape(value) for name, value in pairs}

    def _follow(self, answer: TestResponse) -> "Browser":
        while answer.status_code == 303:
            answer = self.client.get(answer.headers["Location"], base_url=BASE)
        self.answer = answer
        return self

    @property
    def text(self) -> str:
        return self.answer.get_data(as_text=True)

    @property
    def words(self) -> str:
        """What a person reads."""
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", self.text)).split())
