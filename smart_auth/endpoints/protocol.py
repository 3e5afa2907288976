"""The endpoints that apps and services call: forms and JSON in, JSON out, or a redirect; open to other origins.

RFC 6749 section 3, RFC 7009, RFC 7662, RFC 8414, OpenID Connect Core and Discovery; SMART App Launch 2.2 (CORS for
apps in browsers). Flask only translates here: what is decided is decided in ``smart_auth.oauth``.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec
from flask import Blueprint, Response, current_app, request

from resources.errors import Unavailable
from smart_auth import discovery
from smart_auth.errors import OAuthError
from smart_auth.model import Event, Told
from smart_auth.oauth.answer import Answer, refused
from smart_auth.oauth.client_authentication import Presented
from smart_auth.service import ADDRESS, AuthService

LARGEST_BODY = 65_536  # bytes
_FORM = "application/x-www-form-urlencoded"
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "WWW-Authenticate",
}
_PREFLIGHT = {
    **_CORS,
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Accept",
    "Access-Control-Max-Age": "600",
}
_PUBLIC = {"Cache-Control": "public, max-age=300"}
STYLE = {
    "color_background": "#f7f7f4",
    "color_error": "#9b1c1c",
    "color_highlight": "#0b5c7a",
    "color_modal_backdrop": "",
    "color_success": "#256c2f",
    "color_text": "#1c2428",
    "dim_border_radius": "6px",
    "dim_font_size": "16px",
    "dim_spacing_size": "16px",
    "font_family_body": "system-ui, sans-serif",
    "font_family_heading": "system-ui, sans-serif",
}
"""The look of our own pages, for apps that want to fit in (SMART: smart_style_url)."""

_View = Callable[[], Answer]


def register(blueprint: Blueprint, service: AuthService) -> None:
    """Put the protocol's routes on ``blueprint``."""
    for path, methods, view in (*_rows(service), *_documents(service)):
        _route(blueprint, service, path, methods, view)


def _rows(service: AuthService) -> tuple[tuple[str, tuple[str, ...], _View], ...]:
    """Path, methods, what answers."""
    return (
        ("/auth/token", ("POST",), lambda: service.token_endpoint.answer(_presented())),
        ("/auth/introspect", ("POST",), lambda: service.introspection.answer(_presented())),
        ("/auth/revoke", ("POST",), lambda: service.revocation.answer(_presented())),
        ("/auth/userinfo", ("GET", "POST"), lambda: service.userinfo.answer(_bearer())),
        ("/auth/launch", ("POST",), lambda: service.launches.answer(_json(), _authorization(), _address())),
        ("/auth/break-glass", ("POST",), lambda: service.break_glass.answer(_json(), _bearer())),
        ("/auth/jwks", ("GET",), lambda: Answer(200, service.keys.jwks(), _PUBLIC)),
        ("/auth/style", ("GET",), lambda: Answer(200, dict(STYLE), _PUBLIC)),
    )


def _documents(service: AuthService) -> tuple[tuple[str, tuple[str, ...], _View], ...]:
    """The discovery documents, below the issuer and below the FHIR base (SMART apps know only that)."""
    below_base = urlsplit(service.base).path.removeprefix(urlsplit(service.issuer).path)
    get = ("GET",)
    return (
        (f"{below_base}/.well-known/smart-configuration", get, lambda: _told(discovery.smart_configuration, service)),
        (f"{below_base}/.well-known/openid-configuration", get, lambda: _told(discovery.openid_configuration, service)),
        ("/.well-known/openid-configuration", get, lambda: _told(discovery.openid_configuration, service)),
        ("/.well-known/oauth-authorization-server", get, lambda: _told(discovery.authorization_server, service)),
    )


def _told(document: Callable[[str, frozenset[str]], dict[str, object]], service: AuthService) -> Answer:
    return Answer(200, document(service.issuer, routes()), _PUBLIC)


def routes() -> frozenset[str]:
    """What this application answers below the issuer, as ``POST /auth/token``."""
    rules = current_app.url_map.iter_rules()
    paths = ((method, rule.rule) for rule in rules for method in rule.methods or ())
    return frozenset(f"{method} {path[path.index('/auth/') :]}" for method, path in paths if "/auth/" in path)


def _route(blueprint: Blueprint, service: AuthService, path: str, methods: tuple[str, ...], view: _View) -> None:
    def answer() -> Response:
        if request.method == "OPTIONS":
            allowed = ", ".join((*methods, "OPTIONS"))
            return Response(status=204, headers={**_PREFLIGHT, "Access-Control-Allow-Methods": allowed})
        return _response(_answered(service, path, view))

    name = path.removeprefix("/").replace("/", " ").replace(".", " ")
    blueprint.add_url_rule(path, name, answer, methods=[*methods, "OPTIONS"], provide_automatic_options=False)


def _answered(service: AuthService, path: str, view: _View) -> Answer:
    try:
        try:
            return view()
        except OAuthError as error:
            service.tell(Told(event=Event.TOKEN_REFUSED, detail=f"{path}: {error.error}", ok=False))
            return refused(error)
    except Unavailable:
        return refused(OAuthError("temporarily_unavailable", "Try again in a moment.", 503))


def _response(answer: Answer) -> Response:
    body = b"" if answer.body is None else msgspec.json.encode(answer.body)
    response = Response(body, answer.status, {**_CORS, "X-Content-Type-Options": "nosniff", **answer.headers})
    response.content_type = "application/json"
    return response


def _presented() -> Presented:
    """The form of a request and its Authorization header. Raises OAuthError for parameters in the query, another
    content type, a parameter that comes twice."""
    if request.query_string:
        raise OAuthError("invalid_request", "Parameters belong in the body, not in the URL.")
    if request.mimetype != _FORM:
        raise OAuthError("invalid_request", f"The Content-Type must be {_FORM}.")
    _check_size()
    form = dict(request.form.lists())
    if any(len(values) > 1 for values in form.values()):
        raise OAuthError("invalid_request", "A parameter comes more than once.")
    return Presented(_authorization(), {name: values[0] for name, values in form.items()}, _address())


def _check_size() -> None:
    if request.content_length is None or request.content_length > LARGEST_BODY:
        raise OAuthError("invalid_request", "The body is too long, or does not say how long it is.", 413)


def _json() -> bytes:
    if request.mimetype != "application/json":
        raise OAuthError("invalid_request", "The Content-Type must be application/json.")
    _check_size()
    return request.get_data()


def _authorization() -> str:
    return request.headers.get("Authorization", "")


def _bearer() -> str:
    """The token of the Authorization header, the only place where it is looked for. Raises OAuthError."""
    scheme, _, token = _authorization().partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise OAuthError("invalid_token", "A bearer token is needed.", 401)
    return token.strip()


def _address() -> str:
    return ADDRESS.get()
