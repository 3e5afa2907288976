"""Addresses: which one is written to, and what is none."""

from datetime import UTC, datetime
from typing import Any

import pytest

from fhir_server.outbox.addresses import CONTACT, NO_LETTERS, Address, address_of, wants_none

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MAIL = {"system": "email", "value": "a@example.org"}
SMS = {"system": "sms", "value": "+49 170 1234567"}


def found(*telecom: dict[str, Any], channels: Any = ("smtp", "webhook")) -> Address | None:
    return address_of({"resourceType": "Patient", "telecom": list(telecom)}, channels, NOW)


def test_the_first_channel_for_which_there_is_an_address():
    assert found(SMS, MAIL) == Address("smtp", "email", "a@example.org")
    assert found(SMS, MAIL, channels=("webhook",)) == Address("webhook", "sms", "+49 170 1234567")
    assert found(MAIL, channels=("webhook",)) is None and found() is None


def test_rank_period_and_use_decide():
    second = {"system": "email", "value": "b@example.org", "rank": 1}
    assert found(MAIL, second) == Address("smtp", "email", "b@example.org")
    assert found(MAIL, second | {"use": "old"}) == Address("smtp", "email", "a@example.org")
    assert found(MAIL, second | {"period": {"end": "2026-11"}}) == Address("smtp", "email", "b@example.org")
    assert found(MAIL, second | {"period": {"end": "2026-10"}}) == Address("smtp", "email", "a@example.org")
    assert found(second | {"period": {"start": "2027-01-01"}}) is None


def test_of_telephones_only_mobile_ones():
    home = {"system": "phone", "use": "home", "value": "030 1234567"}
    assert found(home) is None
    assert found(home, home | {"use": "mobile"}) == Address("webhook", "phone", "030 1234567")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "a",
        "a@",
        "@b.c",
        "a@b.c\nBcc: x@example.org",
        "a@b.c, x@example.org",
        "A <a@b.c>",
        "a\u00e9@b.c",
        "a@b.c\x00",
        "a@b.c (not known here)",
        "a(x)@b.c",
        "a@[127.0.0.1]",
        "a@10.0.0.1",
    ],
)
def test_what_is_more_than_one_address_by_name_is_none(value):
    assert found({"system": "email", "value": value}) is None
    assert found({"system": "sms", "value": value}) is None


def test_a_flag_ends_all_letters():
    code = {"coding": [{"system": CONTACT, "code": NO_LETTERS}]}
    flag = {"resourceType": "Flag", "status": "active", "code": code}
    assert wants_none([flag]) and not wants_none([flag | {"status": "inactive"}])
    assert not wants_none([flag | {"code": {"text": "Beware of the dog"}}]) and not wants_none([])
