"""What the bridge counts; and that it is what the bridge tells."""

from prometheus_client import generate_latest

from fhir_server.hl7_metrics import BridgeMetrics
from hl7_bridge.telemetry import Silent, Telemetry


def test_what_is_told_is_counted_by_sender_and_code() -> None:
    made: Telemetry = BridgeMetrics()
    made.received("lab", "ORU", "taken")
    made.received("lab", "ORU", "taken")
    made.answered("lab", "AA", 0.003)
    made.ended("lab", "applied", 0.3)
    text = _exposed(made)
    assert 'hearth_hl7_received_total{sender="lab",type="ORU",verdict="taken"} 2.0' in text
    assert 'hearth_hl7_answer_seconds_bucket{code="AA",le="0.005",sender="lab"} 1.0' in text
    assert 'hearth_hl7_applied_seconds_sum{sender="lab",state="applied"} 0.3' in text


def test_connections_are_looked_at() -> None:
    made = BridgeMetrics()
    made.sample()
    assert "hearth_hl7_connections 0.0" in _exposed(made)
    made.watch(lambda: 3, lambda: 2)
    made.sample()
    assert "hearth_hl7_connections 3.0" in _exposed(made)
    assert "hearth_hl7_forecourt_unreadable 2.0" in _exposed(made)


def test_nobody_has_to_watch() -> None:
    silent: Telemetry = Silent()
    silent.received("lab", "ORU", "taken")
    silent.answered("lab", "AA", 0.1)
    silent.ended("lab", "applied", 0.1)


def _exposed(made: object) -> str:
    return "".join(
        generate_latest(_One(metric)).decode() for metric in vars(made).values() if hasattr(metric, "collect")
    )


class _One:
    """A registry of one metric."""

    def __init__(self, metric) -> None:
        self.collect = metric.collect
