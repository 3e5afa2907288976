import pytest
from flask import Response

from fhir_server.pages.rendering import STRICT, Policy, clock, grouped, guard, moment, span


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3661, "1 h 1 min"), (3605, "1 h"), (90_061, "1 d 1 h"), (-5, "0 s")],
)
def test_span(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_times_and_numbers() -> None:
    assert (
        moment(0) == "1 Jan 1970, 00:00:00 UTC" and clock(1000) == "1970-01-01 00:00:01" and grouped(12345) == "12,345"
    )


def test_a_page_is_framed_by_one_origin_or_by_nobody() -> None:
    answer = guard(Response(), STRICT)
    assert "frame-ancestors 'none';" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    framed = guard(answer, Policy(connect="'self'", forms="'self' https://a.example", framed_by="https://b.example"))
    policy = framed.headers["Content-Security-Policy"]
    assert "frame-ancestors https://b.example;" in policy and "X-Frame-Options" not in framed.headers
    assert "connect-src 'self';" in policy and policy.endswith("form-action 'self' https://a.example")
