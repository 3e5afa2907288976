"""Prometheus metrics and who may read them."""

import pytest

from fhir_server.http.metrics import Metrics, may_read


def test_durations_are_counted_by_interaction_and_status() -> None:
    metrics = Metrics()
    metrics.observe("read", 200, 0.002)
    metrics.observe("read", 200, 0.004)
    metrics.observe("read", 404, 0.001)
    text = metrics.exposition().decode()
    assert 'hearth_http_request_seconds_count{interaction="read",status="200"} 2.0' in text
    assert 'hearth_http_request_seconds_count{interaction="read",status="404"} 1.0' in text


def test_events_are_counted_and_watched_values_are_asked_at_every_scrape() -> None:
    metrics, ages = Metrics(), iter([0.5, 7.0])
    metrics.told("login-refused", False)
    metrics.told("token", True)
    metrics.watch("revocations", lambda: next(ages))
    text = metrics.exposition().decode()
    assert 'hearth_authorization_events_total{event="login-refused",outcome="refused"} 1.0' in text
    assert 'hearth_authorization_events_total{event="token",outcome="success"} 1.0' in text
    assert "hearth_revocation_list_age_seconds 0.5" in text
    assert "hearth_revocation_list_age_seconds 7.0" in metrics.exposition().decode()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, True),
        ({"REMOTE_ADDR": "10.1.1.1"}, False),
        ({}, False),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "1.2.3.4"}, False),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": "for=1.2.3.4"}, False),
    ],
)
def test_who_may_read(environ: dict[str, str], expected: bool) -> None:
    assert may_read(environ, ("127.0.0.1", "::1")) is expected
