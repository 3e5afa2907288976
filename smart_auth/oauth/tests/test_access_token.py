"""Access tokens: what goes into one comes out of it, and no other token passes for one (RFC 9068)."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_auth.errors import OAuthError
from smart_auth.model import Claims, Clearance
from smart_auth.oauth import compact
from smart_auth.oauth.access_token import TYPE, Mint, Payload, payload
from smart_auth.oauth.tests.rig import BASE, ISSUER, Rig

texts = st.text(max_size=20)
claims = st.builds(
    Claims,
    jti=texts, family=texts, client=texts, scope=texts, subject=texts, who=texts, reach=texts, patient=texts,
    encounter=texts, purpose=texts, tenant=st.integers(0, 9), expires=st.integers(0, 2**40),
    issued=st.integers(0, 2**40), clearance=st.sampled_from(Clearance),
)  # fmt: skip


@given(claims)
def test_every_claim_comes_back(said: Claims) -> None:
    body = msgspec.json.encode(payload(said, issuer=ISSUER, base=BASE, fhir_user="Practitioner/1"))
    read = msgspec.json.decode(body, type=Payload)
    assert read.claims() == said
    assert (read.iss, read.aud, read.fhirUser) == (ISSUER, BASE, f"{BASE}/Practitioner/1")


def test_an_id_token_is_no_access_token(rig: Rig) -> None:
    mint = Mint(base=BASE, issuer=ISSUER, keys=rig.service.keys)
    now = rig.clock()
    said = Claims(jti="j", family="f", client="c", scope="user/*.rs", expires=now + 60, issued=now, subject="s")
    token = mint.access_token(said)
    assert compact.header(token, 8192)["typ"] == TYPE and rig.service.verifier.claims(token) == said
    same = compact.unverified(token)
    with pytest.raises(OAuthError):
        rig.service.verifier.claims(mint.id_token(same))
