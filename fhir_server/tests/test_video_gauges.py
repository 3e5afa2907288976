import sqlite3

from fhir_server.http.metrics import Metrics
from fhir_server.preparation import prepare
from fhir_server.settings import load
from fhir_server.video import counts, spool
from fhir_server.video_gauges import SpoolGauges
from fhir_server.wiring import Process
from video.ports import Fact, FactKind


def exposed(found):
    metrics = Metrics()
    metrics.add(SpoolGauges(found))
    return metrics.exposition().decode()


def test_both_figures():
    text = exposed(lambda: (3, 1))
    assert "hearth_video_facts_waiting 3.0" in text
    assert "hearth_video_facts_aside 1.0" in text


def test_no_spool_and_no_disk():
    def broken():
        raise sqlite3.OperationalError("disk I/O error")

    for found in (lambda: None, broken):
        assert "hearth_video" not in exposed(found)


def test_the_spool_of_a_server(tmp_path):
    settings = load({"DATA_DIR": str(tmp_path), "OPEN": True, "VIDEO_PORT": 8081}, {})
    prepare(settings)
    with Process(settings) as process:
        assert counts(process) is None
        facts = spool(process)
        facts.put([Fact(FactKind.WAITING, "room", 1, 1, "", "", "")])
        facts.close()
        assert counts(process) == (1, 0)
