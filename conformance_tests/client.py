"""A FHIR client for tests: says what it expects of each answer and shows the answer when that fails.

FHIR R4 RESTful API (https://hl7.org/fhir/R4/http.html).
"""

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from threading import local
from time import monotonic, sleep
from typing import Any

import httpx

Json = dict[str, Any]
Query = Mapping[str, Any] | list[tuple[str, str]]

FHIR_JSON = "application/fhir+json"
FHIR_XML = "application/fhir+xml"
SYSTEM = "urn:x-conformance:test"
"""Identifier and tag system of everything the tests create."""

TLS = ssl.create_default_context()
"""Read once: it costs more than a request."""


_PATIENCE = 20.0  # seconds
_RENEWED = 240.0  # seconds; a token with system/ scopes lives for 300


class Bearer(httpx.Auth):
    """Shows an access token; ``mint`` gives one, and is asked again before it is too old."""

    def __init__(self, mint: Callable[[], str]) -> None:
        self._mint, self._token, self._since = mint, "", 0.0

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        if "Authorization" not in request.headers and (token := self.token()):
            request.headers["Authorization"] = f"Bearer {token}"
        yield request

    def token(self) -> str:
        """One that is good for another minute, '' where none is needed."""
        if not self._since or monotonic() - self._since > _RENEWED:
            self._token, self._since = self._mint(), monotonic()
        return self._token


class Client:
    """Requests below ``base``, with an access token when there is one. ``expect`` is the status (or statuses) an answer
    must have."""

    def __init__(self, base: str, token: str | Callable[[], str] = "") -> None:
        self.base = base
        self.root = base.rsplit("/", 1)[0]
        self.bearer = Bearer(token if callable(token) else lambda: token)
        self._mine = local()
        self._opened: list[httpx.Client] = []

    @property
    def http(self) -> httpx.Client:
        """This thread's own: a shared pool may close a connection that it has just given to another thread."""
        mine: httpx.Client | None = getattr(self._mine, "http", None)
        if mine is None:
            mine = httpx.Client(timeout=60, headers={"Accept": FHIR_JSON}, verify=TLS, auth=self.bearer)
            self._mine.http = mine
            self._opened.append(mine)
        return mine

    def close(self) -> None:
        for each in self._opened:
            each.close()

    def request(
        self,
        method: str,
        path: str = "",
        body: Json | list[Any] | bytes | str | None = None,
        *,
        expect: int | tuple[int, ...] = 200,
        query: Query | None = None,
        type: str = FHIR_JSON,
        **headers: str,
    ) -> httpx.Response:
        """One request. Keyword arguments become headers: ``If_Match='W/"1"'``; ``path`` may be absolute."""
        url = path if "://" in path else f"{self.base}/{path}" if path else self.base
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        content = json.dumps(body).encode() if isinstance(body, dict | list) else body
        if content is not None and type:
            sent["Content-Type"] = type
        answer = self.http.request(method, url, content=content, params=query, headers=sent)
        wanted = (expect,) if isinstance(expect, int) else expect
        assert answer.status_code in wanted, f"{method} {answer.url} → {answer.status_code}: {answer.text[:2000]}"
        return answer

    def get(self, path: str = "", **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, body: Any, **more: Any) -> httpx.Response:
        return self.request("POST", path, body, **more)

    def put(self, path: str, body: Any, **more: Any) -> httpx.Response:
        return self.request("PUT", path, body, **more)

    def patch(self, path: str, body: Any, **more: Any) -> httpx.Response:
        return self.request("PATCH", path, body, **more)

    def delete(self, path: str, **more: Any) -> httpx.Response:
        return self.request("DELETE", path, **{"expect": (200, 204), **more})

    def create(self, resource: Json, **headers: str) -> Json:
        """The resource as the server stored it."""
        made: Json = self.post(resource["resourceType"], resource, expect=201, **headers).json()
        return made

    def bundle(self, type: str, *entries: Json, **more: Any) -> Json:
        """The response Bundle of a batch or transaction."""
        body = {"resourceType": "Bundle", "type": type, "entry": list(entries)}
        answered: Json = self.post("", body, **more).json()
        return answered

    def search(self, path: str, query: Query | None = None, **more: Any) -> Json:
        """The searchset."""
        found: Json = self.get(path, query=query, **more).json()
        assert (found["resourceType"], found["type"]) == ("Bundle", "searchset")
        return found

    def found(self, path: str, query: Query | None = None, **more: Any) -> list[str]:
        """The ids of all matches, over all pages, in order."""
        page = self.search(path, query, **more)
        ids = ids_of(page)
        while following := link(page, "next"):
            page = self.search(following)
            ids += ids_of(page)
        return ids

    def refused(self, method: str, path: str, body: Any = None, *, expect: int | tuple[int, ...], **more: Any) -> Json:
        """The OperationOutcome of a request that must fail."""
        return outcome_of(self.request(method, path, body, expect=expect, **more))


def reference(resource: Json) -> str:
    """``Patient/123``"""
    return f"{resource['resourceType']}/{resource['id']}"


def link(bundle: Json, relation: str) -> str:
    """The URL of a link, '' when there is none."""
    return next((each["url"] for each in bundle.get("link", ()) if each["relation"] == relation), "")


def resources_of(bundle: Json, mode: str = "match") -> list[Json]:
    """The resources of a searchset whose search mode is ``mode``."""
    return [entry["resource"] for entry in bundle.get("entry", ()) if entry["search"]["mode"] == mode]


def ids_of(bundle: Json, mode: str = "match") -> list[str]:
    return [resource["id"] for resource in resources_of(bundle, mode)]


def outcome_of(answer: httpx.Response) -> Json:
    """The OperationOutcome in an answer, checked to be one that tells something."""
    outcome: Json = answer.json()
    assert outcome["resourceType"] == "OperationOutcome", outcome
    assert outcome["issue"]
    for issue in outcome["issue"]:
        assert issue["severity"] in {"fatal", "error", "warning", "information"}
        assert issue["code"]
        assert issue.get("diagnostics") or issue.get("details"), issue
    return outcome


def text_of(outcome: Json) -> str:
    """All that the issues of an OperationOutcome say."""
    return json.dumps(outcome["issue"], ensure_ascii=False)


def eventually(look: Callable[[], list[Json]], number: int = 1) -> list[Json]:
    """What ``look`` finds once there are ``number``; the events of reads are stored in batches."""
    deadline = monotonic() + _PATIENCE
    while len(found := look()) < number and monotonic() < deadline:
        sleep(0.1)
    assert len(found) >= number, found
    return found
