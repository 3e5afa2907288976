"""Refusals: RFC 6749 section 5.2, RFC 6750 section 3."""

from smart_auth.errors import OAuthError
from smart_auth.oauth.answer import refused


def test_the_challenge_goes_with_the_error() -> None:
    assert refused(OAuthError("invalid_client", "No.", 401)).headers["WWW-Authenticate"].startswith("Basic ")
    for error, status in (("invalid_token", 401), ("insufficient_scope", 403)):
        challenge = refused(OAuthError(error, "No.", status)).headers["WWW-Authenticate"]
        assert challenge == f'Bearer realm="fhir", error="{error}", error_description="No."'
    plain = refused(OAuthError("invalid_grant", "No."))
    assert "WWW-Authenticate" not in plain.headers
    assert plain.headers["Cache-Control"] == "no-store"
    assert plain.body == {"error": "invalid_grant", "error_description": "No."}
