"""Tokens from the command line."""

from collections.abc import Iterator

import pytest

from smart_auth.development import development_token
from smart_auth.endpoints.tests.surroundings import Clock, made_service
from smart_auth.errors import OAuthError
from smart_auth.model import Told
from smart_auth.oauth.tests.rig import BASE, Chart
from smart_auth.records import SqlRecords
from smart_auth.revocations import RevocationList
from smart_auth.scopes.grants import grants
from smart_auth.service import AuthService


@pytest.fixture
def service(records: SqlRecords) -> Iterator[AuthService]:
    clock = Clock()
    revocations = RevocationList(records, clock)
    revocations.start()
    yield made_service(records, clock, list[Told]().append, base=BASE, chart=Chart(), revoked=revocations.revoked)
    revocations.stop()


def test_what_its_scopes_grant(service: AuthService) -> None:
    families = set()
    for scope, patient, compartment in (
        ("user/*.cruds", "", None),
        ("system/*.rs", "", None),
        ("patient/*.rs", "p1", ("Patient", "p1")),
    ):
        claims = service.verifier.claims(development_token(service, scope, patient))
        assert [grant.compartment for grant in grants(claims)] == [compartment]
        approval = service.records.approval(claims.family)
        assert approval and approval.client == "hearth-cli"
        families.add(approval.id)
    assert len(families) == 3


@pytest.mark.parametrize(
    "scope", ["", "openid", "rubbish", "user/*.rs rubbish", "patient/*.rs", "user/*.rs system/*.rs"]
)
def test_what_no_token_could_say(service: AuthService, scope: str) -> None:
    with pytest.raises(OAuthError):
        development_token(service, scope)


def test_it_can_be_revoked(service: AuthService) -> None:
    token = development_token(service, "user/*.rs")
    claims = service.verifier.claims(token)
    service.records.revoke_family(claims.family, service.now(), service.now() + 3600)
    with pytest.raises(OAuthError):
        service.verifier.claims(token)
