"""What tokens grant: scopes by reach by patient in context, and nothing where anything is amiss."""

from typing import Any

import pytest

from resources.repository import Grant
from smart_auth.model import Claims, Clearance
from smart_auth.scopes.grants import grants, key

ANN: dict[str, Any] = {"who": "Patient/1", "reach": "Patient/1", "patient": "1"}
STAFF: dict[str, Any] = {"who": "Practitioner/9", "reach": "all"}
INSIDE = ("Patient", "1")


def claims(scope: str, **more: Any) -> Claims:
    return Claims(
        **({"jti": "j", "family": "f", "client": "c", "expires": 2, "issued": 1, "subject": "s", "scope": scope} | more)
    )


def granted(scope: str, **more: Any) -> tuple[Grant, ...]:
    return grants(claims(scope, **more))


def test_a_patient_in_their_own_compartment() -> None:
    assert granted("patient/*.read", **ANN) == (Grant("*", "rs", (), INSIDE, True),)
    assert granted("user/*.rs", **ANN) == (Grant("*", "rs", (), INSIDE, True),)


def test_staff() -> None:
    assert granted("user/*.cruds", **STAFF) == (Grant("*", "cruds"),)
    assert granted("patient/Observation.rs", **STAFF, patient="1") == (Grant("Observation", "rs", (), INSIDE),)


def test_patient_and_user_grants_are_a_union() -> None:
    assert set(granted("patient/*.rs user/Practitioner.rs", **STAFF, patient="1")) == {
        Grant("*", "rs", (), INSIDE),
        Grant("Practitioner", "rs"),
    }


def test_a_backend_client() -> None:
    assert granted("system/*.rs", reach="all") == (Grant("*", "rs"),)


def test_parameters_are_kept() -> None:
    [found] = granted("patient/Observation.rs?category=a|b&code=c", **ANN)
    assert found.params == (("category", "a|b"), ("code", "c"))


R, V = Clearance.RESTRICTED, Clearance.VERY_RESTRICTED


def test_a_clearance_is_that_of_staff_and_services() -> None:
    for scope, who in (("user/*.rs", STAFF), ("system/*.rs", {"reach": "all"})):
        assert granted(scope, **who, clearance=R) == (Grant("*", "rs", restricted=True),)
        assert granted(scope, **who, clearance=V) == (Grant("*", "rs", confidential=True),)
    inside = granted("patient/*.rs", **STAFF, patient="1", clearance=R)
    assert inside == (Grant("*", "rs", (), INSIDE, restricted=True),)
    assert granted("patient/*.rs", **ANN, clearance=R) == (Grant("*", "rs", (), INSIDE, True),)
    assert not granted("user/*.rs", who="nemo", reach="", clearance=V)
    assert key(claims("user/*.rs", clearance=V)) != key(claims("user/*.rs"))


def test_breaking_the_glass() -> None:
    found = granted("user/*.rs", who="Practitioner/9", reach="Patient/1", patient="1", purpose="BTG")
    assert found == (Grant("*", "rs", (), INSIDE, True),)
    assert granted("user/*.rs", **STAFF, purpose="BTG") == (Grant("*", "rs", (), None, True),)
    assert not granted("patient/*.rs", who="Practitioner/9", reach="Patient/1", patient="2", purpose="BTG")


@pytest.mark.parametrize(
    ("scope", "more"),
    [
        ("", ANN),
        ("openid profile offline_access launch/patient", ANN),
        ("patient/*.rs", STAFF),
        ("patient/*.rs", STAFF | {"patient": "1/../2"}),
        ("patient/*.rs", ANN | {"patient": "2"}),
        ("patient/*.rs", ANN | {"patient": ""}),
        ("patient/*.rs user/*.rs", {"who": "root", "reach": "", "patient": "1"}),
        ("user/*.rs", {"who": "Practitioner/9", "reach": ""}),
        ("user/*.rs", {"who": "", "reach": "all"}),
        ("user/*.rs", {"who": "Practitioner/9", "reach": "Practitioner/9"}),
        ("user/*.rs", {"who": "Patient/1", "reach": "Patient/"}),
        ("user/*.rs", {"who": "Patient/1", "reach": "Patient/1/2"}),
        ("user/*.rs", {"who": "Patient/1", "reach": "ALL"}),
        ("system/*.rs", STAFF),
        ("system/*.rs", ANN),
        ("system/*.rs", {"reach": ""}),
        ("system/*.rs", {"reach": "Patient/1"}),
        ("system/*.rs patient/*.rs", {"reach": "all", "patient": "1"}),
        ("system/*.rs user/*.rs", {"reach": "all"}),
        ("patient/Observation.rsX patient/*.rs?category=a", ANN),
    ],
)
def test_nothing(scope: str, more: dict[str, Any]) -> None:
    assert granted(scope, **more) == ()


def test_fhir_user_may_be_read() -> None:
    found = granted("openid fhirUser patient/Observation.rs", **STAFF, patient="1")
    assert found == (Grant("Observation", "rs", (), INSIDE), Grant("Practitioner", "r", (("_id", "9"),)))
    assert granted("openid fhirUser", **ANN) == (Grant("Patient", "r", (("_id", "1"),), INSIDE, True),)
    assert granted("openid fhirUser user/*.rs", **STAFF) == (Grant("*", "rs"),)
    assert granted("openid fhirUser", who="root", reach="") == ()
    assert granted("openid fhirUser", who="Patient/1", reach="") == ()  # a login may look like a reference
    assert granted("fhirUser", **STAFF) == ()


def test_nothing_is_said_twice() -> None:
    text = "patient/*.rs patient/Observation.crs patient/Observation.s?code=x patient/Observation.d?code=x user/*.r"
    assert set(granted(text, **STAFF, patient="1")) == {
        Grant("*", "r"),
        Grant("*", "s", (), INSIDE),
        Grant("Observation", "c", (), INSIDE),
        Grant("Observation", "d", (("code", "x"),), INSIDE),
    }


def test_equal_constraints_in_another_order_keep_one() -> None:
    found = granted("user/Observation.rs?code=a&date=2020 user/Observation.rs?date=2020&code=a", **STAFF)
    assert len(found) == 1


def test_equal_keys_mean_equal_grants() -> None:
    one, other = claims("patient/*.rs", **ANN), claims("patient/*.rs", **ANN, jti="another", expires=9)
    assert key(one) == key(other)
    assert grants(one) is grants(other)
    assert (
        key(claims("patient/*.rs", **ANN, purpose="BTG"))
        != key(one)
        == key(claims("patient/*.rs", **ANN, purpose="TREAT"))
    )
