"""The bridge on /metrics, without a bridge that runs."""

from collections.abc import Sequence

from fhir_server.hl7_gauges import JournalGauges
from fhir_server.http.metrics import Metrics
from fhir_server.pages.hl7.tests.conftest import BASE, Rig, rig  # noqa: F401
from hl7_bridge.watch import Peer
from resources.errors import Unavailable


class Watched:
    """Stands still, or is away."""

    def __init__(self, peers: Sequence[Peer] | None) -> None:
        self._peers = peers

    def peers(self) -> Sequence[Peer]:
        if self._peers is None:
            raise Unavailable("away")
        return self._peers


def exposed(peers: Sequence[Peer] | None) -> str:
    metrics = Metrics()
    metrics.add(JournalGauges(Watched(peers), lambda: 1_000_000))  # type: ignore[arg-type]
    return metrics.exposition().decode()


def test_every_figure() -> None:
    text = exposed(
        [
            Peer(
                "in",
                "lab",
                waiting=1,
                held=2,
                rejected=3,
                dead=4,
                oldest=940_000,
                last=999_000,
                silent=True,
                unmapped=5,
            ),
            Peer("out", "pharmacy", waiting=6),
        ]
    )
    for line in (
        'hearth_hl7_messages{direction="in",peer="lab",state="received"} 1.0',
        'hearth_hl7_messages{direction="in",peer="lab",state="dead"} 4.0',
        'hearth_hl7_messages{direction="out",peer="pharmacy",state="received"} 6.0',
        'hearth_hl7_oldest_seconds{direction="in",peer="lab"} 60.0',
        'hearth_hl7_oldest_seconds{direction="out",peer="pharmacy"} 0.0',
        'hearth_hl7_silence_seconds{sender="lab"} 1.0',
        'hearth_hl7_sender_silent{sender="lab"} 1.0',
        'hearth_hl7_unmapped_codes{sender="lab"} 5.0',
    ):
        assert line in text
    assert 'silence_seconds{sender="pharmacy"}' not in text


def test_while_the_database_is_away_the_rest_is_still_told() -> None:
    text = exposed(None)
    assert "hearth_audit_spool_bytes" in text and "hearth_hl7_messages{" not in text


def test_on_the_metrics_of_the_server(rig: Rig) -> None:  # noqa: F811
    rig.take(patient="")
    rig.work()
    rig.process.settings.metrics_dir.mkdir()
    text = rig.browser.client.get("/metrics", base_url=BASE, environ_base={"REMOTE_ADDR": "127.0.0.1"}).text
    assert 'hearth_hl7_messages{direction="in",peer="lab",state="held"} 1.0' in text and "Okafor" not in text
