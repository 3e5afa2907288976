"""Who a request comes from: only a good token in the Authorization header speaks for anybody."""

import pytest

from fhir_server.authorization.callers import Callers
from fhir_server.http.errors import InvalidToken, error_response
from fhir_server.http.request import Request
from resources.errors import LoginRequired
from smart_auth.development import development_token
from smart_auth.service import AuthService


@pytest.fixture
def callers(service: AuthService) -> Callers:
    return Callers(service.verifier.claims)


def asked(authorization: str | None) -> Request:
    environ = {"REMOTE_ADDR": "10.0.0.7"} | ({} if authorization is None else {"HTTP_AUTHORIZATION": authorization})
    return Request("GET", ("Patient",), (), environ, "r1")


def test_a_token_tells_who_and_what(service: AuthService, callers: Callers) -> None:
    token = development_token(service, "user/Patient.rs")
    caller = callers(asked(f"Bearer {token}"))
    assert (caller.client, caller.address, caller.request_id) == ("hearth-cli", "10.0.0.7", "r1")
    assert [(grant.type, grant.permissions) for grant in caller.grants.all] == [("Patient", "rs")]


def test_tokens_that_may_do_the_same_share_what_is_remembered(service: AuthService, callers: Callers) -> None:
    one, other = (development_token(service, "user/Patient.rs") for _ in range(2))
    more = development_token(service, "user/Patient.cruds")
    assert one != other
    assert callers(asked(f"Bearer {one}")).grants is callers(asked(f"bearer {other}")).grants
    assert callers(asked(f"Bearer {one}")).grants is not callers(asked(f"Bearer {more}")).grants


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "Digest x", "token"])
def test_without_a_token_nobody_is_told_that_one_is_bad(callers: Callers, header: str | None) -> None:
    with pytest.raises(LoginRequired) as refused:
        callers(asked(header))
    assert error_response(refused.value).headers == [("WWW-Authenticate", 'Bearer realm="hearth"')]


@pytest.mark.parametrize("token", ["x", "a.b.c", "\udcff", "e30.e30.", "x" * 20_000])
def test_a_bad_token_is_called_bad_and_not_repeated(callers: Callers, token: str) -> None:
    with pytest.raises(InvalidToken) as refused:
        callers(asked(f"Bearer {token}"))
    answer = error_response(refused.value)
    assert answer.status == 401
    assert answer.headers == [("WWW-Authenticate", 'Bearer realm="hearth", error="invalid_token"')]
    assert token == "x" or token not in answer.body.decode()


def test_a_revoked_token_is_bad_at_once_in_the_process_that_revoked_it(service: AuthService, callers: Callers) -> None:
    token = development_token(service, "system/*.rs")
    claims = service.verifier.claims(token)
    callers(asked(f"Bearer {token}"))
    service.records.revoke_family(claims.family, service.now(), claims.expires)
    with pytest.raises(InvalidToken):
        callers(asked(f"Bearer {token}"))
