"""Validation at the door."""

import pytest

from resources.errors import Invalid
from resources.validation import check, issues, prepare


def test_check_raises_every_issue() -> None:
    with pytest.raises(Invalid) as raised:
        check({"resourceType": "Observation", "status": "x"})
    assert [issue.code for issue in raised.value.issues] == ["code-invalid", "required"]


def test_issues_gives_them_back() -> None:
    assert issues({"resourceType": "Basic", "code": {"text": "x"}}) == []
    assert [issue.expression for issue in issues({"resourceType": "Basic"})] == ["Basic.code"]


def test_preparing_is_harmless() -> None:
    prepare()
    prepare()
    check({"resourceType": "Basic", "code": {"text": "x"}})
